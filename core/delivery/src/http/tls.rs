//! TLS of outgoing connections: which certificates are trusted.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Builds the configuration at the first encrypted connection: reading the system's certificates
/// takes milliseconds.
pub(super) struct Trust {
    /// Certificates that are trusted beside the system's, as PEM.
    extra: Option<String>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Trust {
    pub fn new(extra: Option<String>) -> Self {
        Self { extra, config: OnceLock::new() }
    }

    pub fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| build(self.extra.as_deref())).clone()
    }
}

fn build(extra: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    // Stores often hold a few certificates that cannot be read; the others are used.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
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
    Ok(Arc::new(config))
}
