//! Amazon Kinesis Data Streams: the operations that carry records.
//!
//! Streams are resources of the engine, shared with the process. What AWS keeps of a stream and the
//! engine does not (its mode, its tags, its consumers) lies in the stream's document; `settings`
//! reads of it what the data plane needs.

mod access;
mod check;
mod decoded;
mod errors;
mod get_records;
mod input;
mod iterator;
mod lookup;
mod output;
mod put;
mod queues;
mod service;
mod settings;
mod subscribe;
mod subscriptions;
mod target;
mod throttle;
mod usual;

pub use service::Kinesis;
