//! The first failure of a write or a sync, remembered for good.
//!
//! After a failed sync the content of the disk is unknown: the system may have dropped the bytes
//! and taken them for clean, so a second sync would succeed without them. Nothing is retried;
//! opening the journal again replays what is durable.

use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

#[derive(Debug)]
pub(crate) struct Poison {
    set: AtomicBool,
    cause: Mutex<Option<Error>>,
}

impl Poison {
    pub(crate) fn new() -> Self {
        Self { set: AtomicBool::new(false), cause: Mutex::new(None) }
    }

    /// Remembers `cause`, unless there is an earlier one.
    pub(crate) fn set(&self, cause: &Error) {
        lock(&self.cause).get_or_insert_with(|| cause.clone());
        self.set.store(true, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Fails when an earlier write failed.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_set() { Err(self.error()) } else { Ok(()) }
    }

    #[cold]
    fn error(&self) -> Error {
        let cause = lock(&self.cause).as_ref().map_or_else(String::new, Error::to_string);
        Error::new(
            Code::EnginePoisoned,
            format!(
                "an earlier write failed ({cause}), so nothing more is accepted; close the engine, \
                 remove the cause and open it again"
            ),
        )
    }
}
