//! Whether topics and rules may send to the queues that they name. An embedder who trusts all
//! callers needs no answer; a server that proves who calls asks the policies of the queues.

use std::fmt;
use std::sync::Arc;

use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{ResourceId, ResourceName};

use crate::bus::RuleSource;
use crate::outbox::is_of_outbox;
use crate::queue::{Grant, Queue};
use crate::topic::Topic;

/// What sends to a queue.
#[derive(Clone, Copy)]
pub enum DeliverySource<'a> {
    /// A topic.
    Topic(&'a Topic),
    /// A rule of an event bus.
    Rule(RuleSource<'a>),
}

impl DeliverySource<'_> {
    /// The principal that sends.
    pub fn service(&self) -> &'static str {
        match self {
            Self::Topic(_) => "sns.amazonaws.com",
            Self::Rule(_) => "events.amazonaws.com",
        }
    }

    /// The account of the topic or the rule.
    pub fn account(&self) -> &str {
        match self {
            Self::Topic(topic) => &topic.name().account,
            Self::Rule(rule) => &rule.bus.name().account,
        }
    }

    /// The ARN of the topic or the rule.
    pub fn arn(&self) -> String {
        match self {
            Self::Topic(topic) => topic.arn(),
            Self::Rule(rule) => rule.arn(),
        }
    }

    fn id(&self) -> ResourceId {
        match self {
            Self::Topic(topic) => topic.id(),
            Self::Rule(rule) => rule.id,
        }
    }
}

/// Reads the policy in the document of a queue.
pub trait Authorizer: Send + Sync {
    /// Whether the policy lets `source` send to `queue`.
    fn grant(&self, queue: &ResourceName, document: &[u8], source: &DeliverySource<'_>) -> Grant;
}

/// The authorizer of an engine, once there is one.
#[derive(Default)]
pub(crate) struct Authorization {
    authorizer: Mutex<Option<Arc<dyn Authorizer>>>,
    /// Whether there is one: without any, no delivery takes a lock.
    is_on: AtomicBool,
}

impl Authorization {
    /// Asks `authorizer` from now on. The first one stays.
    pub fn enforce(&self, authorizer: Arc<dyn Authorizer>) {
        lock(&self.authorizer).get_or_insert(authorizer);
        self.is_on.store(true, Ordering::Release);
    }

    /// Whether all deliveries are allowed.
    pub fn is_off(&self) -> bool {
        !self.is_on.load(Ordering::Acquire)
    }

    /// Whether `source` may send to `queue`. Destinations of the outbox belong to their source.
    pub fn permits(&self, queue: &Queue, source: &DeliverySource<'_>) -> bool {
        if self.is_off() || is_of_outbox(queue.name()) {
            return true;
        }
        let authorizer = lock(&self.authorizer).clone();
        authorizer.is_some_and(|authorizer| {
            queue.grants(source.id(), |document| authorizer.grant(queue.name(), document, source))
        })
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorization").field(&!self.is_off()).finish()
    }
}
