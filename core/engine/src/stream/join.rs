//! Records that a sender delivers to a stream and to other resources, in one step of the journal.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, RwLockReadGuard};

use trunkline_host::{Accepted, Also, Append, Joined, Log, Routed};
use trunkline_journal::Ticket;
use trunkline_types::{Millis, Result};

use super::entry::NewRecord;
use super::put::{ENTRY_BYTES, put_one};
use super::{State, Stream};

/// A stream in the step of a sender.
pub(super) struct StreamInStep<'a> {
    stream: &'a Stream,
    messages: Vec<Routed<'a>>,
    now: Millis,
    /// Held until the records are appended.
    state: Cell<Option<RwLockReadGuard<'a, State>>>,
    put: RefCell<Vec<Result<Accepted>>>,
    /// The logs that have the records.
    logs: RefCell<Vec<Arc<Log>>>,
}

impl Stream {
    /// Locks the stream for the step of a sender.
    pub(super) fn join_step<'a>(
        &'a self,
        messages: &[Routed<'a>],
        now: Millis,
    ) -> StreamInStep<'a> {
        StreamInStep {
            stream: self,
            messages: messages.to_vec(),
            now,
            state: Cell::new(Some(self.state())),
            put: RefCell::default(),
            logs: RefCell::default(),
        }
    }
}

impl StreamInStep<'_> {
    fn put(&self, state: &State, log: &mut Append<'_>, routed: &Routed<'_>) -> Result<Accepted> {
        // A stream that is being removed says so under the append lock.
        self.stream.check_present()?;
        let key = self.stream.check_routed(routed)?;
        let record = NewRecord { key, hash_key: None, data: routed.body };
        let (route, put) = put_one(state, log, &record, self.now)?;
        if self.stream.host.trace.is_on() {
            self.stream.trace_put(&put, key);
        }
        self.logs.borrow_mut().push(route.log.clone());
        let (resource, seq) = (self.stream.id, put.sequence.offset());
        Ok(Accepted { resource, seq, duplicate: false, ticket: put.ticket })
    }
}

impl fmt::Debug for StreamInStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records of the stream {}", self.messages.len(), self.stream.name.name)
    }
}

impl Also for StreamInStep<'_> {
    fn bytes(&self) -> usize {
        let bytes = |routed: &Routed<'_>| {
            ENTRY_BYTES + routed.group.map_or(0, str::len) + routed.body.len()
        };
        self.messages.iter().map(bytes).sum()
    }

    fn records(&self) -> usize {
        self.messages.len()
    }

    fn append(&self, log: &mut Append<'_>) {
        let Some(state) = self.state.take() else { return };
        let put = self.messages.iter().map(|routed| self.put(&state, log, routed)).collect();
        self.put.replace(put);
    }
}

impl Joined for StreamInStep<'_> {
    fn settle(self: Box<Self>, ticket: Option<Ticket>) -> Vec<Result<Accepted>> {
        let logs = self.logs.take();
        logs.iter().for_each(|log| self.stream.logs.on_append(log));
        self.stream.wake();
        let settled = |put: Result<Accepted>| Ok(Accepted { ticket, ..put? });
        self.put.take().into_iter().map(settled).collect()
    }
}
