//! The records of counters. Each holds a whole state, so a copy may be replayed before a newer one.

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result};

pub const CREATED: u8 = 240;
pub const VALUE: u8 = 241;
pub const REMOVED: u8 = 242;

/// One fact about a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// It exists, and its timer raises it every `period`; 0 for never.
    Created { id: ResourceId, name: &'a str, period: Millis, next: Millis },
    /// It stands at `value`, and the timer raises it at `next`.
    Value { id: ResourceId, value: i64, next: Millis },
    /// It is gone.
    Removed { id: ResourceId },
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Created { id, name, period, next } => {
                out.put_u8(CREATED);
                out.put_u32(id.0);
                out.put_bytes(name.as_bytes());
                out.put_u64(period);
                out.put_u64(next);
            }
            Self::Value { id, value, next } => {
                out.put_u8(VALUE);
                out.put_u32(id.0);
                out.put_u64(value.cast_unsigned());
                out.put_u64(next);
            }
            Self::Removed { id } => {
                out.put_u8(REMOVED);
                out.put_u32(id.0);
            }
        }
    }
}

impl<'a> Record<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        match kind {
            CREATED => {
                let (name, period) = (take.text()?, take.u64()?);
                Ok(Self::Created { id, name, period, next: take.u64()? })
            }
            VALUE => Ok(Self::Value { id, value: take.u64()?.cast_signed(), next: take.u64()? }),
            REMOVED => Ok(Self::Removed { id }),
            _ => Err(damaged("a kind this version does not know")),
        }
    }
}
