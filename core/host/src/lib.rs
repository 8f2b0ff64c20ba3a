//! What every kind of resource needs of an engine, and what knows none of them by name: opening and
//! replay, appending, compaction, copies, reports, the directory, documents, timers and jobs,
//! waits, injected faults and the trace.
//!
//! A kind of resource is a [`ComponentKind`] in a table that the embedder hands to [`Host::open`];
//! it brings a [`Loader`], a [`Component`] and its [`Resource`]s.
//! `core/conformance/src/nouns/counter` is a small one.
//!
//! It is not a queue, and decides nothing about the content of records.

mod admission;
mod append;
mod bodies;
mod body_removal;
mod checkpoint;
mod codec;
mod deliver;
mod directory;
mod documents;
mod faults;
mod gate;
mod host;
mod inspect;
mod live_bytes;
mod location;
mod logs;
mod long_poll;
mod memory_log;
#[doc(hidden)]
pub mod mutant;
mod operation;
mod options;
mod payload;
mod payloads;
mod rendering;
mod repair;
mod resource;
mod routing;
mod run_queue;
mod settlement;
mod snapshot;
mod trace;
mod via;
mod waiters;

pub use admission::{Admission, Admitted, Held};
pub use append::{Append, Step};
pub use bodies::{Bodies, Body, BodyChecksum, BodyReader, BodyWriter, NamedBody, first_number};
pub use checkpoint::CheckpointSink;
pub use codec::{Encode, Put, Take, damaged};
pub use directory::Directory;
pub use documents::{DOCUMENT_KIND, DOCUMENTS, Documents};
pub use faults::{Effect, Faults, ResourcePattern, Rule, Verdict};
pub use host::{Compactor, Component, ComponentKind, Host, Loader, Ticker, TimerKey, advance};
pub use inspect::{Inspection, inspect};
pub use live_bytes::{LiveBytes, LiveCount};
pub use location::Location;
pub use logs::{HeldLog, LOG_KIND, LOGS, Log, Logs};
pub use long_poll::{Awaited, LongPoll, Polled, Subscription, WaitEnd};
pub use operation::{Needs, Operation};
pub use options::OpenOptions;
pub use payload::{Payload, Shared};
pub use payloads::{PAYLOADS, PayloadLoader, Payloads};
pub use rendering::{Content, Rendered, Renderer};
pub use repair::{Repair, repair};
pub use resource::{Resource, ResourceReport};
pub use routing::{
    Accepted, Also, HOPS_MAX, Joined, Move, ReceivedBefore, Routed, WAYS_MAX, too_many_hops,
    too_many_ways,
};
pub use run_queue::{Job, Jobs};
pub use settlement::{Settled, Settling};
pub use trace::{
    Entered, Note, Origin, Subject, Trace, TraceStatistics, Traced, TracedEntry, What,
};
pub use via::Via;
pub use waiters::{Ended, Parker, WaiterId, Waiters};
