//! TLS: a certificate from files, or one made for development.

use std::io::{Error, ErrorKind};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate chain and its key, both as PEM.
#[derive(Clone)]
pub struct Certificate {
    /// The chain, the server's own certificate first.
    pub chain: String,
    /// The private key.
    pub key: String,
}

// Keys do not belong into logs.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate(..)")
    }
}

/// Makes a certificate that signs itself, for these names. Clients must be told to trust it.
pub fn development_certificate(names: Vec<String>) -> std::io::Result<Certificate> {
    let made = rcgen::generate_simple_self_signed(names).map_err(invalid)?;
    Ok(Certificate { chain: made.cert.pem(), key: made.signing_key.serialize_pem() })
}

/// What serves TLS with `certificate`. An error says which of its two parts cannot be used.
pub(super) fn acceptor(certificate: &Certificate) -> std::io::Result<TlsAcceptor> {
    let of_chain = |why: &dyn std::fmt::Display| {
        invalid(format!("The certificate chain cannot be used: {why}"))
    };
    let of_key =
        |why: &dyn std::fmt::Display| invalid(format!("The private key cannot be used: {why}"));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|why| of_chain(&why))?;
    if chain.is_empty() {
        return Err(of_chain(&"there is no certificate in it, in PEM."));
    }
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes());
    let key = key.map_err(|why| of_key(&why))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| match why {
            rustls::Error::InconsistentKeys(_) => of_key(&"it does not belong to the certificate."),
            other => of_chain(&other),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(chain: &str, key: &str) -> Option<String> {
        let certificate = Certificate { chain: chain.to_owned(), key: key.to_owned() };
        acceptor(&certificate).map(|_| ()).err().map(|error| error.to_string())
    }

    #[test]
    fn an_error_says_which_part_of_a_certificate_is_wrong() {
        let made = development_certificate(vec!["localhost".to_owned()]).unwrap();
        let other = development_certificate(vec!["localhost".to_owned()]).unwrap();
        assert_eq!(refusal(&made.chain, &made.key), None);
        for (chain, key, part) in [
            ("nonsense", made.key.as_str(), "The certificate chain"),
            (made.key.as_str(), made.key.as_str(), "The certificate chain"),
            (made.chain.as_str(), "nonsense", "The private key"),
            (made.chain.as_str(), other.key.as_str(), "The private key"),
        ] {
            let why = refusal(chain, key).unwrap();
            assert!(why.starts_with(part), "{why}");
        }
    }
}
