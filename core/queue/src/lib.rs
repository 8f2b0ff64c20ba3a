//! The rules of the standard and the FIFO queue: state and transitions, without disk, threads or
//! names of queues.

mod fifo;
mod payload;
mod seq_map;
mod standard;

pub use fifo::{
    Admitted, DedupEntry, DeleteDecision, FifoCounts, FifoFired, FifoInfo, FifoMessageState,
    FifoRules, FifoSlotRef, FifoState, Pick, Purged, ReceiveDecision, Refusal, Removed,
    SendDecision,
};
pub use payload::Payload;
pub use seq_map::SeqMap;
pub use standard::{
    BatchCount, BodyRef, Claim, Counts, Extend, FairScheduler, Fire, Gone, Info, Leased,
    MessageState, NewBody, Reserved, Restored, Restoring, SharedBody, SlotRef, StandardLog,
    Visibility,
};
