//! JSON Web Tokens: whether a token is signed by a key of its issuer. The caller evaluates what it
//! claims, by its own clock.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

/// The algorithms that API Gateway accepts: those of RSA.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// The claims of `token` as JSON text, if a key of the set `keys` (JSON text) signed it. The text
/// of an error says what is wrong, without the token.
pub fn verified_claims(token: &str, keys: &str) -> Result<String, String> {
    let header = decode_header(token).map_err(|_| "the token is not a signed JSON Web Token")?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("the token is not signed by RSA".to_owned());
    }
    let keys: JwkSet =
        serde_json::from_str(keys).map_err(|_| "the issuer's keys are no key set")?;
    let id = header.kid.as_deref().ok_or("the token does not name its key")?;
    let key = keys.find(id).ok_or("the issuer has no key of the token's name")?;
    let key = DecodingKey::from_jwk(key).map_err(|_| "the issuer's key cannot be used")?;
    let mut validation = Validation::new(header.alg);
    // The caller evaluates times and audience.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let claims = decode::<serde_json::Value>(token, &key, &validation)
        .map_err(|_| "the signature of the token is wrong")?;
    Ok(claims.claims.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_signed_by_rsa_is_refused() {
        for token in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"] {
            assert!(verified_claims(token, r#"{"keys":[]}"#).is_err(), "{token}");
        }
    }
}
