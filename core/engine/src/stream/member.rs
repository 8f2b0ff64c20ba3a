//! Members of a reader: each fetches from the shards whose leases it holds, and commits.

use std::sync::Arc;

use trunkline_host::Admitted;
use trunkline_journal::Ticket;
use trunkline_stream::{LostLease, MemberId, ShardId, Taken};
use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Millis, Result};

use super::operation::READ;
use super::read::{ReadRequest, StreamRecord};
use super::reader::{Reader, ReaderState};
use super::record::Record;
use super::{Stream, errors};

/// What a member fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchRequest {
    /// Records at most.
    pub max: usize,
    /// Bytes of keys and data at most; one record is fetched whatever its size.
    pub max_bytes: usize,
}

/// A member of a reader: it fetches from the shards whose leases it holds. Dropping it gives them
/// back. One thread at a time fetches.
pub struct StreamMember {
    stream: Arc<Stream>,
    reader: Arc<Reader>,
    id: MemberId,
    lease: Millis,
    /// Counts fetches, so that each starts with another shard.
    turn: AtomicU64,
    /// Calls that wait for records now: the leases do not lapse meanwhile.
    waits: AtomicU32,
    fetching: Mutex<()>,
}

impl Stream {
    /// Joins a reader. The member's leases last for `lease` after each fetch or commit.
    pub fn join(self: &Arc<Self>, reader: &Arc<Reader>, lease: Millis) -> Result<StreamMember> {
        self.check_writable()?;
        let deadline = self.host.now().saturating_add(lease);
        let id = {
            let mut state = lock(&reader.state);
            let id = state.group.join(deadline);
            state.balance(&self.state());
            id
        };
        Ok(StreamMember {
            stream: self.clone(),
            reader: reader.clone(),
            id,
            lease,
            turn: AtomicU64::new(0),
            waits: AtomicU32::new(0),
            fetching: Mutex::new(()),
        })
    }
}

impl StreamMember {
    /// The stream.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// The reader.
    pub fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Hands out the next records of the shards that this member holds, and says what was taken of
    /// each shard, for [`StreamMember::commit`]. Never waits for records.
    pub fn fetch(
        &self,
        request: &FetchRequest,
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<Vec<Taken>> {
        let call = self.stream.host.admit(READ, &self.stream.name)?;
        self.fetch_admitted(&call, request, sink)
    }

    /// [`StreamMember::fetch`] by a call that was admitted, which may try more than once.
    pub fn fetch_admitted(
        &self,
        call: &Admitted,
        request: &FetchRequest,
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<Vec<Taken>> {
        debug_assert!(call.is_for(READ));
        let stream = &self.stream;
        stream.check_writable()?;
        let _one_at_a_time = lock(&self.fetching);
        let now = stream.host.attempt(call)?;
        stream.host.sweep_if_due(now);
        let (mut max, mut max_bytes) = (request.max, request.max_bytes);
        let mut sink = stream.traced(Some(&self.reader.name), sink);
        let mut taken = Vec::new();
        loop {
            let mut is_balanced = false;
            for Taken { shard, lease, next } in self.renew(now)? {
                if max == 0 || max_bytes == 0 {
                    break;
                }
                let request = ReadRequest { shard, offset: next, max, max_bytes };
                // It may have expired since.
                let Ok(view) = stream.view(shard, now) else { continue };
                let outcome = view.read(&request, &mut sink)?;
                let fetched = Taken { shard, lease, next: outcome.next };
                max -= outcome.records;
                max_bytes = max_bytes.saturating_sub(outcome.bytes);
                is_balanced |= self.note(&fetched, next, outcome.records == 0);
                if outcome.records > 0 {
                    taken.push(fetched);
                }
            }
            // Children of a shard whose last records expired can be fetched from now.
            if !is_balanced || max == 0 || max_bytes == 0 {
                return Ok(taken);
            }
        }
    }

    /// Shows that the member is alive; the shards that it may fetch from.
    fn renew(&self, now: Millis) -> Result<Vec<Taken>> {
        let mut state = self.state()?;
        let shards = self.stream.state();
        let came_back = state.group.renew(self.id, self.deadline(now));
        let lapsed = state.group.lapse(now);
        if came_back || lapsed || state.version != shards.version {
            state.balance(&shards);
        }
        if self.is_waiting() {
            self.arm_lapse(&state);
        }
        let mut shards = state.group.fetchable(self.id);
        // Another shard first each time, so that a busy one starves no other.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) as usize;
        let count = shards.len().max(1);
        shards.rotate_left(turn % count);
        Ok(shards)
    }

    /// Notes how far a shard was fetched. What expired before it was fetched needs no commit.
    /// Whether the shards were shared anew.
    fn note(&self, fetched: &Taken, before: u64, only_expired: bool) -> bool {
        let mut state = lock(&self.reader.state);
        state.group.fetched(fetched);
        let is_idle = state.group.committed(fetched.shard) >= before;
        let is_held = state.group.decide_commit(std::slice::from_ref(fetched)).is_ok();
        let is_moved = fetched.next > before;
        if !(only_expired && is_moved && is_idle && is_held) {
            return false;
        }
        state.group.commit(fetched.shard, fetched.next);
        let shards = self.stream.state();
        let is_closed = shards.shards.get(fetched.shard).is_some_and(|shard| !shard.is_open());
        if is_closed {
            state.balance(&shards);
        }
        is_closed
    }

    /// Makes durable that everything up to the ends of `taken` was worked off. Refused as a whole
    /// when the lease of one shard was lost.
    pub fn commit(&self, taken: &[Taken]) -> Result<Option<Ticket>> {
        let stream = &self.stream;
        stream.check_writable()?;
        stream.host.refuse_if_scarce()?;
        let now = stream.host.now();
        let ticket = {
            let mut state = self.state()?;
            state.group.renew(self.id, self.deadline(now));
            let moved = state
                .group
                .decide_commit(taken)
                .map_err(|LostLease(shard)| errors::lost_lease(shard, &self.reader.name))?;
            if moved.is_empty() {
                return Ok(None);
            }
            let shards = stream.state();
            let mut append = stream.host.append_at(now)?;
            for (shard, next) in &moved {
                let (key, shard) = (self.reader.key, *shard);
                let old = state.positions.get(&shard).copied();
                let record = Record::Position { key, shard, next: *next };
                if let Some(location) = append.append_live(&record, old) {
                    state.positions.insert(shard, location);
                }
                state.group.commit(shard, *next);
            }
            // A shard that is done lets its children be read.
            let closed = |id: ShardId| shards.shards.get(id).is_none_or(|shard| !shard.is_open());
            if moved.iter().any(|(shard, _)| closed(*shard)) {
                state.balance(&shards);
            }
            append.ticket()
        };
        // A member may wait for a shard that this one has given up, or for a child.
        stream.wake();
        Ok(ticket)
    }

    /// When the leases lapse if the member does not show itself again; never while it waits.
    fn deadline(&self, now: Millis) -> Option<Millis> {
        (!self.is_waiting()).then(|| now.saturating_add(self.lease))
    }

    fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire) > 0
    }

    /// A member that waits must notice when the leases of another one lapse.
    fn arm_lapse(&self, state: &ReaderState) {
        state.group.next_lapse().into_iter().for_each(|at| self.stream.arm_lapse(at));
    }

    /// A call of the member begins to wait: its leases do not lapse.
    pub(super) fn begin_wait(&self) {
        self.waits.fetch_add(1, Ordering::AcqRel);
        let mut state = lock(&self.reader.state);
        state.group.renew(self.id, None);
        self.arm_lapse(&state);
    }

    /// A call of the member has waited.
    pub(super) fn end_wait(&self) {
        self.waits.fetch_sub(1, Ordering::AcqRel);
        let mut state = lock(&self.reader.state);
        let deadline = self.deadline(self.stream.host.now());
        state.group.renew(self.id, deadline);
    }

    fn state(&self) -> Result<MutexGuard<'_, ReaderState>> {
        let state = lock(&self.reader.state);
        self.stream.check_present()?;
        if state.removed {
            return Err(errors::no_such_reader(&self.reader.name, &self.stream.name));
        }
        Ok(state)
    }
}

impl Drop for StreamMember {
    fn drop(&mut self) {
        {
            let mut state = lock(&self.reader.state);
            state.group.leave(self.id);
            state.balance(&self.stream.state());
        }
        self.stream.wake();
    }
}
