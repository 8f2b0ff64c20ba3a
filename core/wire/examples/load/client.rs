//! One connection that writes prepared requests and looks for little more than the end of an
//! answer, so that as little as possible of what is measured is its own.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

const BUFFER_BYTES: usize = 64 * 1024;

/// A request of SQS's JSON protocol, ready to be written.
pub fn request(operation: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: AmazonSQS.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/\
         20260101/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n\
         X-Amz-Date: 20260101T000000Z\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection, opened again when the server closes it (some peers do so after each answer).
pub struct Connection {
    address: String,
    stream: TcpStream,
    buffer: Vec<u8>,
    is_closing: bool,
}

impl Connection {
    pub async fn open(address: &str) -> Result<Self> {
        let stream = connect(address).await?;
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Self { address: address.to_owned(), stream, buffer, is_closing: false })
    }

    /// Sends `request`; the body of its answer, which must be a success.
    pub async fn call(&mut self, request: &[u8]) -> Result<&[u8]> {
        if self.is_closing {
            self.stream = connect(&self.address).await?;
        }
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let mut head = None;
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
            if head.is_none() {
                head = Head::find(read);
            }
            let Some(head) = &head else { continue };
            if head.is_whole(read) {
                if !head.is_success {
                    return Err(String::from_utf8_lossy(read).into_owned().into());
                }
                self.is_closing = head.is_closing;
                return Ok(&self.buffer[head.bytes..filled]);
            }
        }
    }
}

async fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

struct Head {
    bytes: usize,
    /// `None` for an answer in chunks.
    length: Option<usize>,
    is_success: bool,
    is_closing: bool,
}

impl Head {
    fn find(read: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(read, b"\r\n\r\n")?;
        let text = std::str::from_utf8(&read[..end]).ok()?;
        let header = |wanted: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let is_old = text.starts_with("HTTP/1.0");
        Some(Self {
            bytes: end + 4,
            length: header("content-length").and_then(|length| length.parse().ok()),
            is_success: text.get(9..12) == Some("200"),
            is_closing: header("connection").map_or(is_old, |c| c.eq_ignore_ascii_case("close")),
        })
    }

    fn is_whole(&self, read: &[u8]) -> bool {
        match self.length {
            Some(length) => read.len() >= self.bytes + length,
            None => read.ends_with(b"0\r\n\r\n"),
        }
    }
}
