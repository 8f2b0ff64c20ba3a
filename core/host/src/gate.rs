//! Whether an engine may be used, by this process and for this verb: two loads.

use trunkline_types::sync::atomic::{AtomicU32, Ordering};
use trunkline_types::{Code, Error, Result, forked_since};

pub(crate) const CLOSED: u32 = 1;
pub(crate) const READ_ONLY: u32 = 2;

pub(crate) struct Gate {
    flags: AtomicU32,
    generation: u32,
}

impl Gate {
    pub fn new(read_only: bool, generation: u32) -> Self {
        let flags = AtomicU32::new(if read_only { READ_ONLY } else { 0 });
        Self { flags, generation }
    }

    /// Closes; whether it was open.
    pub fn close(&self) -> bool {
        self.flags.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    pub fn is_closed(&self) -> bool {
        self.flags.load(Ordering::Acquire) & CLOSED != 0
    }

    pub fn is_forked(&self) -> bool {
        forked_since(self.generation)
    }

    pub fn is_read_only(&self) -> bool {
        self.flags.load(Ordering::Acquire) & READ_ONLY != 0
    }

    #[inline]
    pub fn check(&self, refused: u32) -> Result<()> {
        if self.flags.load(Ordering::Acquire) & refused == 0 && !forked_since(self.generation) {
            return Ok(());
        }
        Err(self.refusal())
    }

    #[cold]
    fn refusal(&self) -> Error {
        if forked_since(self.generation) {
            return Error::new(
                Code::EngineForked,
                "This engine was opened before the process was forked, so it belongs to the \
                 parent. Open an engine in the child.",
            );
        }
        if self.flags.load(Ordering::Acquire) & CLOSED != 0 {
            return Error::new(
                Code::EngineClosed,
                "The engine is closed. Open it again to use it.",
            );
        }
        Error::new(
            Code::EngineReadOnly,
            "The engine was opened read-only. Open it without read_only to change anything.",
        )
    }
}
