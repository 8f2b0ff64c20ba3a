//! The kinds of resources under test. A new kind adds its module and one line to [`NOUNS`].

mod buckets;
mod buses;
pub mod counter;
mod documents;
mod logs;
mod machines;
mod outbox;
mod payloads;
mod puts;
mod queues;
mod schedules;
mod streams;
mod topics;
mod workflows;

use crate::Noun;

/// Every kind that the tests try.
pub const NOUNS: &[&dyn Noun] = &[
    &queues::QueueNoun,
    &documents::DocumentNoun,
    &payloads::PayloadNoun,
    &logs::LogNoun,
    &outbox::OutboxNoun,
    &buses::BusNoun,
    &counter::CounterNoun,
    &streams::StreamNoun,
    &topics::TopicNoun,
    &schedules::ScheduleNoun,
    &machines::MachineNoun,
    &buckets::BucketNoun,
    &workflows::WorkflowNoun,
];
