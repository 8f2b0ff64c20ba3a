//! Writing content: bytes go to a body as they come, and what they are hashed to is the entity tag.

use std::sync::Arc;

use md5::{Digest, Md5};
use trunkline_host::{BodyWriter, Host};
use trunkline_types::Result;

use super::object::{Content, Piece};

/// Content that is being written. Dropping it removes what was written.
pub struct ContentWriter {
    host: Arc<Host>,
    /// Absent until there is a byte: an empty object needs no file.
    body: Option<BodyWriter>,
    hash: Md5,
}

impl std::fmt::Debug for ContentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContentWriter").field("body", &self.body).finish_non_exhaustive()
    }
}

impl ContentWriter {
    pub(super) fn new(host: &Arc<Host>) -> Self {
        Self { host: host.clone(), body: None, hash: Md5::new() }
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.hash.update(bytes);
        if self.body.is_none() {
            self.host.check_writable()?;
            self.body = Some(self.host.bodies().create()?);
        }
        match &mut self.body {
            Some(body) => body.write(bytes),
            None => Ok(()),
        }
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.body.as_ref().map_or(0, BodyWriter::written)
    }

    /// Ends the content; returns it and its MD5. It is on the disk if the engine's durability says
    /// so, and may block until then.
    pub fn finish(self) -> Result<(Content, [u8; 16])> {
        let size = self.written();
        let pieces = match self.body {
            None => Vec::new(),
            Some(body) => {
                let body = body.finish(self.host.durability)?;
                vec![Piece { body, offset: 0, len: size }]
            }
        };
        let md5: [u8; 16] = self.hash.finalize().into();
        Ok((Content { pieces, size, etag: hex(&md5), parts: Vec::new() }, md5))
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
