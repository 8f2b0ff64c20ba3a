//! Streams as a kind of resource: how they are created, relocated, copied and removed as a whole.

use std::sync::Arc;

use trunkline_host::{
    Accepted, CheckpointSink, Component, ComponentKind, Encode, Jobs, Joined, Put, Resource,
    ResourceReport, Routed,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Limits, Millis, ResourceId, ResourceName, Result};

use super::record::{KINDS, Record};
use super::replay::{StreamLoader, report};
use super::status::SLOT_DELETION;
use super::streams::Streams;
use super::{Stream, operation};

/// The kind of streams, for the table of kinds.
pub static STREAMS: ComponentKind = ComponentKind {
    name: "stream",
    records: &[KINDS],
    operations: &[operation::PUT, operation::READ],
    loader: |_: &Limits| Box::<StreamLoader>::default(),
};

impl Stream {
    /// Removes the stream with its readers and everything in it.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let now = self.host.now();
        let (logs, ticket) = {
            let mut state = self.state_mut();
            let mut append = self.host.append_at(now)?;
            if self.removed.swap(true, Ordering::AcqRel) {
                return Ok(append.ticket());
            }
            self.leaving.begin(state.logs.values().map(|log| log.id()));
            append.append(&Record::StreamRemoved(self.id));
            state.location.take().into_iter().for_each(|location| append.release(location));
            self.host.directory.remove(self, now);
            state.routes.clear();
            (std::mem::take(&mut state.logs), append.ticket())
        };
        for reader in std::mem::take(&mut *lock(&self.readers)).into_values() {
            reader.release(&self.host)?;
        }
        self.waiters.wake_all();
        // The record that says so comes first: a crash in between leaves logs without a stream,
        // which the next opening removes.
        let logs: Vec<_> = logs.values().map(|log| log.id()).collect();
        self.leaving.remove(&self.logs, &logs)?;
        Ok(ticket)
    }

    /// Writes what lies in `segment` again.
    fn relocate(&self, segment: u32) -> Result<()> {
        for reader in self.all_readers() {
            reader.relocate(&self.host, segment)?;
        }
        let mut state = self.state_mut();
        if state.location.is_some_and(|location| location.segment() == segment) {
            self.define(&mut state, &mut self.host.append()?);
        }
        Ok(())
    }
}

impl Component for Streams {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|stream| stream.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut each = |record: &Record<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        for stream in self.all() {
            let definition = stream.definition(&stream.state());
            each(&Record::Stream(definition))?;
            for reader in stream.all_readers() {
                reader.records(&mut each)?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        let leaving = self.leaving.all();
        if !leaving.is_empty() {
            sink.section(*KINDS.start(), |out| leaving.iter().for_each(|id| out.put_u32(id.0)))?;
        }
        for stream in self.all() {
            let (definition, location) = {
                let state = stream.state();
                (stream.definition(&state), state.location)
            };
            let Some(location) = location else { continue };
            sink.record(location, &Record::Stream(definition))?;
            for reader in stream.all_readers() {
                reader.checkpoint(sink)?;
            }
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let told = |stream: &Arc<Stream>| {
            let definition = stream.definition(&stream.state());
            report(&definition, stream.all_readers().len() as u64)
        };
        self.all().iter().map(told).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|stream| stream.remove().map(drop))
    }
}

impl Resource for Stream {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        self.fire_slot(slot, now, jobs)
    }

    fn run(&self, job: u64, now: Millis) -> Result<()> {
        if job == u64::from(SLOT_DELETION) {
            return self.end_deletion(now);
        }
        self.expire(now)
    }

    fn accept(&self, routed: &Routed<'_>) -> Result<Accepted> {
        self.accept_record(routed)
    }

    fn check(&self, routed: &Routed<'_>) -> Result<()> {
        self.check_present()?;
        self.check_routed(routed).map(drop)
    }

    fn join<'a>(&'a self, messages: &[Routed<'a>], now: Millis) -> Option<Box<dyn Joined + 'a>> {
        Some(Box::new(self.join_step(messages, now)))
    }

    fn close(&self) {
        self.waiters.wake_all();
    }
}
