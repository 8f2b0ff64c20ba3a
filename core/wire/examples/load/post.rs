//! A request that is written down in a file, posted again and again: what the service and its
//! protocol are is the file's affair.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Barrier;

use crate::Result;
use crate::client::Connection;
use crate::work::print_rate;

/// Stands for the number of a message, which has as many digits.
const PLACEHOLDER: &[u8] = b"@@@@@@@@";

/// What is posted.
pub struct Post {
    /// The whole request, head included, with a placeholder for the number of each message.
    pub request: Vec<u8>,
    /// What an answer contains once for each message that was accepted; empty to look at none.
    pub accepted: String,
    pub connections: usize,
    pub duration: Duration,
    /// Ends the measurement before its time.
    pub messages: Option<u64>,
    /// How many messages an answer has, of a request without placeholders: it reads.
    pub each: Option<u64>,
}

/// Posts for as long as it shall and prints how many messages were accepted in what time. Numbers
/// are given out from 0 on without gaps.
pub async fn measure(address: &str, post: Post) -> Result<()> {
    let places: Vec<usize> = memchr::memmem::find_iter(&post.request, PLACEHOLDER).collect();
    if places.is_empty() == post.each.is_none() {
        return Err("only a request that puts has placeholders for the numbers of messages".into());
    }
    let (connections, post) = (post.connections, Arc::new((post, places)));
    let next = Arc::new(AtomicU64::new(0));
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address).await?;
        let (post, next, ready) = (post.clone(), next.clone(), ready.clone());
        tasks.push(tokio::spawn(async move {
            ready.wait().await;
            run(&mut connection, &post.0, &post.1, &next).await
        }));
    }
    ready.wait().await;
    let started = Instant::now();
    for task in tasks {
        task.await??;
    }
    print_rate(next.load(Ordering::Relaxed), started.elapsed());
    Ok(())
}

async fn run(
    connection: &mut Connection,
    post: &Post,
    places: &[usize],
    next: &AtomicU64,
) -> Result<()> {
    let mut request = post.request.clone();
    let each = post.each.unwrap_or(places.len() as u64);
    let end = Instant::now() + post.duration;
    let most = post.messages.unwrap_or(u64::MAX);
    while Instant::now() < end {
        let take = |next: u64| Some(next + each).filter(|after| *after <= most);
        let Ok(first) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) else {
            break;
        };
        for (place, number) in places.iter().zip(first..) {
            let digits = format!("{number:08}");
            request[*place..*place + PLACEHOLDER.len()].copy_from_slice(digits.as_bytes());
        }
        let answer = connection.call(&request).await?;
        let accepted = memchr::memmem::find_iter(answer, post.accepted.as_bytes()).count();
        if !post.accepted.is_empty() && accepted as u64 != each {
            return Err(String::from_utf8_lossy(answer).into_owned().into());
        }
    }
    Ok(())
}
