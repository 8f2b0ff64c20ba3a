//! A resource, as the directory, the timers and the jobs know it.
//!
//! Calls through this trait are cold: time, deliveries, reports. Verbs call the concrete types.

use std::any::Any;

use trunkline_types::{Code, Error, Millis, ResourceId, ResourceKind, ResourceName, Result};

use crate::rendering::{Content, Rendered};
use crate::routing::{Accepted, Joined, Routed};
use crate::run_queue::Jobs;

/// One resource: what the directory holds, and what owns timers and jobs.
pub trait Resource: Any + Send + Sync {
    /// Its id.
    fn id(&self) -> ResourceId;

    /// Its name.
    fn name(&self) -> &ResourceName;

    /// The timer `slot` of the resource fired. Returns when to fire again; a time that has passed
    /// means at once.
    ///
    /// Runs while the timers are locked: it may take the resource's own locks and append, but must
    /// not sweep, block, or touch another resource. Work is pushed to `jobs`.
    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis>;

    /// Runs a job that [`Resource::fire`] pushed, without any lock of the host. One job runs at a
    /// time, in the order of pushing. The job keeps its error itself: no caller waits for it.
    fn run(&self, task: u64, now: Millis) -> Result<()> {
        let (_, _) = (task, now);
        Ok(())
    }

    /// Takes a message that another resource hands over
    /// ([`Host::deliver`](crate::Host::deliver)): decides, appends and applies it, as a verb does.
    /// A message that moves is added by a record that names where it comes from; a kind without
    /// such a record refuses it.
    ///
    /// A resource that hands the message on passes [`Routed::hops`] on unchanged.
    fn accept(&self, routed: &Routed<'_>) -> Result<Accepted> {
        let _ = routed;
        Err(takes_no_deliveries(self.name()))
    }

    /// Whether the resource would take this message now, for a sender that gives what is refused to
    /// another resource in the same step. Kinds that do not join steps need not say so.
    fn check(&self, routed: &Routed<'_>) -> Result<()> {
        let _ = routed;
        Ok(())
    }

    /// Takes part in the step of a sender that delivers these messages here and others elsewhere,
    /// all at once. `None`: the kind cannot, and [`Resource::accept`] takes them.
    ///
    /// The sender holds no lock but those of resources that joined before, in the order of ids.
    fn join<'a>(&'a self, routed: &[Routed<'a>], now: Millis) -> Option<Box<dyn Joined + 'a>> {
        let (_, _) = (routed, now);
        None
    }

    /// Renders what a receiver gets of a message that names this resource as its
    /// [`Renderer`](crate::Renderer).
    fn render(&self, variant: u64, content: &Content<'_>) -> Result<Rendered> {
        let (_, _) = (variant, content);
        Err(renders_nothing(self.name()))
    }

    /// The host closes: wakes every waiter.
    fn close(&self);
}

#[cold]
fn takes_no_deliveries(name: &ResourceName) -> Error {
    let text = format!("The {} {:?} takes no deliveries.", name.kind.0, name.name);
    Error::new(Code::UnsupportedOperation, text)
}

#[cold]
fn renders_nothing(name: &ResourceName) -> Error {
    let text = format!("The {} {:?} renders no deliveries.", name.kind.0, name.name);
    Error::new(Code::UnsupportedOperation, text)
}

/// How one resource stands, as names and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceReport {
    /// Its name.
    pub name: ResourceName,
    /// Its counters, in the order in which they are shown.
    pub counters: Vec<(&'static str, u64)>,
}

impl ResourceReport {
    /// The counter of this name; 0 when there is none.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.iter().find(|(own, _)| *own == name).map_or(0, |(_, value)| *value)
    }

    /// The kind of the resource.
    pub fn kind(&self) -> ResourceKind {
        self.name.kind
    }
}
