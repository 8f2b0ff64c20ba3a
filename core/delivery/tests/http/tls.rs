//! Encrypted endpoints.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trunkline_delivery::{Failure, Outcome};

use super::server::{OK, client, client_with, send};

/// Serves TLS under a certificate for `name`; its port and the certificate as PEM.
fn start(name: &str) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (told, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap().port()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut bytes = [0; 4_096];
                    while matches!(stream.read(&mut bytes).await, Ok(read) if read > 0) {
                        if stream.write_all(OK.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
    });
    (port.recv().unwrap(), made.cert.pem())
}

#[test]
fn a_trusted_certificate_of_the_right_name_is_delivered_to() {
    let (port, pem) = start("localhost");
    let client = client_with(|options| options.trusted_pem = Some(pem));
    let outcome = send(&client, &format!("https://localhost:{port}/hook"));
    assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
}

#[test]
fn strangers_and_wrong_names_are_not() {
    let (port, pem) = start("other.example");
    let stranger = send(&client(), &format!("https://localhost:{port}/hook"));
    let trusting = client_with(|options| options.trusted_pem = Some(pem));
    let misnamed = send(&trusting, &format!("https://localhost:{port}/hook"));
    for outcome in [stranger, misnamed] {
        assert!(
            matches!(outcome, Outcome::Transient { why: Failure::Connection(_), .. }),
            "{outcome:?}"
        );
    }
}
