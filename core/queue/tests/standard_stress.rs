//! Threads that send, receive, delete, release, let expire, look at and abandon, for two seconds;
//! afterwards every message was deleted exactly once, and none was in two hands at a time.
#![cfg(not(loom))]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use trunkline_queue::{BodyRef, Counts, Extend, Fire, NewBody, SlotRef, StandardLog, Visibility};

const NOW: u64 = 1_900_000_000_000;
const DUE: u64 = NOW + 1;
const MESSAGES: usize = if cfg!(miri) { 120 } else { 16_000_000 };
const TIME: Duration = Duration::from_secs(2);
/// So many messages may wait: the pages are reused all the time.
const DEPTH: u32 = if cfg!(miri) { 20 } else { 3_000 };

/// One byte for each message.
struct Ledger {
    in_hand: Vec<AtomicU8>,
    deleted: Vec<AtomicU8>,
    sent: AtomicU64,
    stop: AtomicBool,
    senders: AtomicU64,
    /// Leases that only the timer ends, and places of old receipts, which any thread may use.
    expiring: Mutex<Vec<(SlotRef, usize)>>,
    old: Mutex<Vec<(SlotRef, usize)>>,
}

impl Ledger {
    fn new() -> Self {
        let bytes = || (0..MESSAGES).map(|_| AtomicU8::new(0)).collect();
        Self {
            in_hand: bytes(),
            deleted: bytes(),
            sent: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            senders: AtomicU64::new(2),
            expiring: Mutex::default(),
            old: Mutex::default(),
        }
    }

    /// Nothing will be sent any more, and nothing is left.
    fn is_over(&self, log: &StandardLog) -> bool {
        self.senders.load(Ordering::Acquire) == 0 && log.counts() == Counts::default()
    }

    fn take(&self, id: usize) {
        assert_eq!(self.in_hand[id].swap(1, Ordering::AcqRel), 0, "message {id} has two owners");
    }

    fn let_go(&self, id: usize) {
        assert_eq!(self.in_hand[id].swap(0, Ordering::AcqRel), 1);
    }

    fn note_deleted(&self, id: usize) {
        assert_eq!(self.deleted[id].swap(1, Ordering::AcqRel), 0, "message {id} deleted twice");
    }

    fn is_deleted(&self, id: usize) -> bool {
        self.deleted[id].load(Ordering::Acquire) != 0
    }
}

/// A small generator, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn body(id: usize) -> Vec<u8> {
    // Long enough that torn or foreign bodies show, sometimes too large for a page.
    let len = 8 + id % 90 + if id.is_multiple_of(997) { 70_000 } else { 0 };
    let mut bytes = vec![id as u8; len];
    bytes[..8].copy_from_slice(&(id as u64).to_le_bytes());
    bytes
}

fn read(bytes: BodyRef<'_>) -> usize {
    let BodyRef::Bytes(bytes) = bytes else { panic!("bodies are sent inline") };
    let id = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    assert!(bytes == body(id), "the body of message {id} is torn");
    id
}

fn send_all(log: &StandardLog, ledger: &Ledger, seed: u64) {
    let mut dice = Dice(seed);
    while !ledger.stop.load(Ordering::Relaxed) {
        if log.counts().visible > DEPTH {
            std::thread::yield_now();
            continue;
        }
        let id = ledger.sent.fetch_add(1, Ordering::Relaxed) as usize;
        if id >= MESSAGES {
            ledger.sent.fetch_sub(1, Ordering::Relaxed);
            ledger.stop.store(true, Ordering::Relaxed);
            return;
        }
        let bytes = body(id);
        if dice.roll(50) == 0 {
            drop(log.reserve(bytes.len(), true));
        }
        let reserved = log.reserve(bytes.len(), true);
        if dice.roll(2_000) == 0 {
            // Asleep with a place in hand: receivers have to step over it.
            std::thread::sleep(Duration::from_micros(200));
        }
        if dice.roll(20) == 0 {
            let body = NewBody::Inline(&[&bytes]);
            let place = reserved.publish(NOW, 0, body, Visibility::Delayed(DUE));
            assert_eq!(log.fire(place.slot, DUE), Fire::BecameVisible(place));
        } else {
            reserved.publish(NOW, 0, NewBody::Inline(&[&bytes]), Visibility::Ready);
        }
    }
}

fn receive_all(log: &StandardLog, ledger: &Ledger, seed: u64) {
    let mut dice = Dice(seed);
    loop {
        let Some(claimed) = log.claim() else {
            if ledger.is_over(log) {
                return;
            }
            std::thread::yield_now();
            continue;
        };
        let (id, place, deliveries) = (read(claimed.body()), claimed.place(), claimed.deliveries());
        if dice.roll(10) == 0 {
            claimed.put_back();
            continue;
        }
        ledger.take(id);
        if claimed.lease(DUE, NOW).is_err() {
            assert!(ledger.is_deleted(id) || deliveries > 0, "only an old receipt can delete it");
            ledger.let_go(id);
            continue;
        }
        ledger.let_go_somehow(log, &mut dice, (id, place));
        let old = ledger.old.lock().expect("no panic").pop();
        if let Some((place, id)) = old
            && log.delete(place)
        {
            ledger.note_deleted(id);
        }
    }
}

impl Ledger {
    fn let_go_somehow(&self, log: &StandardLog, dice: &mut Dice, (id, place): (usize, SlotRef)) {
        match dice.roll(10) {
            0 => {
                self.let_go(id);
                // An old receipt may have deleted the message meanwhile.
                let ended = log.extend(place, NOW, NOW);
                assert!(matches!(ended, Extend::Visible | Extend::Gone), "{ended:?}");
                self.old.lock().expect("no panic").push((place, id));
            }
            1 => {
                self.let_go(id);
                self.expiring.lock().expect("no panic").push((place, id));
            }
            2 => {
                let kept = log.extend(place, DUE, NOW);
                assert!(matches!(kept, Extend::Changed | Extend::Gone), "{kept:?}");
                self.finish(log, id, place);
            }
            _ => self.finish(log, id, place),
        }
    }

    fn finish(&self, log: &StandardLog, id: usize, place: SlotRef) {
        self.let_go(id);
        if log.delete(place) {
            self.note_deleted(id);
        }
    }
}

/// Ends abandoned leases, and looks at messages in place.
fn keep_time(log: &StandardLog, ledger: &Ledger) {
    while !ledger.is_over(log) {
        let expired = std::mem::take(&mut *ledger.expiring.lock().expect("no panic"));
        for (place, _) in expired {
            let fired = log.fire(place.slot, DUE);
            assert!(!matches!(fired, Fire::Later(at) if at == DUE), "{fired:?}");
            // Owned by a deleter's or another's look at this moment: the entry would fire again.
            if matches!(fired, Fire::Later(_)) {
                ledger.expiring.lock().expect("no panic").push((place, 0));
            }
        }
        let mut looks = 0;
        log.scan(|info| {
            if let Some(claimed) = log.claim_at(info.place) {
                read(claimed.body());
            }
            looks += 1;
            looks < 50
        });
        std::thread::yield_now();
    }
}

#[test]
fn no_message_is_lost_doubled_or_torn_under_threads() {
    let (log, ledger) = (StandardLog::new(1), Ledger::new());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for seed in 1..=2 {
            let (log, ledger) = (&log, &ledger);
            scope.spawn(move || {
                send_all(log, ledger, seed * 0x9e37_79b9);
                ledger.senders.fetch_sub(1, Ordering::AcqRel);
            });
            scope.spawn(move || receive_all(log, ledger, seed * 0x7f4a_7c15));
        }
        scope.spawn(|| receive_all(&log, &ledger, 77));
        scope.spawn(|| keep_time(&log, &ledger));
        while !ledger.stop.load(Ordering::Relaxed) && start.elapsed() < TIME {
            std::thread::sleep(Duration::from_millis(1));
        }
        ledger.stop.store(true, Ordering::Relaxed);
    });
    let sent = ledger.sent.load(Ordering::Relaxed) as usize;
    for (id, deleted) in ledger.deleted[..sent].iter().enumerate() {
        assert_eq!(deleted.load(Ordering::Relaxed), 1, "message {id} of {sent} was lost");
    }
    assert!(log.claim().is_none());
    let mut left = 0;
    log.scan(|_| {
        left += 1;
        true
    });
    assert_eq!(left, 0);
    // Abandoned leases hold pages for as long as the timer's thread is not scheduled; without reuse
    // it would be about 300 bytes for each message that was ever sent.
    let most = 128 * 1_024 * 1_024;
    assert!(log.memory() < most, "{} bytes for a queue of {DEPTH}", log.memory());
    println!("{sent} messages in {:?}, {} bytes", start.elapsed(), log.memory());
}
