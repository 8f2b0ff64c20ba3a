//! The outbox as a component: replay of its failures, compaction, copies, reports.

use std::sync::Arc;

use trunkline_host::{
    CheckpointSink, Component, Encode, Host, Jobs, Loader, Location, ResourceReport,
};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::failures::Failures;
use super::{OUTBOX_KIND, Outbox};

/// Failures that one step of compaction writes.
const STEP: usize = 64;

/// Collects failures while a journal is replayed.
#[derive(Default)]
pub(super) struct OutboxLoader {
    failures: Failures,
}

impl Loader for OutboxLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        self.failures.apply(at, record)
    }

    fn last_id(&self) -> Option<ResourceId> {
        self.failures.destinations().into_iter().max()
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        report(&self.failures)
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let now = host.now();
        let mut live_bytes = host.live_bytes();
        self.failures.locations().for_each(|location| live_bytes.add(location, now));
        drop(live_bytes);
        Ok(Arc::new(Outbox::new(host.clone(), self.failures)))
    }
}

impl Component for Outbox {
    fn relocate(&self, segment: u32) -> Result<()> {
        loop {
            let mut failures = lock(&self.failures);
            let mut log = self.host.append()?;
            if failures.relocate(&mut log, segment, STEP) < STEP {
                return Ok(());
            }
        }
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let destinations = lock(&self.failures).destinations();
        for id in destinations {
            for failed in lock(&self.failures).list(id) {
                let mut record = Vec::new();
                failed.encode(&mut record);
                sink(&record)?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        let destinations = lock(&self.failures).destinations();
        for id in destinations {
            let stored = lock(&self.failures).stored(id);
            stored.iter().try_for_each(|(at, failed)| sink.record(*at, failed))?;
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        report(&lock(&self.failures))
    }

    fn reset(&self) -> Result<()> {
        for destination in self.all_destinations() {
            self.detach(destination.id)?;
        }
        let left = lock(&self.failures).destinations();
        let mut failures = lock(&self.failures);
        let mut log = self.host.append()?;
        left.into_iter().for_each(|id| failures.forget_all(&mut log, id));
        Ok(())
    }

    fn close(&self) {
        self.shut();
    }

    fn settle(&self) -> Result<()> {
        self.wait_until_quiet()
    }

    /// The slot of a timer is the destination that it brings back; no id is zero, so that is the
    /// timer of all turns.
    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(slot.into());
        None
    }

    fn run(&self, slot: u64, _: Millis) -> Result<()> {
        match u32::try_from(slot) {
            Ok(0) | Err(_) => self.request_turns_again(),
            Ok(id) => self.paced_again(ResourceId(id)),
        }
        Ok(())
    }
}

fn report(failures: &Failures) -> Vec<ResourceReport> {
    let of = |id: ResourceId| ResourceReport {
        name: ResourceName::new(OUTBOX_KIND, "", "", id.0.to_string()),
        counters: vec![("failures", failures.list(id).len() as u64)],
    };
    failures.destinations().into_iter().map(of).collect()
}
