//! The null echo: reads a request as a whole and answers with a fixed body. What hyper and the
//! sockets cost, and nothing else.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Result;

pub async fn serve(port: u16, bytes: usize) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    // JSON, so that SDKs can be pointed at it too.
    let padding = "x".repeat(bytes.saturating_sub("{\"x\":\"\"}".len()));
    let answer = Bytes::from(format!("{{\"x\":\"{padding}\"}}"));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    // The body is read, as every real server has to.
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(answer)))
                }
            });
            let serving = hyper::server::conn::http1::Builder::new();
            // A client that leaves is the end of its connection and no more.
            let _ = serving.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
