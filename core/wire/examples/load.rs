//! Load for measuring the server: a raw HTTP client, and the null echo server that figures are
//! compared with. `load echo PORT BYTES` serves; `load send|batch|cycle HOST:PORT CONNECTIONS
//! SECONDS` measures.
//!
//! The client writes a prepared request and looks only for the end of the answer, so that as little
//! as possible of what is measured is its own.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    match words[..] {
        ["echo", port, bytes] => runtime.block_on(echo(port.parse()?, bytes.parse()?)),
        [mode, address, connections, seconds] => {
            let duration = Duration::from_secs_f64(seconds.parse()?);
            let work = measure(mode.to_owned(), address.to_owned(), connections.parse()?, duration);
            runtime.block_on(work)
        }
        _ => {
            Err("load echo PORT BYTES | load send|batch|cycle HOST:PORT CONNECTIONS SECONDS".into())
        }
    }
}

async fn echo(port: u16, bytes: usize) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let answer = Bytes::from(vec![b'x'; bytes]);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
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

fn request(operation: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: AmazonSQS.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/\
         20260101/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n\
         X-Amz-Date: 20260101T000000Z\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One connection: sends a request, and returns when its answer is there as a whole.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    async fn call(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let count = self.stream.read(&mut self.buffer[filled..]).await?;
            if count == 0 {
                return Err("the server closed the connection".into());
            }
            filled += count;
            let read = &self.buffer[..filled];
            let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let length = content_length(&read[..head]).ok_or("an answer without a length")?;
            if filled >= head + 4 + length {
                if !read.starts_with(b"HTTP/1.1 200") {
                    return Err(String::from_utf8_lossy(read).into_owned().into());
                }
                return Ok(&self.buffer[head + 4..filled]);
            }
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

async fn measure(mode: String, address: String, count: usize, duration: Duration) -> Result<()> {
    let messages = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + duration;
    let mut tasks = Vec::new();
    for _ in 0..count {
        let (mode, address, messages) = (mode.clone(), address.clone(), messages.clone());
        tasks.push(tokio::spawn(async move { run(&mode, &address, end, &messages).await }));
    }
    let started = Instant::now();
    for task in tasks {
        task.await??;
    }
    let rate = messages.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    println!("{mode:8} {count:4} connections {rate:12.0} messages/s");
    Ok(())
}

async fn run(mode: &str, address: &str, end: Instant, messages: &AtomicU64) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let url = "http://localhost/000000000000/bench";
    let body = "x".repeat(1_024);
    let entries: Vec<String> =
        (0..10).map(|id| format!("{{\"Id\":\"{id}\",\"MessageBody\":\"{body}\"}}")).collect();
    let one = format!("{{\"QueueUrl\":\"{url}\",\"MessageBody\":\"{body}\"}}");
    let ten = format!("{{\"QueueUrl\":\"{url}\",\"Entries\":[{}]}}", entries.join(","));
    let (one, ten) = (request("SendMessage", &one), request("SendMessageBatch", &ten));
    let receive = format!("{{\"QueueUrl\":\"{url}\",\"MaxNumberOfMessages\":10}}");
    let receive = request("ReceiveMessage", &receive);
    while Instant::now() < end {
        let done = match mode {
            "send" => connection.call(&one).await.map(|_| 1)?,
            "batch" => connection.call(&ten).await.map(|_| 10)?,
            "cycle" => cycle(&mut connection, url, &receive, &ten).await?,
            _ => return Err("the mode is send, batch or cycle".into()),
        };
        messages.fetch_add(done, Ordering::Relaxed);
    }
    Ok(())
}

// Receives ten and deletes them; an empty queue is filled again, which is not counted.
async fn cycle(connection: &mut Connection, url: &str, receive: &[u8], ten: &[u8]) -> Result<u64> {
    let answer = String::from_utf8(connection.call(receive).await?.to_vec())?;
    let receipts: Vec<&str> = answer
        .split("\"ReceiptHandle\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    if receipts.is_empty() {
        connection.call(ten).await?;
        return Ok(0);
    }
    let entries: Vec<String> = receipts
        .iter()
        .enumerate()
        .map(|(id, receipt)| format!("{{\"Id\":\"{id}\",\"ReceiptHandle\":\"{receipt}\"}}"))
        .collect();
    let body = format!("{{\"QueueUrl\":\"{url}\",\"Entries\":[{}]}}", entries.join(","));
    connection.call(&request("DeleteMessageBatch", &body)).await?;
    Ok(receipts.len() as u64)
}
