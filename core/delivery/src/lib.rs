//! Deliveries that leave the engine: when a failed delivery is tried again, and how one is sent
//! over HTTP.
//!
//! This crate knows no queue, no topic and no journal. It has three parts:
//!
//! - `retry`: retry tables as data, and one pure function that says when the next attempt is due.
//! - `http`: one client for many endpoints, on a bounded pool of connections. An attempt ends in
//!   an [`Outcome`], which is a value: delivered, failed for now, or failed for good.
//! - `outbox`: the rules of deliveries that wait: what follows an attempt, who is served next.
//!
//! It is not a general HTTP client: it follows no redirect, keeps no cookies, and reads a bounded
//! part of a response.

mod http;
mod outbox;
mod retry;

pub use http::{
    Attempt, Client, ClientOptions, Endpoint, Failure, Gate, Outcome, Reach, Resolve, Response,
    RetryAfter, Slot, SystemResolver,
};
pub use outbox::{Dispatcher, Ended, GiveUp, Turn, Verdict, after_attempt, before_attempt};
pub use retry::{Curve, Delay, Exhausted, Failed, HttpPolicy, Jitter, Phase, Retry, RetryTable};
