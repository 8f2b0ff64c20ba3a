//! What a bus asks of the router: to deliver an event to many targets, whatever they are.
//!
//! Kinds of resources never import each other; `router` implements this for the engine's.

use std::fmt;
use std::sync::Arc;

use trunkline_host::{Accepted, Also};
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::Bus;

/// The rule that an event is delivered by.
#[derive(Clone, Copy)]
pub struct RuleSource<'a> {
    pub(crate) bus: &'a Bus,
    pub(crate) id: ResourceId,
    pub(crate) name: &'a str,
}

impl RuleSource<'_> {
    /// The ARN of the rule.
    pub fn arn(&self) -> String {
        self.bus.rule_arn(self.name)
    }
}

impl fmt::Debug for RuleSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule {} of the bus {}", self.name, self.bus.name.name)
    }
}

/// One target of a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventTarget<'a> {
    /// The rule that names it.
    pub rule: RuleSource<'a>,
    /// The resource.
    pub resource: ResourceId,
    /// The group, for a target that keeps order by group.
    pub group: Option<&'a str>,
    /// The body of the message.
    pub body: &'a [u8],
    /// The attribute block of the message.
    pub attributes: &'a [u8],
}

impl EventTarget<'_> {
    /// Whether its message has nothing but the body.
    pub fn is_plain(&self) -> bool {
        self.attributes.is_empty()
    }
}

/// Everything that a put does, but for its counters.
#[derive(Clone, Copy)]
pub(crate) struct EventStep<'a> {
    /// The deliveries.
    pub targets: &'a [EventTarget<'a>],
    /// What else is appended in the step: the entries of archives.
    pub participants: &'a [&'a dyn Also],
    /// How many resources have handed the event on before.
    pub hops: u32,
    /// When the put was admitted.
    pub now: Millis,
}

/// What became of each target, in their order, and what is to be waited for.
pub(crate) type Delivered = (Vec<Result<Accepted>>, Option<Ticket>);

/// Delivers events to resources of every kind.
pub(crate) trait EventDelivery: Send + Sync {
    /// Whether a target would take its message now. An error that is not the target's own means
    /// that the engine takes nothing at the moment.
    fn check(&self, target: &EventTarget<'_>) -> Result<()>;

    /// Whether the policy of the target lets the rule send to it.
    fn permits(&self, target: &EventTarget<'_>) -> bool;

    /// Carries a put out in one step of the journal: a crash leaves all of it or nothing. Each
    /// target succeeds or fails for itself; an error of the whole means that nothing was done.
    fn deliver(&self, step: &EventStep<'_>) -> Result<Delivered>;
}

/// Where the buses of an engine find the router, once it is there.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Arc<dyn EventDelivery>>>);

impl Slot {
    pub fn set(&self, delivery: Arc<dyn EventDelivery>) {
        *lock(&self.0) = Some(delivery);
    }

    pub fn get(&self) -> Result<Arc<dyn EventDelivery>> {
        lock(&self.0).clone().ok_or_else(|| {
            Error::new(Code::InternalError, "The event buses have no router to deliver through.")
        })
    }
}
