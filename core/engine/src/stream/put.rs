//! Putting records: the partition key decides the shard, the shard's log gives the number.

use trunkline_host::{Admitted, Append, HeldLog, Log};
use trunkline_journal::Ticket;
use trunkline_stream::{HashKey, SequenceNumber, ShardId};
use trunkline_types::{Error, Millis, Result};

use super::entry::{self, NewRecord};
use super::operation::PUT;
use super::{Route, State, Stream};

/// What the journal keeps of a record beside its key and data: the head of the log's entry, and the
/// length of the key.
pub(super) const ENTRY_BYTES: usize = 26 + 2;

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutRecord {
    /// The shard.
    pub shard: ShardId,
    /// Grows within the shard.
    pub sequence: SequenceNumber,
    /// Stands for the record becoming durable; `None` in memory.
    pub ticket: Option<Ticket>,
}

impl Stream {
    /// Adds a record. It is applied when this returns, and as durable as wanted once its ticket has
    /// been waited for ([`crate::Engine::wait`]).
    pub fn put(&self, record: &NewRecord<'_>) -> Result<PutRecord> {
        self.put_admitted(&self.host.admit(PUT, &self.name)?, record)
    }

    /// [`Stream::put`] by a call that was admitted.
    pub fn put_admitted(&self, call: &Admitted, record: &NewRecord<'_>) -> Result<PutRecord> {
        debug_assert!(call.is_for(PUT));
        entry::check(record, &self.host.limits, self.record_bytes_max())?;
        self.check_present()?;
        let now = call.now(&self.host);
        let put = match self.put_in_first(record, now) {
            Some(put) => put,
            None => self.put_in_state(record, now)?,
        };
        if self.host.trace.is_on() {
            self.trace_put(&put, record.key);
        }
        self.wake();
        self.host.sweep_if_due(now);
        Ok(put)
    }

    /// Puts a record into the only shard that a stream in memory ever had. Nothing but the log is
    /// locked.
    #[inline]
    fn put_in_first(&self, record: &NewRecord<'_>, now: Millis) -> Option<PutRecord> {
        let route = self.first.as_ref()?;
        let length = entry::key_length(record.key);
        let parts: [&[u8]; 3] = [&length, record.key.as_bytes(), record.data];
        let number = route.log.append_in_memory(now, &parts)?;
        Some(route.put(number, now, None))
    }

    fn put_in_state(&self, record: &NewRecord<'_>, now: Millis) -> Result<PutRecord> {
        let state = self.state();
        let mut append = self.host.append_at(now)?;
        let (route, put) = put_one(&state, &mut append, record, now)?;
        drop(append);
        self.logs.on_append(&route.log);
        Ok(put)
    }

    /// Adds records in order, in one step of the journal. All are checked first: an error means
    /// that none was added. A crash leaves all of them or none, unless they are too large together
    /// for one batch of the journal. Returns the ticket that stands for all of them.
    pub fn put_batch(
        &self,
        records: &[NewRecord<'_>],
        each: impl FnMut(PutRecord),
    ) -> Result<Option<Ticket>> {
        self.put_batch_admitted(&self.host.admit(PUT, &self.name)?, records, each)
    }

    /// [`Stream::put_batch`] by a call that was admitted.
    pub fn put_batch_admitted(
        &self,
        call: &Admitted,
        records: &[NewRecord<'_>],
        mut each: impl FnMut(PutRecord),
    ) -> Result<Option<Ticket>> {
        debug_assert!(call.is_for(PUT));
        let bytes_max = self.record_bytes_max();
        for (index, record) in records.iter().enumerate() {
            entry::check(record, &self.host.limits, bytes_max).map_err(|error| {
                Error::new(error.code(), format!("records[{index}]: {}", error.message()))
            })?;
        }
        self.check_present()?;
        let now = call.now(&self.host);
        let mut done = Vec::with_capacity(records.len());
        let ticket = {
            let state = self.state();
            let mut append = self.host.append_at(now)?;
            let size = |one: &NewRecord<'_>| ENTRY_BYTES + one.key.len() + one.data.len();
            append.reserve(records.len(), records.iter().map(size).sum());
            append_all(&state, &mut append, records, now, &mut done)?;
            let ticket = append.ticket();
            drop(append);
            state.routes.iter().for_each(|route| self.logs.on_append(&route.log));
            ticket
        };
        // No lock is held while the caller is told.
        for (put, record) in done.into_iter().zip(records) {
            if self.host.trace.is_on() {
                self.trace_put(&put, record.key);
            }
            each(put);
        }
        self.wake();
        self.host.sweep_if_due(now);
        Ok(ticket)
    }

    /// The shard that takes the record now.
    pub fn shard_for(&self, record: &NewRecord<'_>) -> Result<ShardId> {
        Ok(self.state().route_of(record)?.shard)
    }

    /// Lets every read that waits look again.
    #[inline]
    pub(super) fn wake(&self) {
        if !self.waiters.is_empty() {
            self.waiters.wake_all();
        }
    }
}

/// Appends records in order. The log of a shard is held for all that follow one another in it.
fn append_all(
    state: &State,
    append: &mut Append<'_>,
    records: &[NewRecord<'_>],
    now: Millis,
    done: &mut Vec<PutRecord>,
) -> Result<()> {
    let mut held: Option<(&Route, HeldLog<'_>)> = None;
    for record in records {
        let route = state.route_of(record)?;
        if held.as_ref().is_some_and(|(of, _)| !std::ptr::eq(*of, route)) {
            // One log at a time.
            held = None;
        }
        let (_, log) = held.get_or_insert_with(|| (route, route.log.hold()));
        let length = entry::key_length(record.key);
        let parts: [&[u8]; 3] = [&length, record.key.as_bytes(), record.data];
        let number = log.append(append, now, &parts)?;
        done.push(route.put(number, now, append.ticket()));
    }
    Ok(())
}

pub(super) fn put_one<'a>(
    state: &'a State,
    append: &mut Append<'_>,
    record: &NewRecord<'_>,
    now: Millis,
) -> Result<(&'a Route, PutRecord)> {
    let route = state.route_of(record)?;
    let length = entry::key_length(record.key);
    let parts: [&[u8]; 3] = [&length, record.key.as_bytes(), record.data];
    let number = route.log.append(append, now, &parts)?;
    Ok((route, route.put(number, now, append.ticket())))
}

impl Route {
    /// What became of a record that is an entry of the log now.
    #[inline]
    fn put(&self, number: u64, now: Millis, ticket: Option<Ticket>) -> PutRecord {
        let sequence = SequenceNumber::of(self.shard, self.created, offset_of(number), now);
        PutRecord { shard: self.shard, sequence, ticket }
    }
}

/// The offset in a shard of the entry with this number in the shard's log, which counts from 1.
pub(super) fn offset_of(number: u64) -> u64 {
    number - 1
}

/// The offsets of a shard that can be read: from the first that is there up to the next.
pub(super) fn offsets(log: &Log) -> (u64, u64) {
    let (first, next) = log.range();
    (offset_of(first), offset_of(next))
}

impl State {
    /// The open shard that takes the record.
    #[inline]
    fn route_of(&self, record: &NewRecord<'_>) -> Result<&Route> {
        if let [only] = &*self.routes {
            return Ok(only);
        }
        let key = record.hash_key.unwrap_or_else(|| HashKey::of(record.key));
        let index = self.routes.partition_point(|route| route.start <= key);
        let route = index.checked_sub(1).and_then(|index| self.routes.get(index));
        // Open shards cover the hash space from 0 on.
        route.ok_or_else(|| trunkline_host::damaged("a stream without an open shard"))
    }
}
