//! Deliveries a second to a server that does nothing; a living endpoint beside dead ones; and what
//! a retry table costs.
//!
//! `cargo bench -p trunkline-delivery`. The server runs in this process, so a figure is of both.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trunkline_delivery::{
    Attempt, Client, ClientOptions, Endpoint, Failed, HttpPolicy, Outcome, Retry, RetryTable,
};

const BODY: &[u8] = &[b'x'; 1_024];
const RUNS: usize = 5;

fn main() {
    null_server();
    dead_beside_living();
    retry_tables();
}

/// Starts a server on a thread of its own; its URL.
fn serve(is_dead: bool) -> String {
    let (told, url) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            told.send(format!("http://127.0.0.1:{port}/hook")).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, is_dead));
            }
        });
    });
    url.recv().unwrap()
}

async fn connection(mut stream: TcpStream, is_dead: bool) {
    let (mut bytes, mut held) = (vec![0; 65_536], 0);
    let _ = stream.set_nodelay(true);
    while let Ok(read) = stream.read(&mut bytes[held..]).await {
        held += read;
        if read == 0 {
            return;
        }
        // A request is its head and a body of one size.
        let Some(head) = bytes[..held].windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        if held < head + 4 + BODY.len() || is_dead {
            held %= 65_536;
            continue;
        }
        held = 0;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn attempt(endpoint: &Endpoint) -> Attempt {
    Attempt {
        response_bytes_max: None,
        endpoint: endpoint.clone(),
        method: Method::POST,
        headers: HeaderMap::new(),
        body: Bytes::from_static(BODY),
        timeout: Duration::from_secs(1),
    }
}

/// Keeps as many attempts running as there are slots, until `count` have ended; how long each took.
fn deliver(client: &Arc<Client>, url: &str, count: usize) -> Vec<Duration> {
    let endpoint = Endpoint::parse(url).unwrap();
    let (told, ended): (Sender<Duration>, Receiver<Duration>) = channel();
    let (mut begun, mut times) = (0, Vec::with_capacity(count));
    while times.len() < count {
        while begun < count {
            let Ok(slot) = client.slot(&endpoint) else { break };
            let (told, start) = (told.clone(), Instant::now());
            client.send(slot, attempt(&endpoint), move |outcome| {
                assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
                let _ = told.send(start.elapsed());
            });
            begun += 1;
        }
        times.push(ended.recv().unwrap());
        times.extend(ended.try_iter());
    }
    times.sort_unstable();
    times
}

fn client(per_host: u32) -> Arc<Client> {
    let options = ClientOptions { attempts_per_host_max: per_host, ..ClientOptions::default() };
    Arc::new(Client::new(options).unwrap())
}

fn null_server() {
    for per_host in [1, 8, 64] {
        let (client, url) = (client(per_host), serve(false));
        deliver(&client, &url, 1_000);
        let count = if per_host == 1 { 5_000 } else { 20_000 };
        let mut rates: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                deliver(&client, &url, count);
                count as f64 / start.elapsed().as_secs_f64()
            })
            .collect();
        rates.sort_by(f64::total_cmp);
        println!("null server, {per_host:>2} at once: {:>8.0} deliveries/s", rates[RUNS / 2]);
    }
}

/// Takes every slot that dead endpoints may have, again and again.
fn load_with_dead(client: &Arc<Client>, urls: &[String]) -> Arc<std::sync::atomic::AtomicBool> {
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    for url in urls {
        let (client, endpoint) = (client.clone(), Endpoint::parse(url).unwrap());
        let stop = stop.clone();
        std::thread::spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                match client.slot(&endpoint) {
                    Ok(slot) => client.send(slot, attempt(&endpoint), |_| {}),
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
    }
    stop
}

fn dead_beside_living() {
    let (client, living) = (client(8), serve(false));
    let dead: Vec<String> = (0..4).map(|_| serve(true)).collect();
    deliver(&client, &living, 2_000);
    let share = |times: &[Duration], percent: usize| times[times.len() * percent / 100];
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    // Interleaved, so that both see the same machine.
    for _ in 0..RUNS {
        alone.extend(deliver(&client, &living, 4_000));
        let stop = load_with_dead(&client, &dead);
        std::thread::sleep(Duration::from_millis(200));
        beside.extend(deliver(&client, &living, 4_000));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(1_200));
    }
    alone.sort_unstable();
    beside.sort_unstable();
    for percent in [50, 99] {
        let (alone, beside) = (share(&alone, percent), share(&beside, percent));
        println!(
            "living endpoint, p{percent}: {alone:>9.1?} alone, {beside:>9.1?} beside 4 dead ones, \
             {:.2}x",
            beside.as_secs_f64() / alone.as_secs_f64()
        );
    }
}

fn retry_tables() {
    let policy = HttpPolicy { num_retries: 50, max_delay_target: 60, ..HttpPolicy::default() };
    for (name, table) in [
        ("sns-managed", RetryTable::sns_managed()),
        ("event-bridge", RetryTable::event_bridge()),
        ("policy", policy.table().unwrap()),
    ] {
        let start = Instant::now();
        let (mut planned, count) = (0u64, 2_000_000u32);
        for number in 0..count {
            let failed =
                Failed { attempts: number % 60 + 1, first_at: 0, now: 1, retry_after: None };
            planned += u64::from(matches!(
                table.next(black_box(&failed), u64::from(number)),
                Retry::At(_)
            ));
        }
        let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(count);
        println!("retry table {name:<12}: {each:>6.1} ns a decision ({planned} planned)");
    }
}
