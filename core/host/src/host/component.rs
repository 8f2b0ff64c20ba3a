//! What a kind of resource brings to a host, and what the host asks of it.
//!
//! A kind is one [`ComponentKind`] in a table: the first byte of its records, and how its loader is
//! made. While a journal is replayed its records go to the [`Loader`], which is owned by one thread
//! and takes no lock. What the loader builds is the [`Component`], which is shared from then on;
//! the things it manages are [`Resource`](crate::Resource)s in the host's directory.
//!
//! Calls through these traits are cold: opening, time, compaction, copies, reports. Verbs call the
//! concrete types.

use std::any::Any;
use std::ops::RangeInclusive;
use std::sync::Arc;

use trunkline_journal::Journal;
use trunkline_types::{Limits, Millis, ResourceId, Result};

use super::Host;
use crate::bodies::NamedBody;
use crate::checkpoint::CheckpointSink;
use crate::codec::damaged;
use crate::location::Location;
use crate::operation::Operation;
use crate::resource::ResourceReport;
use crate::run_queue::Jobs;

/// One line of the table of kinds.
pub struct ComponentKind {
    /// The kind's name, in errors.
    pub name: &'static str,
    /// The first bytes of its records: at least one range. No two kinds of one host share one.
    pub records: &'static [RangeInclusive<u8>],
    /// The operations that a fault rule may name.
    pub operations: &'static [Operation],
    /// Makes an empty loader.
    pub loader: fn(&Limits) -> Box<dyn Loader>,
}

impl ComponentKind {
    /// The first bytes of its records.
    pub fn first_bytes(&self) -> impl Iterator<Item = u8> {
        self.records.iter().cloned().flatten()
    }

    /// The owner of timers that belong to the component as a whole, not to one of its resources.
    pub const fn owner(&self) -> ResourceId {
        ResourceId(COMPONENT_OWNERS | *self.records[0].start() as u32)
    }
}

/// Ids from here on are those of components; resources are counted from one.
pub(crate) const COMPONENT_OWNERS: u32 = 0xFFFF_FF00;

/// Collects the records of one kind while a journal is replayed.
pub trait Loader: Any {
    /// Adds the record that lies at `at`. An older copy may be followed by a relocated one, and a
    /// record may come twice: the result must be the same.
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()>;

    /// Every record was applied. `earlier` are the loaders of the kinds before this one in the
    /// table, in its order: what refers to something that none of them has is dropped here.
    fn join(&mut self, earlier: &[Box<dyn Loader>]) {
        let _ = earlier;
    }

    /// Adds a section of a checkpoint, which the component of the kind wrote. Sections come before
    /// any record that lies behind the checkpoint.
    fn restore(&mut self, section: &[u8]) -> Result<()> {
        let _ = section;
        Err(damaged("a section of a kind that writes none"))
    }

    /// The largest id that the records spoke of: it is never given out again.
    fn last_id(&self) -> Option<ResourceId> {
        None
    }

    /// The bodies that the resources name.
    fn bodies(&self) -> Vec<NamedBody> {
        Vec::new()
    }

    /// Fails unless the files beside the journal are there that the records name. Called for a look
    /// at a folder, instead of [`Loader::finish`].
    fn check_files(&self, _: &Journal) -> Result<()> {
        Ok(())
    }

    /// What the records add up to, for people. Called after [`Loader::join`], and instead of
    /// [`Loader::finish`].
    fn report(&self, now: Millis) -> Vec<ResourceReport>;

    /// Builds the component, counts what lives in the journal ([`Host::live_bytes`]), adds its
    /// resources to the directory and arms their timers. Called in the order of the table, so a
    /// kind may look up what an earlier one built.
    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>>;
}

/// All resources of one kind, in an open host.
pub trait Component: Any + Send + Sync {
    /// The components of all kinds are built, and no verb uses them yet.
    fn opened(&self) -> Result<()> {
        Ok(())
    }

    /// Whether a segment that was last written at `newest` must be relocated although nothing in it
    /// is counted as live.
    fn needs(&self, newest: Millis, now: Millis) -> bool {
        let (_, _) = (newest, now);
        false
    }

    /// Appends again everything that is alive and lies in `segment`, some records a step, so that
    /// others get the append lock in between.
    fn relocate(&self, segment: u32) -> Result<()>;

    /// Hands its whole state to `sink`, as records that a fresh loader turns into the same state.
    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;

    /// Hands what a loader needs to `sink`, as it stands now; false when the kind has no form for
    /// it, and then the engine writes no checkpoint at all.
    ///
    /// Verbs run meanwhile, and none may wait for longer than a batch takes to append: locks are
    /// taken in steps, and never held while `sink` is called more than some dozen times. A part may
    /// be read at any time during the call, because every record that was appended since the
    /// position of the checkpoint is replayed on top of it. So each record has to be absolute: the
    /// loader gets the same from a state that contains its effect, and those of later records.
    ///
    /// Invariant: a verb applies its change while it holds the append lock of its record, so that
    /// the state contains every record before the position. Content that changes its owner is
    /// complete when [`crate::Compactor::pause_relocation`] is free again.
    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        let _ = sink;
        Ok(false)
    }

    /// How its resources stand, for people.
    fn report(&self, now: Millis) -> Vec<ResourceReport>;

    /// Removes every resource and everything in it.
    fn reset(&self) -> Result<()>;

    /// Waits until work that left the engine has come back: before a virtual clock moves on.
    fn settle(&self) -> Result<()> {
        Ok(())
    }

    /// The host closes. Its resources are told one by one; this is for what belongs to none.
    fn close(&self) {}

    /// A timer of the component itself fired; see [`Resource::fire`](crate::Resource::fire).
    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        let (_, _, _) = (slot, now, jobs);
        None
    }

    /// Runs a job of the component itself; see [`Resource::run`](crate::Resource::run).
    fn run(&self, task: u64, now: Millis) -> Result<()> {
        let (_, _) = (task, now);
        Ok(())
    }
}
