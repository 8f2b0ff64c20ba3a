//! Rules of a sharded stream with the semantics of Amazon Kinesis Data Streams: which shard takes a
//! record, how sequence numbers are made and compared, how shards split and merge, where an
//! iterator starts, and how the members of a reader share shards.
//!
//! The crate is pure: time comes in as a value, and nothing here reads, writes, locks or waits.
//! Every change of a stream's shards is *decided* first ([`Shards::decide_split`] and its kind
//! return a [`Reshard`]) and *applied* later ([`Shards::apply`]), so that a journal can lie
//! between the two and a replay can call the same `apply`.
//!
//! ```
//! use trunkline_stream::{HashKey, Shards};
//!
//! let mut shards = Shards::create(2, 1_700_000_000_000);
//! let shard = shards.owner(HashKey::of("user-1"));
//! let middle = shards.get(shard).expect("it is open").range.middle();
//! let split = shards.decide_split(shard, middle, 1_700_000_060_000)?;
//! shards.apply(&split);
//! assert_eq!(shards.open().count(), 3);
//! # Ok::<(), trunkline_stream::ReshardError>(())
//! ```

mod decimal;
mod filter;
mod group;
mod hash_key;
mod iterator;
mod reader;
mod reshard;
mod sequence;
mod shard_id;
mod shards;

pub use filter::ShardFilter;
pub use group::{Group, LostLease, Taken};
pub use hash_key::{HashKey, HashKeyError, HashKeyRange};
pub use iterator::{Bounds, ITERATOR_LIFETIME, IteratorError, ShardIterator, Start};
pub use reader::{Assignment, MemberId, Progress, assign, readable};
pub use reshard::ReshardError;
pub use sequence::{SequenceError, SequenceNumber};
pub use shard_id::ShardId;
pub use shards::{NewShard, Reshard, Shard, Shards};
