//! The resources that a message has come through within one call.
//!
//! Resources hand a message on by calling each other, so those that it came through are the calls
//! of this thread that have not returned. A message that comes back to one of them would go around
//! for ever: it is refused there, before that resource does anything.

use std::cell::Cell;
use std::marker::PhantomData;

use trunkline_types::{Code, Error, ResourceId, ResourceName, Result};

use crate::routing::{HOPS_MAX, too_many_hops};

const DEPTH: usize = HOPS_MAX as usize;

thread_local! {
    static PASSED: Cell<([u32; DEPTH], usize)> = const { Cell::new(([0; DEPTH], 0)) };
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
        let (mut passed, depth) = PASSED.get();
        if passed[..depth].contains(&id.0) {
            return Err(comes_back(name));
        }
        *passed.get_mut(depth).ok_or_else(too_many_hops)? = id.0;
        PASSED.set((passed, depth + 1));
        Ok(Self { _thread: PhantomData })
    }
}

impl Drop for Via {
    fn drop(&mut self) {
        let (passed, depth) = PASSED.get();
        PASSED.set((passed, depth.saturating_sub(1)));
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
    fn a_chain_is_as_long_as_the_hops_allow() {
        let name = ResourceName::local(ResourceKind("thing"), "b");
        let chain: Vec<_> =
            (1..=HOPS_MAX).map(|id| Via::enter(ResourceId(id), &name).unwrap()).collect();
        assert!(Via::enter(ResourceId(99), &name).is_err());
        drop(chain);
    }
}
