//! Deliveries a second through the outbox: accepted, leased, sent to a server that does nothing,
//! deleted. And the time until a living endpoint has its delivery while dead ones have a backlog.
//!
//! `cargo bench -p trunkline-engine --bench outbox`. The server runs in this process.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{
    DestinationConfig, Durability, Engine, OpenOptions, Outgoing, ResourceId, Target, Transport,
};

const BODY: &[u8] = &[b'x'; 1_024];
const RUNS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Engine::open(OpenOptions::memory()).unwrap();
    throughput("memory", &memory);
    dead_beside_living(&memory);
    let at = OpenOptions::at(folder.path());
    throughput(
        "disk, level os",
        &Engine::open(OpenOptions { durability: Durability::Os, ..at }).unwrap(),
    );
}

/// A server whose connections each have a thread; a dead one never answers.
fn serve(is_dead: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || connection(stream, is_dead));
        }
    });
    url
}

fn connection(mut stream: TcpStream, is_dead: bool) {
    let (mut bytes, mut held) = (vec![0; 65_536], 0);
    stream.set_nodelay(true).unwrap();
    while let Ok(read @ 1..) = stream.read(&mut bytes[held..]) {
        held += read;
        let head = bytes[..held].windows(4).position(|end| end == b"\r\n\r\n");
        if is_dead || head.is_none_or(|head| held < head + 4 + BODY.len()) {
            continue;
        }
        held = 0;
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

fn destination(engine: &Engine, name: &str, url: &str, concurrency: u32) -> ResourceId {
    let config = DestinationConfig {
        transport: Transport::Http {
            url: url.to_owned(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            timeout: 2_000,
        },
        retry: RetryTable::sns_http(),
        dead_letter: None,
        concurrency,
        renderer: None,
        http: Default::default(),
    };
    engine.create_destination(name, &config).unwrap()
}

fn deliver(engine: &Engine, id: ResourceId) {
    engine.deliver(Target::Outbox(id), &Outgoing { body: BODY, ..Outgoing::default() }).unwrap();
}

fn wait_for(engine: &Engine, id: ResourceId, delivered: u64) {
    while engine.outbox().statistics(id).unwrap().delivered < delivered {
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn throughput(name: &str, engine: &Arc<Engine>) {
    let url = serve(false);
    let id = destination(engine, "hook", &url, 16);
    let (count, mut done) = (10_000, 0);
    let mut rates: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..count).for_each(|_| deliver(engine, id));
            done += count;
            wait_for(engine, id, done);
            count as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("outbox to a null server, {name}: {:.0} deliveries/s", rates[RUNS / 2]);
}

fn dead_beside_living(engine: &Arc<Engine>) {
    let id = destination(engine, "living", &serve(false), 16);
    let mut done = 0;
    let mut latency = |label: &str| {
        let mut times: Vec<Duration> = (0..2_000)
            .map(|_| {
                let start = Instant::now();
                deliver(engine, id);
                done += 1;
                while engine.outbox().statistics(id).unwrap().delivered < done {
                    std::thread::yield_now();
                }
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("living endpoint {label}: p50 {:.1?}, p99 {:.1?}", times[1_000], times[1_980]);
    };
    latency("alone");
    for number in 0..4 {
        let dead = destination(engine, &format!("dead-{number}"), &serve(true), 16);
        (0..2_000).for_each(|_| deliver(engine, dead));
    }
    latency("beside 4 dead ones with 2,000 deliveries each");
}
