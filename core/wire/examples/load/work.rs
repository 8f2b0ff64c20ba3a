//! What the connections do, and how it is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Barrier;

use crate::Result;
use crate::client::{Connection, request};

const BODY_BYTES: usize = 1_024;
const ACCOUNT_URL: &str = "http://localhost/000000000000/bench";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Send,
    Batch,
    Drain,
    Polls,
}

impl Mode {
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "send" => Self::Send,
            "batch" => Self::Batch,
            "drain" => Self::Drain,
            "polls" => Self::Polls,
            _ => return Err("the mode is send, batch, drain or polls".into()),
        })
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub mode: Mode,
    pub connections: usize,
    pub duration: Duration,
    /// Ends the measurement before its time.
    pub messages: Option<u64>,
}

struct Requests {
    url: String,
    send: Vec<u8>,
    batch: Vec<u8>,
    receive: Vec<u8>,
    poll: Vec<u8>,
}

impl Requests {
    fn new(url: String) -> Self {
        let body = "x".repeat(BODY_BYTES);
        let entries: Vec<String> =
            (0..10).map(|id| format!("{{\"Id\":\"{id}\",\"MessageBody\":\"{body}\"}}")).collect();
        let entries = entries.join(",");
        let of = |operation, rest: &str| {
            request(operation, &format!("{{\"QueueUrl\":\"{url}\",{rest}}}"))
        };
        Self {
            send: of("SendMessage", &format!("\"MessageBody\":\"{body}\"")),
            batch: of("SendMessageBatch", &format!("\"Entries\":[{entries}]")),
            receive: of("ReceiveMessage", "\"MaxNumberOfMessages\":10"),
            poll: of("ReceiveMessage", "\"WaitTimeSeconds\":20"),
            url,
        }
    }
}

/// Carries out `plan` and prints what was done in what time.
pub async fn measure(address: &str, plan: Plan) -> Result<()> {
    let requests = Arc::new(Requests::new(queue(address).await?));
    let messages = Arc::new(AtomicU64::new(0));
    // All are connected before the clock starts.
    let ready = Arc::new(Barrier::new(plan.connections + 1));
    let mut tasks = Vec::new();
    for _ in 0..plan.connections {
        let mut connection = Connection::open(address).await?;
        let (requests, messages, ready) = (requests.clone(), messages.clone(), ready.clone());
        tasks.push(tokio::spawn(async move {
            ready.wait().await;
            run(&mut connection, plan, &requests, &messages).await
        }));
    }
    ready.wait().await;
    let started = Instant::now();
    for task in tasks {
        task.await??;
    }
    print_rate(messages.load(Ordering::Relaxed), started.elapsed());
    Ok(())
}

/// Prints what was done in what time.
pub fn print_rate(messages: u64, took: Duration) {
    let seconds = took.as_secs_f64();
    let rate = messages as f64 / seconds;
    println!("{{\"messages\": {messages}, \"seconds\": {seconds:.4}, \"rate\": {rate:.1}}}");
}

// A server without a control plane, and the null echo, have the queue under a known address.
async fn queue(address: &str) -> Result<String> {
    let mut connection = Connection::open(address).await?;
    let create = request("CreateQueue", "{\"QueueName\":\"bench\"}");
    let Ok(answer) = connection.call(&create).await else { return Ok(ACCOUNT_URL.to_owned()) };
    Ok(texts(answer, b"\"QueueUrl\"").next().map_or_else(|| ACCOUNT_URL.to_owned(), str::to_owned))
}

/// The texts that follow `key` in JSON that escapes nothing.
fn texts<'a>(json: &'a [u8], key: &'static [u8]) -> impl Iterator<Item = &'a str> {
    memchr::memmem::find_iter(json, key).filter_map(move |place| {
        let rest = &json[place + key.len()..];
        let start = memchr::memchr(b'"', rest)? + 1;
        let end = start + memchr::memchr(b'"', &rest[start..])?;
        std::str::from_utf8(&rest[start..end]).ok()
    })
}

async fn run(
    connection: &mut Connection,
    plan: Plan,
    requests: &Requests,
    messages: &AtomicU64,
) -> Result<()> {
    let end = Instant::now() + plan.duration;
    let most = plan.messages.unwrap_or(u64::MAX);
    while Instant::now() < end && messages.load(Ordering::Relaxed) < most {
        let done = match plan.mode {
            Mode::Send => connection.call(&requests.send).await.map(|_| 1)?,
            Mode::Batch => connection.call(&requests.batch).await.map(|_| 10)?,
            Mode::Polls => {
                let poll = connection.call(&requests.poll);
                match tokio::time::timeout_at(end.into(), poll).await {
                    Ok(answer) => answer.map(|_| 1)?,
                    Err(_) => break,
                }
            }
            Mode::Drain => match take(connection, requests).await? {
                0 => break,
                taken => taken,
            },
        };
        messages.fetch_add(done, Ordering::Relaxed);
    }
    Ok(())
}

async fn take(connection: &mut Connection, requests: &Requests) -> Result<u64> {
    let answer = connection.call(&requests.receive).await?;
    let mut body = format!("{{\"QueueUrl\":\"{}\",\"Entries\":[", requests.url);
    let mut count = 0;
    for receipt in texts(answer, b"\"ReceiptHandle\"") {
        let comma = if count == 0 { "" } else { "," };
        let id = count.to_string();
        for part in [comma, "{\"Id\":\"", &id, "\",\"ReceiptHandle\":\"", receipt, "\"}"] {
            body.push_str(part);
        }
        count += 1;
    }
    if count > 0 {
        body.push_str("]}");
        connection.call(&request("DeleteMessageBatch", &body)).await?;
    }
    Ok(count)
}
