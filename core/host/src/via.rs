//! The resources that a message has come through within one call.
//!
//! Resources hand a message on by calling each other, so those that it came through are the calls
//! of this thread that have not returned. A message that comes back to one of them would go around
//! for ever: it is refused there, before that resource does anything.

use std::cell::Cell;
use std::marker::PhantomData;

use trunkline_types::{Code, Error, ResourceId, ResourceName, Result};

use crate::routing::{HOPS_MAX, WAYS_MAX, too_many_hops, too_many_ways};

const DEPTH: usize = HOPS_MAX as usize;

/// What a message has come through on this thread.
#[derive(Clone, Copy)]
struct Passed {
    ids: [u32; DEPTH],
    depth: usize,
    /// How many resources it has come to within the outermost call.
    ways: u32,
}

thread_local! {
    static PASSED: Cell<Passed> =
        const { Cell::new(Passed { ids: [0; DEPTH], depth: 0, ways: 0 }) };
}

/// A resource that hands a message on, until it is dropped.
#[derive(Debug)]
pub struct Via {
    /// It belongs to the thread that it was made on.
    _thread: PhantomData<*const ()>,
}

impl Via {
    /// The resource begins to hand a message on. Fails if the message came through it already.
    pub fn enter(id: ResourceId, name: &ResourceName) -> Result<Self> {
        let mut passed = PASSED.get();
        let depth = passed.depth;
        if passed.ids[..depth].contains(&id.0) {
            return Err(comes_back(name));
        }
        *passed.ids.get_mut(depth).ok_or_else(too_many_hops)? = id.0;
        passed.depth = depth + 1;
        passed.ways = if depth == 0 { 1 } else { passed.ways + 1 };
        if passed.ways > WAYS_MAX {
            return Err(too_many_ways());
        }
        PASSED.set(passed);
        Ok(Self { _thread: PhantomData })
    }
}

impl Drop for Via {
    fn drop(&mut self) {
        let passed = PASSED.get();
        PASSED.set(Passed { depth: passed.depth.saturating_sub(1), ..passed });
    }
}

#[cold]
fn comes_back(name: &ResourceName) -> Error {
    Error::new(
        Code::UnsupportedOperation,
        format!(
            "The delivery comes back to the {} {:?}: its targets form a loop. Remove one that leads \
             back, or give it a pattern or a filter that does not match.",
            name.kind, name.name
        ),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use trunkline_types::ResourceKind;

    #[test]
    fn a_message_that_comes_back_is_refused_and_one_that_comes_again_is_not() {
        let name = ResourceName::local(ResourceKind("thing"), "b");
        let enter = |id| Via::enter(ResourceId(id), &name);
        let outer = enter(1).unwrap();
        drop(enter(2).unwrap());
        let inner = enter(2).unwrap();
        let error = enter(1).unwrap_err();
        assert!(error.message().contains("comes back to the thing \"b\""), "{error}");
        drop(inner);
        drop(outer);
        assert!(enter(1).is_ok());
    }

    #[test]
    fn a_message_comes_to_so_many_resources_within_one_call() {
        let name = ResourceName::local(ResourceKind("thing"), "b");
        let enter = |id| Via::enter(ResourceId(id), &name);
        for _ in 0..2 {
            let outer = enter(1).unwrap();
            for _ in 1..WAYS_MAX {
                drop(enter(2).unwrap());
            }
            assert!(enter(2).unwrap_err().message().contains("more than 10000"));
            drop(outer);
        }
    }

    #[test]
    fn a_chain_is_as_long_as_the_hops_allow() {
        let name = ResourceName::local(ResourceKind("thing"), "b");
        let chain: Vec<_> =
            (1..=HOPS_MAX).map(|id| Via::enter(ResourceId(id), &name).unwrap()).collect();
        assert!(Via::enter(ResourceId(99), &name).is_err());
        drop(chain);
    }
}
