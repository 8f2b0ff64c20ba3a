//! A backlog larger than memory: how much memory it takes, how fast it is read, how long opening
//! takes, from its checkpoint and without one.
//!
//! `cargo run --release -p trunkline-engine --example backlog -- FOLDER [MESSAGES] [BYTES]`
//! (20,000,000 messages of 1 KiB unless told otherwise: 21 GB of disk)

#![allow(clippy::unwrap_used)] // A measurement that fails should stop.

use std::time::Instant;

use trunkline_engine::{
    Durability, Engine, OpenOptions, Outgoing, Receive, queue_name, standard_queue,
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("the folder to write to");
    let mut number = |otherwise| arguments.next().map_or(otherwise, |text| text.parse().unwrap());
    let (messages, bytes): (u64, u64) = (number(20_000_000), number(1_024));
    let options = || OpenOptions { durability: Durability::Os, ..OpenOptions::at(&folder) };
    let body = vec![7_u8; usize::try_from(bytes).unwrap()];
    let batch = [Outgoing { body: &body, ..Outgoing::default() }; 1_000];
    {
        let engine = Engine::open(options()).unwrap();
        let name = queue_name("backlog");
        let queue = engine.create_queue(name, standard_queue(), b"").unwrap();
        let start = Instant::now();
        for _ in 0..messages / 1_000 {
            let ticket = queue.send_batch(&batch, |_, _| ()).unwrap().unwrap();
            engine.wait(ticket, Durability::Os).unwrap();
        }
        say("sent", messages, start);
        let start = Instant::now();
        let mut receipts = Vec::new();
        for _ in 0..1_000 {
            let request = Receive { max: 10, ..Receive::default() };
            queue.try_receive(&request, |message| receipts.push(message.receipt)).unwrap();
        }
        say("received in tens", receipts.len() as u64, start);
        for receipt in &receipts {
            queue.delete(receipt).unwrap();
        }
        engine.close().unwrap();
    }
    // Each twice, in turn: a busy machine slows both.
    for _ in 0..2 {
        reopen("opened from its checkpoint", options());
        reopen("opened without it", OpenOptions { checkpoint_bytes: None, ..options() });
    }
}

/// Opens the folder, with its checkpoint or with another name for it.
fn reopen(what: &str, options: OpenOptions) {
    let folder = options.path.clone().unwrap();
    let hidden = folder.join("hidden");
    let names = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let is_checkpoint = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_string_lossy().starts_with("checkpoint-")
    };
    let checkpoint = names().find(is_checkpoint);
    if options.checkpoint_bytes.is_none() {
        checkpoint.iter().for_each(|path| std::fs::rename(path, &hidden).unwrap());
    }
    let start = Instant::now();
    let engine = Engine::open(options).unwrap();
    let queue = engine.find_queue(&queue_name("backlog")).unwrap().unwrap();
    let visible = queue.statistics().unwrap().visible;
    say(what, visible, start);
    engine.close().unwrap();
    drop(queue);
    if hidden.exists() {
        checkpoint.iter().for_each(|path| std::fs::rename(&hidden, path).unwrap());
    }
}

fn say(what: &str, messages: u64, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) >> 10
    };
    println!(
        "{what}: {messages} messages, {seconds:.2} s; resident {} MiB, at most {} MiB",
        memory("VmRSS:"),
        memory("VmHWM:"),
    );
}
