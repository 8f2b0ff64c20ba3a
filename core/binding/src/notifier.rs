//! How threads of the engine wake an event loop.
//!
//! A thread says what has happened and writes to the descriptor only if the loop has looked since
//! the last write: a burst of a thousand costs one write and one callback. It never takes the
//! interpreter's lock.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use trunkline_engine::Signal;
use trunkline_types::sync::lock;

use crate::event_file;

/// The descriptor that one loop listens to, and the tokens that were signalled.
pub(crate) struct Notifier {
    tokens: Mutex<Vec<u64>>,
    notified: AtomicBool,
    reader: File,
    writer: File,
}

impl Notifier {
    pub fn new() -> std::io::Result<Self> {
        let (reader, writer) = event_file::pair()?;
        Ok(Self { tokens: Mutex::default(), notified: AtomicBool::new(false), reader, writer })
    }

    /// What the loop listens to.
    pub fn descriptor(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// Makes the loop look, if it does not already.
    pub fn notify(&self) {
        if !self.notified.swap(true, Ordering::AcqRel) {
            // A full descriptor has notified already; a closed one has no loop that could care.
            drop((&self.writer).write_all(&1u64.to_ne_bytes()));
        }
    }

    /// The tokens that were signalled since the last look.
    pub fn take_tokens(&self) -> Vec<u64> {
        let mut buffer = [0u8; 64];
        // Empty already if the loop looked twice.
        drop((&self.reader).read(&mut buffer));
        // Before anything is taken: what is signalled after this line notifies anew. A swap, so
        // that all that was signalled before it is seen.
        self.notified.swap(false, Ordering::AcqRel);
        std::mem::take(&mut *lock(&self.tokens))
    }
}

/// The signal that completes one token.
pub(crate) struct Token {
    pub notifier: Arc<Notifier>,
    pub token: u64,
}

impl Signal for Token {
    fn signal(&self) {
        lock(&self.notifier.tokens).push(self.token);
        self.notifier.notify();
    }
}
