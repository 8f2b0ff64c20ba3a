//! Checkpoints that are written while threads change everything that they hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trunkline_engine::{
    DeadLetter, Engine, Outgoing, Queue, QueueConfig, Receive, fifo_queue, queue_name,
    standard_queue,
};

use crate::{checkpoint_of, compare, copy, on_disk};

/// What each thread does at least, and at most.
const TURNS: std::ops::Range<u64> = 40..600;
const CHECKPOINTS: usize = 8;

/// Sends, receives, extends and deletes until it is told to stop; some messages are received so
/// often that they change queues.
fn work(queue: &Queue, group: Option<&str>, turn: u64, next: &AtomicU64) {
    let number = next.fetch_add(1, Ordering::Relaxed);
    let (body, id) = (format!("{number:0100}"), format!("id{}", number / 2));
    let dedup_id = (queue.name().name.ends_with(".fifo")).then_some(id.as_str());
    let delay = (dedup_id.is_none() && number.is_multiple_of(11)).then_some(60_000);
    let message = Outgoing { body: body.as_bytes(), group, dedup_id, delay, ..Outgoing::default() };
    queue.send(&message).unwrap();
    let mut receipts = Vec::new();
    let visibility = [Some(0), Some(0), None][(turn % 3) as usize];
    let request = Receive { max: 2, visibility, ..Receive::default() };
    queue.try_receive(&request, |message| receipts.push(message.receipt)).unwrap();
    for receipt in receipts.iter().filter(|_| visibility.is_none()) {
        match turn % 5 {
            0 => drop(queue.extend(receipt, 90_000)),
            1 => {}
            _ => drop(queue.delete(receipt)),
        }
    }
}

fn create(engine: &Engine, name: &str, config: QueueConfig) -> Arc<Queue> {
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

#[test]
fn a_checkpoint_of_a_busy_engine_shows_what_a_whole_replay_shows() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path());
    let dead = create(&engine, "dead", standard_queue());
    let dead_fifo = create(&engine, "dead.fifo", fifo_queue());
    let after = |queue: &Queue| Some(DeadLetter { queue: queue.id(), max_receive_count: 3 });
    let plain = QueueConfig { dead_letter: after(&dead), ..standard_queue() };
    let fifo = QueueConfig { dead_letter: after(&dead_fifo), ..fifo_queue() };
    let queues = [
        (create(&engine, "plain", plain), None),
        (create(&engine, "tenants", standard_queue()), Some("tenant")),
        (create(&engine, "orders.fifo", fifo), Some("group")),
    ];
    let (stop, next) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for (queue, group) in &queues {
            let (engine, stop, next) = (&engine, &stop, &next);
            scope.spawn(move || {
                for turn in 0..TURNS.end {
                    if turn > TURNS.start && stop.load(Ordering::Relaxed) {
                        return;
                    }
                    work(queue, *group, turn, next);
                    let key = format!("work/{}", turn % 7);
                    let value = turn.to_le_bytes();
                    engine.put_document(&key, (turn % 3 > 0).then_some(&value[..])).unwrap();
                    if turn.is_multiple_of(100) {
                        let name = format!("{}-{turn}", queue.name().name);
                        create(engine, &name.replace(".fifo", ""), standard_queue());
                    }
                    if turn.is_multiple_of(150) {
                        queue.purge().unwrap();
                    }
                }
            });
        }
        for _ in 0..CHECKPOINTS {
            assert!(engine.host().checkpoint().unwrap());
            engine.compact_oldest().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    engine.flush().unwrap();
    // A crash: the folder as it is, under a checkpoint in whose middle all of them were at work.
    let (crashed, whole) = (copy(folder.path()), copy(folder.path()));
    std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
    assert!(next.load(Ordering::Relaxed) > 100);
    compare(crashed.path(), whole.path(), "threads");
}
