//! The open connections: what each of them waits for, which is closed when there are too many, and
//! which has taken too long.
//!
//! A connection is in one of four states: new (no request yet: nothing, a part of a handshake or of
//! a head), idle between requests, busy with requests, or writing answers that are not read yet.
//! Each state but the busy one has a time-out here; a busy connection is bound by the time-outs of
//! its requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trunkline_types::sync::{Mutex, lock};

use crate::memory::{Memory, Share};

/// Connections beyond the bound that are taken to answer for the server's health.
const RESERVE: usize = 32;
/// The pace at which an answer has to be read at least, in bytes a second.
const READ_RATE_MIN: u64 = 32 * 1024;
/// What an answer gets while memory is short.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// How long a connection may stay in a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the first request has arrived.
    pub new: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Until an answer is read, beside what its size allows.
    pub write: Duration,
}

/// All open connections.
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    max: usize,
    patience: Patience,
    memory: Arc<Memory>,
}

/// One open connection.
pub(super) struct Connection {
    id: u64,
    /// Beyond the bound: only questions for health are answered.
    pub is_reserved: bool,
    state: Mutex<State>,
    busy: AtomicUsize,
    is_ending: AtomicBool,
    is_cut: AtomicBool,
    ending: Notify,
    /// Bytes that were read and belong to no request yet.
    unparsed: Mutex<Share>,
    memory: Arc<Memory>,
    write: Duration,
    /// The task that has taken the connection over for a WebSocket.
    socket: Mutex<Option<JoinHandle<()>>>,
}

struct State {
    /// When the connection became new or idle.
    since: Instant,
    is_new: bool,
    unread: HashMap<u64, Unread>,
    next: u64,
}

/// An answer that the caller has not read yet.
struct Unread {
    since: Instant,
    until: Instant,
}

/// How a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At once.
    Cut,
    /// Soon: what has begun gets a moment.
    Close,
    /// After what has begun: the server stops.
    Finish,
}

impl Connections {
    pub fn new(max: usize, patience: Patience, memory: Arc<Memory>) -> Self {
        let open = Mutex::new(HashMap::new());
        Self { open, next: AtomicU64::new(0), max, patience, memory }
    }

    /// Takes a connection. At the bound the one that has been idle for longest is closed for it;
    /// where all are busy, the new one may only ask for health. `None` beyond all that.
    pub fn take(self: &Arc<Self>) -> Option<Registered> {
        let mut open = lock(&self.open);
        if open.len() >= self.max + RESERVE {
            return None;
        }
        let is_reserved = open.len() >= self.max && !end_idlest(&open);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(id, is_reserved, self));
        open.insert(id, connection.clone());
        drop(open);
        Some(Registered { connections: self.clone(), connection })
    }

    /// Closes the connection that has been idle for longest: the process is out of descriptors.
    pub fn end_idlest(&self) {
        end_idlest(&lock(&self.open));
    }

    /// Ends every connection that has been in its state for too long.
    pub fn end_overdue(&self) {
        self.end_overdue_at(Instant::now());
    }

    /// The same as if it were `now`.
    pub fn end_overdue_at(&self, now: Instant) {
        let is_short = self.memory.is_short();
        for connection in lock(&self.open).values() {
            if let Some(end) = connection.overdue(now, &self.patience, is_short) {
                connection.end(end);
            }
        }
    }
}

fn end_idlest(open: &HashMap<u64, Arc<Connection>>) -> bool {
    let idle = open.values().filter_map(|one| Some((one.idle_since()?, one)));
    let oldest = idle.min_by_key(|(since, _)| *since);
    oldest.map(|(_, oldest)| oldest.end(End::Cut)).is_some()
}

#[cfg(test)]
impl Connections {
    pub fn count(&self) -> usize {
        lock(&self.open).len()
    }

    pub fn count_busy(&self) -> usize {
        lock(&self.open).values().filter(|one| one.is_busy()).count()
    }

    pub fn count_unread(&self) -> usize {
        lock(&self.open).values().map(|one| lock(&one.state).unread.len()).sum()
    }
}

/// A connection for as long as it is open.
pub(super) struct Registered {
    connections: Arc<Connections>,
    pub connection: Arc<Connection>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.connections.open).remove(&self.connection.id);
    }
}

impl Connection {
    fn new(id: u64, is_reserved: bool, connections: &Connections) -> Self {
        let (since, unread) = (Instant::now(), HashMap::new());
        let memory = connections.memory.clone();
        Self {
            id,
            is_reserved,
            state: Mutex::new(State { since, is_new: true, unread, next: 0 }),
            busy: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            ending: Notify::new(),
            unparsed: Mutex::new(Share::none(&memory)),
            memory,
            write: connections.patience.write,
            socket: Mutex::new(None),
        }
    }

    /// Notes the task that takes the connection over.
    pub fn hold(&self, socket: JoinHandle<()>) {
        *lock(&self.socket) = Some(socket);
    }

    /// The task that has taken the connection over.
    pub fn socket(&self) -> Option<JoinHandle<()>> {
        lock(&self.socket).take()
    }

    fn end(&self, end: End) {
        self.is_cut.fetch_or(end == End::Cut, Ordering::Relaxed);
        self.is_ending.store(true, Ordering::Relaxed);
        self.ending.notify_one();
    }

    /// Waits until the connection has to end.
    pub async fn ended(&self) -> End {
        self.ending.notified().await;
        if self.is_cut.load(Ordering::Relaxed) { End::Cut } else { End::Close }
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    fn idle_since(&self) -> Option<Instant> {
        if self.is_busy() || self.is_ending.load(Ordering::Relaxed) {
            return None;
        }
        let state = lock(&self.state);
        state.unread.is_empty().then_some(state.since)
    }

    fn overdue(&self, now: Instant, patience: &Patience, is_short: bool) -> Option<End> {
        let state = lock(&self.state);
        let is_late =
            |one: &Unread| now >= one.until || is_short && now >= one.since + SHORT_PATIENCE;
        if state.unread.values().any(is_late) {
            return Some(End::Cut);
        }
        if self.is_busy() || !state.unread.is_empty() || self.is_ending.load(Ordering::Relaxed) {
            return None;
        }
        let (limit, end) = match state.is_new {
            true => (patience.new, End::Cut),
            false => (patience.idle, End::Close),
        };
        (now >= state.since + limit).then_some(end)
    }

    /// Notes bytes that were read; whether the connection may go on.
    pub fn received(&self, bytes: usize) -> bool {
        // What is read for a request counts as its body.
        if self.is_busy() {
            return true;
        }
        let is_free = lock(&self.unparsed).take(bytes);
        is_free || bytes < HEALTH_BYTES
    }

    /// Notes that a request has begun, until what is returned is dropped.
    pub fn request(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        lock(&self.unparsed).release();
        Busy(self.clone())
    }

    /// Notes an answer, until what is returned is dropped.
    pub fn answer(self: &Arc<Self>, body: &Vec<u8>) -> Writing {
        let mut share = Share::none(&self.memory);
        // An answer that is there is given: its messages are leased already. Full is said to the
        // next request.
        share.take(body.capacity());
        let since = Instant::now();
        let by_size = Duration::from_millis(body.len() as u64 * 1_000 / READ_RATE_MIN);
        let mut state = lock(&self.state);
        state.next += 1;
        let number = state.next;
        state.unread.insert(number, Unread { since, until: since + self.write + by_size });
        drop(state);
        Writing { connection: self.clone(), number, _share: share }
    }
}

/// What a question for health takes at most: it is read even when memory is full.
const HEALTH_BYTES: usize = 4 * 1024;

/// A request that is being answered.
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        (state.since, state.is_new) = (Instant::now(), false);
        drop(state);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that is being written.
pub(super) struct Writing {
    connection: Arc<Connection>,
    number: u64,
    _share: Share,
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut state = lock(&self.connection.state);
        state.unread.remove(&self.number);
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn connections(max: usize) -> Arc<Connections> {
        let patience = Patience { new: SECOND, idle: 2 * SECOND, write: 3 * SECOND };
        Arc::new(Connections::new(max, patience, Arc::new(Memory::new(1_000))))
    }

    fn end_after(connections: &Connections, one: &Registered, time: Duration) -> Option<End> {
        let is_short = connections.memory.is_short();
        one.connection.overdue(Instant::now() + time, &connections.patience, is_short)
    }

    #[test]
    fn each_state_has_its_time() {
        let all = connections(10);
        let one = all.take().unwrap();
        assert_eq!(end_after(&all, &one, SECOND / 2), None);
        assert_eq!(end_after(&all, &one, SECOND), Some(End::Cut));
        let busy = one.connection.request();
        assert_eq!(end_after(&all, &one, 1_000 * SECOND), None);
        let answer = one.connection.answer(&vec![0; 10]);
        drop(busy);
        assert_eq!(end_after(&all, &one, 2 * SECOND), None);
        assert_eq!(end_after(&all, &one, 4 * SECOND), Some(End::Cut));
        drop(answer);
        assert_eq!(end_after(&all, &one, SECOND), None);
        assert_eq!(end_after(&all, &one, 2 * SECOND), Some(End::Close));
    }

    #[test]
    fn a_long_answer_gets_longer_and_short_memory_makes_it_shorter() {
        let all = connections(10);
        let one = all.take().unwrap();
        let long = one.connection.answer(&vec![0; 320 * 1024]);
        assert!(all.memory.is_short());
        assert_eq!(end_after(&all, &one, SECOND), None);
        assert_eq!(end_after(&all, &one, 2 * SECOND), Some(End::Cut));
        let patience = all.patience;
        let overdue = |time| one.connection.overdue(Instant::now() + time, &patience, false);
        assert_eq!(overdue(12 * SECOND), None);
        assert_eq!(overdue(14 * SECOND), Some(End::Cut));
        drop(long);
        assert!(!all.memory.is_short());
    }

    #[test]
    fn the_oldest_idle_connection_makes_place_and_busy_ones_stay() {
        let all = connections(2);
        let first = all.take().unwrap();
        let second = all.take().unwrap();
        let busy = first.connection.request();
        let third = all.take().unwrap();
        assert!(second.connection.is_cut.load(Ordering::Relaxed));
        assert!(!first.connection.is_cut.load(Ordering::Relaxed));
        assert!(!third.connection.is_reserved);
        let busy_too = third.connection.request();
        let reserve: Vec<Registered> = std::iter::from_fn(|| all.take()).collect();
        assert!(reserve[0].connection.is_reserved);
        assert_eq!(reserve.len() + 3, 2 + RESERVE);
        drop((busy, busy_too, first, second, third, reserve));
        assert!(lock(&all.open).is_empty());
    }

    #[test]
    fn bytes_that_belong_to_no_request_count_until_one_begins() {
        let all = connections(2);
        let one = all.take().unwrap();
        assert!(one.connection.received(900));
        assert!(all.memory.is_short());
        assert!(one.connection.received(300));
        assert!(all.memory.is_full());
        assert!(!one.connection.received(HEALTH_BYTES));
        let _busy = one.connection.request();
        assert!(!all.memory.is_short());
    }
}
