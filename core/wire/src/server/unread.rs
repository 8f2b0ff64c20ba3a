//! Bytes of an answer that count as held until the caller has them.

use std::sync::Arc;

use bytes::Bytes;

use super::connections::{Connection, Writing};

/// Bytes that count as unread until they are written or thrown away.
pub(super) fn unread(connection: &Arc<Connection>, bytes: Vec<u8>) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    let writing = connection.answer(&bytes);
    Bytes::from_owner(Body { bytes, _writing: writing })
}

struct Body {
    bytes: Vec<u8>,
    _writing: Writing,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
