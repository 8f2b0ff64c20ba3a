//! Planned faults: the n-th operation of a kind fails.

use trunkline_types::{Code, Error, Result};

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Writing bytes to a file.
    Write,
    /// Making the bytes of a file durable.
    Sync,
    /// Making the names in the folder durable.
    SyncDir,
    /// Reading bytes from a file.
    Read,
    /// Making a file.
    Create,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// Looking whether the folder is still owned.
    Claim,
}

/// What an operation does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails as a broken disk does. A write does half of its work first; after a failed sync
    /// the bytes are taken for clean, as Linux does, and later syncs leave them out.
    Broken,
    /// It fails because the disk is full; a write does half of its work first.
    Full,
    /// A read gives half of the bytes, as if the file ended there.
    Short,
    /// A file cannot be opened or created for want of a file descriptor.
    Descriptors,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    planned: Vec<(Verb, usize, Fault)>,
}

impl Faults {
    pub(super) fn plan(&mut self, verb: Verb, nth: usize, fault: Fault) {
        self.planned.push((verb, nth, fault));
    }

    /// Counts one operation; answers the fault that it has to meet.
    pub(super) fn meet(&mut self, verb: Verb) -> Option<Fault> {
        let mut met = None;
        self.planned.retain_mut(|(planned, left, fault)| {
            if *planned != verb {
                return true;
            }
            if *left == 0 {
                met = Some(*fault);
                return false;
            }
            *left -= 1;
            true
        });
        met
    }
}

/// The error of a fault.
pub(super) fn fail<T>(fault: Fault, verb: Verb) -> Result<T> {
    let code = if fault == Fault::Full { Code::StorageFull } else { Code::StorageFailure };
    Err(Error::new(code, format!("simulated: {verb:?} failed")))
}
