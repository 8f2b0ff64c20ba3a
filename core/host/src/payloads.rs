//! Shared payloads: content that messages of several resources refer to is kept once.
//!
//! A payload lives as long as a reference to it does. References are not records: each message that
//! refers to a payload holds one, and replay counts them again. So a payload whose last message is
//! gone needs no record either.
//!
//! The record of a payload commits its messages: it is appended behind them in the same step, and a
//! replay drops messages whose payload never came. So a crash leaves all messages of a step or
//! none, however many batches they take. Afterwards the order does not matter: whichever segment is
//! compacted first, the live payload and the live messages in it are appended again before it goes.
//!
//! Lock order: the append lock, then the table of payloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_journal::Lsn;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Limits, Millis, Result};

use crate::append::Append;
use crate::checkpoint::CheckpointSink;
use crate::codec::{Encode, Put, Take, damaged};
use crate::host::{Component, ComponentKind, Host, Loader};
use crate::location::Location;
use crate::mutant::{self, Mutant};
use crate::payload::{NOWHERE, Payload, Table};
use crate::resource::ResourceReport;

/// The kind of shared payloads, for the table of kinds.
pub static PAYLOADS: ComponentKind = ComponentKind {
    name: "payload",
    records: &[PAYLOAD..=NUMBERED],
    operations: &[],
    loader: |_: &Limits| Box::<PayloadLoader>::default(),
};

const PAYLOAD: u8 = 32;
const NUMBERED: u8 = 33;

/// The bytes of a payload's record before its content.
const HEAD_BYTES: usize = 9;
/// Payloads that one step of relocation writes.
const STEP: usize = 64;

/// The record of a payload up to its content.
struct PayloadHead(u64);

impl Encode for PayloadHead {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(PAYLOAD);
        out.put_u64(self.0);
    }
}

/// No payload that is written later has a smaller number.
struct Numbered(u64);

impl Encode for Numbered {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(NUMBERED);
        out.put_u64(self.0);
    }
}

/// The shared payloads of one host.
pub struct Payloads {
    host: Arc<Host>,
    table: Arc<Table>,
    /// The number of the next payload. Replay knows a number from the messages that refer to it,
    /// too: one that was used by a publish that a crash undid must not be used again.
    next: AtomicU64,
}

impl Payload {
    /// Gives `count` references back, in a step that records why. With the last one the payload is
    /// gone.
    pub fn release(&self, count: u32, log: &mut Append<'_>) {
        let before = self.references.fetch_sub(count, Ordering::AcqRel);
        debug_assert!(before >= count, "a reference was counted before it was given back");
        if before > count || mutant::has(Mutant::ForgetRelease) {
            return;
        }
        lock(&self.table.payloads).remove(&self.id);
        self.location().into_iter().for_each(|location| log.release(location));
    }

    /// Its content, by way of `buffer` if it lies in the journal; `None` when the payload is gone.
    pub fn content<'a>(&'a self, host: &Host, buffer: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>> {
        if let Some(bytes) = &self.bytes {
            return Ok(Some(bytes));
        }
        loop {
            let Some(location) = self.location() else {
                // The step that publishes it has not ended.
                drop(host.append()?);
                match self.location() {
                    Some(_) => continue,
                    None => return Ok(None),
                }
            };
            buffer.clear();
            if host.read(location, buffer)? {
                return content_of(self.id, buffer).map(Some);
            }
            if self.references() == 0 {
                return Ok(None);
            }
            // Compaction has moved it: its location says where to.
            if self.location() == Some(location) {
                return Err(damaged("no payload where a reference says that there is one"));
            }
        }
    }

    fn location(&self) -> Option<Location> {
        match self.lsn.load(Ordering::Acquire) {
            NOWHERE => None,
            lsn => Some(Location { lsn: Lsn::from_u64(lsn), len: self.len }),
        }
    }
}

impl Payloads {
    /// Makes a payload of these parts, one after the other. The caller holds one reference, and
    /// appends the payload with [`Payloads::commit`] when the messages are appended that refer to
    /// it.
    pub fn create(&self, parts: &[&[u8]]) -> Result<Arc<Payload>> {
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>() + HEAD_BYTES;
        let Ok(len) = u32::try_from(bytes) else {
            return Err(Error::new(
                Code::InvalidParameterValue,
                format!("A payload of {bytes} bytes is larger than a record can be."),
            ));
        };
        let kept = (!self.host.is_journaled()).then(|| parts.concat().into_boxed_slice());
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let payload = Payload::new(&self.table, id, 1, NOWHERE, len, kept);
        Ok(Arc::new(payload))
    }

    /// Appends a payload behind its messages. From here on they survive a crash, all at once.
    pub fn commit(&self, payload: &Arc<Payload>, parts: &[&[u8]], log: &mut Append<'_>) {
        if let Some(location) = log.append_payload(&PayloadHead(payload.id), parts) {
            payload.lsn.store(location.lsn.to_u64(), Ordering::Release);
        }
        lock(&self.table.payloads).insert(payload.id, payload.clone());
    }

    /// The payload of this number, for a loader whose messages refer to it.
    pub fn find(&self, id: u64) -> Option<Arc<Payload>> {
        lock(&self.table.payloads).get(&id).cloned()
    }

    /// The payload of a message that was replayed, with a reference added for it; `None` if it was
    /// never committed.
    pub fn restore_reference(&self, id: u64) -> Option<Arc<Payload>> {
        let payload = self.find(id)?;
        payload.refer_many(1);
        Some(payload)
    }

    /// A message spoke of this number: it is never given out again.
    pub fn never_again(&self, id: u64) {
        if !mutant::has(Mutant::ReuseNumber) {
            self.next.fetch_max(id.saturating_add(1), Ordering::Relaxed);
        }
    }

    /// The number and the references of every payload, in order.
    pub fn counts(&self) -> Vec<(u64, u32)> {
        let payloads = lock(&self.table.payloads);
        payloads.iter().map(|(id, payload)| (*id, payload.references())).collect()
    }

    fn all(&self) -> Vec<Arc<Payload>> {
        lock(&self.table.payloads).values().cloned().collect()
    }

    /// Appends `payload` again if it is alive and still lies at `old`, where `record` was read.
    fn relocate_one(&self, log: &mut Append<'_>, payload: &Payload, old: Location, record: &[u8]) {
        let is_there = payload.location() == Some(old) && self.find(payload.id).is_some();
        let Some(content) = record.get(HEAD_BYTES..).filter(|_| is_there) else { return };
        if let Some(location) = log.append_payload(&PayloadHead(payload.id), &[content]) {
            payload.lsn.store(location.lsn.to_u64(), Ordering::Release);
            log.release(old);
        }
    }
}

fn content_of(id: u64, record: &[u8]) -> Result<&[u8]> {
    let mut take = Take(record);
    if take.u8()? != PAYLOAD || take.u64()? != id {
        return Err(damaged("something else where a payload should be"));
    }
    Ok(take.rest())
}

/// Where payloads lie, collected while a journal is replayed.
#[derive(Default)]
pub struct PayloadLoader {
    payloads: BTreeMap<u64, Location>,
    next: u64,
}

impl PayloadLoader {
    /// Whether the payload of this number was committed.
    pub fn holds(&self, id: u64) -> bool {
        self.payloads.contains_key(&id)
    }
}

impl Loader for PayloadLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let mut take = Take(record);
        match take.u8()? {
            PAYLOAD => {
                let id = take.u64()?;
                self.payloads.insert(id, at);
                self.next = self.next.max(id + 1);
            }
            NUMBERED => self.next = self.next.max(take.u64()?),
            _ => return Err(damaged("a kind this version does not know")),
        }
        Ok(())
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        // Payloads belong to the messages that refer to them.
        Vec::new()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let (now, table) = (host.now(), Arc::<Table>::default());
        let mut payloads = lock(&table.payloads);
        let mut live_bytes = host.live_bytes();
        for (id, at) in self.payloads {
            live_bytes.add(at, now);
            let payload = Payload::new(&table, id, 0, at.lsn.to_u64(), at.len, None);
            payloads.insert(id, Arc::new(payload));
        }
        drop((payloads, live_bytes));
        let next = AtomicU64::new(self.next.max(1));
        Ok(Arc::new(Payloads { host: host.clone(), table, next }))
    }
}

impl Component for Payloads {
    fn opened(&self) -> Result<()> {
        let mut live_bytes = self.host.live_bytes();
        lock(&self.table.payloads).retain(|_, payload| {
            let is_referred_to = payload.references() > 0;
            if !is_referred_to {
                payload.location().into_iter().for_each(|location| live_bytes.remove(location));
            }
            is_referred_to
        });
        Ok(())
    }

    fn relocate(&self, segment: u32) -> Result<()> {
        if mutant::has(Mutant::ForgetRelocation) {
            return Ok(());
        }
        let there = |payload: &Arc<Payload>| {
            payload.location().is_some_and(|location| location.segment() == segment)
        };
        let payloads: Vec<_> = self.all().into_iter().filter(there).collect();
        for some in payloads.chunks(STEP) {
            let mut records = Vec::with_capacity(some.len());
            for payload in some {
                let Some(location) = payload.location() else { continue };
                let mut record = Vec::new();
                if self.host.read(location, &mut record)? {
                    records.push((payload, location, record));
                }
            }
            let mut log = self.host.append()?;
            for (payload, old, record) in records {
                self.relocate_one(&mut log, payload, old, &record);
            }
        }
        Ok(())
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut record = Vec::new();
        Numbered(self.next.load(Ordering::Relaxed)).encode(&mut record);
        sink(&record)?;
        let mut buffer = Vec::new();
        for payload in self.all() {
            let Some(content) = payload.content(&self.host, &mut buffer)? else { continue };
            record.clear();
            PayloadHead(payload.id).encode(&mut record);
            record.extend_from_slice(content);
            sink(&record)?;
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        sink.fact(&Numbered(self.next.load(Ordering::Relaxed)))?;
        let mut from = 0;
        loop {
            let some: Vec<_> = {
                let payloads = lock(&self.table.payloads);
                payloads.range(from..).take(STEP).map(|(_, payload)| payload.clone()).collect()
            };
            for payload in &some {
                if let Some(location) = payload.location() {
                    sink.record(location, &PayloadHead(payload.id))?;
                }
            }
            match some.last() {
                Some(last) => from = last.id + 1,
                None => return Ok(true),
            }
        }
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        Vec::new()
    }

    fn reset(&self) -> Result<()> {
        // They go with the messages that refer to them.
        Ok(())
    }
}
