//! The rules of the standard and the FIFO queue: state and transitions, without disk, threads or
//! names of queues.

mod standard;

pub use standard::{
    BodyRef, Claimed, Counts, Extend, FairLane, Fire, Gone, Info, Leased, MessageState, NewBody,
    Place, Reserved, Restored, StandardLog, Visibility,
};
