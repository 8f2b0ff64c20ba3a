//! TLS of outgoing connections: which certificates are trusted.

use std::io::ErrorKind as IoErrorKind;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{Error as NativeError, ErrorKind as NativeErrorKind};
use trunkline_types::sync::{Mutex, lock};

/// Builds the configuration at the first encrypted connection: reading the system's certificates
/// takes milliseconds.
pub(super) struct Trust {
    /// Certificates that are trusted beside the system's, as PEM.
    extra: Option<String>,
    /// Kept once it is complete. What failed is tried again at the next connection: a process may
    /// be short of descriptors for a moment.
    config: Mutex<Option<Arc<ClientConfig>>>,
}

/// A configuration, and whether all certificates that can be read are in it.
struct Built {
    config: Arc<ClientConfig>,
    is_complete: bool,
}

impl Trust {
    pub fn new(extra: Option<String>) -> Self {
        Self { extra, config: Mutex::new(None) }
    }

    pub fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config_or(|| build(self.extra.as_deref()))
    }

    fn config_or(
        &self,
        build: impl FnOnce() -> Result<Built, String>,
    ) -> Result<Arc<ClientConfig>, String> {
        // Held while certificates are read, so that one thread reads them.
        let mut kept = lock(&self.config);
        if let Some(config) = &*kept {
            return Ok(config.clone());
        }
        let Built { config, is_complete } = build()?;
        if is_complete {
            *kept = Some(config.clone());
        }
        Ok(config)
    }
}

/// Whether a certificate that could not be read may be readable in a moment. One that is absent,
/// forbidden or malformed stays so.
fn may_pass(error: &NativeError) -> bool {
    use IoErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    let NativeErrorKind::Io { inner, .. } = &error.kind else { return false };
    let stays = [InvalidData, IsADirectory, NotADirectory, NotFound, PermissionDenied];
    !stays.contains(&inner.kind())
}

fn build(extra: Option<&str>) -> Result<Built, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let is_complete = !found.errors.iter().any(may_pass);
    // Stores often hold a few certificates that cannot be read; the others are used.
    roots.add_parsable_certificates(found.certs);
    if let Some(pem) = extra {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate =
                certificate.map_err(|error| format!("trusted certificates: {error}"))?;
            roots.add(certificate).map_err(|error| format!("trusted certificates: {error}"))?;
        }
    }
    if roots.is_empty() {
        return Err("the system has no trusted certificates; install its CA bundle, or set \
                    SSL_CERT_FILE"
            .to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Built { config: Arc::new(config), is_complete })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;

    use super::*;

    fn built(is_complete: bool) -> Result<Built, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Ok(Built { config: Arc::new(config), is_complete })
    }

    #[test]
    fn a_failure_is_tried_again_and_only_a_complete_configuration_is_kept() {
        let trust = Trust::new(None);
        let refuse = || Err("too many open files".to_owned());
        assert!(trust.config_or(refuse).is_err());
        let partial = trust.config_or(|| built(false)).unwrap();
        assert!(trust.config_or(refuse).is_err(), "what is incomplete is not kept");
        let complete = trust.config_or(|| built(true)).unwrap();
        assert!(!Arc::ptr_eq(&partial, &complete));
        assert!(Arc::ptr_eq(&trust.config_or(refuse).unwrap(), &complete));
    }

    #[test]
    fn a_lack_of_descriptors_may_pass_and_an_absent_file_stays_absent() {
        let error = |inner: io::Error| NativeError {
            context: "failed to open file",
            kind: NativeErrorKind::Io { inner, path: "roots.pem".into() },
        };
        // EMFILE.
        assert!(may_pass(&error(io::Error::from_raw_os_error(24))));
        assert!(!may_pass(&error(io::Error::from(IoErrorKind::NotFound))));
        assert!(!may_pass(&error(io::Error::from(IoErrorKind::PermissionDenied))));
    }
}
