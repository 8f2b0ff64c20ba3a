//! The rules of the standard and the FIFO queue: state and transitions, without disk, threads or
//! names of queues.

mod fifo;
mod payload;
mod seq_map;
mod standard;

pub use fifo::{
    Admitted, DedupEntry, DeleteDecision, FifoCounts, FifoFired, FifoInfo, FifoMessageState,
    FifoPlace, FifoRules, FifoState, Pick, Picked, Purged, Refusal, Removed, SendDecision,
};
pub use payload::Payload;
pub use seq_map::SeqMap;
pub use standard::{
    BodyRef, Claimed, Counts, Extend, FairLane, Fire, Gone, Info, Leased, MessageState, NewBody,
    Place, Reserved, Restored, StandardLog, Together, Visibility,
};
