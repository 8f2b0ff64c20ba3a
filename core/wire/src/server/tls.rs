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

pub(super) fn acceptor(certificate: &Certificate) -> std::io::Result<TlsAcceptor> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(invalid)?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).map_err(invalid)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(invalid)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("The certificate cannot be used: {why}"))
}
