//! Who calls: the signature's scope names account and region, and a secret proves it.

mod binding;
mod canonical;
mod chunks;
mod signature;
#[cfg(test)]
mod tests;
mod verify;

pub use chunks::ChunkSigner;
pub use signature::{Signature, account_of};
pub use verify::{Credential, Credentials, MISMATCH};

use crate::error::{Result, WireError};
use crate::message::Request;

/// The account of callers that name none.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// The region of callers that name none.
pub const DEFAULT_REGION: &str = "us-east-1";

const MISSING: &str = "MissingAuthenticationTokenException";

/// What is asked of a signature.
#[derive(Debug, Default)]
pub enum Mode {
    /// Nothing: it is read for account and region where it can be.
    Off,
    /// It must be well-formed where there is one.
    #[default]
    Parse,
    /// It must be there and right.
    Strict(Credentials),
    /// It is believed: the callers are parts of this program, which name the account they act for.
    /// They have no more rights than that account where the policies of an engine are enforced.
    Trusted,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// The region that is called.
    pub region: String,
    /// The access key id, if the request names one.
    pub access_key: Option<String>,
}

/// The caller of `request`, checked as `mode` asks; `now` is the wall clock in seconds.
pub fn identify(mode: &Mode, request: &Request<'_>, now: i64) -> Result<(Identity, Scope)> {
    let signature = match (mode, Signature::of(request)) {
        (Mode::Off, Err(_)) => None,
        (_, read) => read?,
    };
    let Some(signature) = signature else {
        if matches!(mode, Mode::Strict(_)) {
            return Err(missing());
        }
        let region = DEFAULT_REGION.to_owned();
        let account = DEFAULT_ACCOUNT.to_owned();
        return Ok((Identity { account, region, access_key: None }, Scope::default()));
    };
    let mut account = account_of(signature.access_key).to_owned();
    let is_proved = matches!(mode, Mode::Strict(_) | Mode::Trusted);
    if let Mode::Strict(credentials) = mode {
        let credential = credentials.check(request, &signature, now)?;
        binding::check(request, &signature)?;
        if let Some(own) = &credential.account {
            account.clone_from(own);
        }
    }
    // Nothing is proved, and yet programs are tested with links that have expired.
    if matches!(mode, Mode::Parse) && signature.service == "s3" && signature.expires.is_some() {
        verify::in_time(&signature, now)?;
    }
    let identity = Identity {
        account,
        region: signature.region.to_owned(),
        access_key: Some(signature.access_key.to_owned()),
    };
    let service = Some(signature.service.to_owned());
    let is_presigned = signature.expires.is_some();
    Ok((identity, Scope { service, is_presigned, is_proved }))
}

/// What a signature says about the request beside who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The service that the signature is for, if there is a signature.
    pub service: Option<String>,
    /// Whether the signature is in the query string.
    pub is_presigned: bool,
    /// Whether the signature was checked against a secret, or need not be.
    pub is_proved: bool,
}

impl Scope {
    /// Refuses a proved signature that is for another service than the one that is called, which
    /// signatures know by one of these names.
    pub fn check_service(&self, names: &[String]) -> Result<()> {
        let signed = self.service.as_deref().unwrap_or("");
        if !self.is_proved || names.iter().any(|name| name == signed) {
            return Ok(());
        }
        let called = names.first().map_or("", String::as_str);
        let message = format!("Credential should be scoped to correct service: '{called}'. ");
        Err(WireError::new("InvalidSignatureException", 403, message)
            .with_query_code("SignatureDoesNotMatch"))
    }
}

/// Whether a request was refused because it has no signature.
pub fn is_missing(error: &WireError) -> bool {
    error.name() == MISSING
}

fn missing() -> WireError {
    WireError::new(MISSING, 403, "Missing Authentication Token")
        .with_query_code("MissingAuthenticationToken")
}
