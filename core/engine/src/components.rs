//! The table of kinds: one line registers a kind of resource.

use trunkline_host::{ComponentKind, DOCUMENTS, LOGS, PAYLOADS};

use crate::bucket::BUCKETS;
use crate::bus::BUSES;
use crate::machine::MACHINES;
use crate::outbox::OUTBOX;
use crate::queue::QUEUES;
use crate::schedule::SCHEDULES;
use crate::stream::STREAMS;
use crate::topic::TOPICS;
use crate::workflow::DOMAINS;

/// Every kind of resource, in the order in which they are built: a kind may refer to earlier ones.
pub static KINDS: &[&ComponentKind] = &[
    &DOCUMENTS, &LOGS, &PAYLOADS, &QUEUES, &OUTBOX, &TOPICS, &BUSES, &STREAMS, &SCHEDULES,
    &MACHINES, &BUCKETS, &DOMAINS,
];
