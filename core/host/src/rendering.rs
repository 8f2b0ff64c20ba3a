//! Rendering: what was accepted once becomes what one receiver gets, when it is read or delivered.
//!
//! A message that goes to many receivers is stored once. What differs from one receiver to the next
//! (an envelope, header lines, a transformed input) is not stored; the message or its destination
//! names a [`Renderer`] instead, a resource and one of its variants, and the resource renders the
//! content each time. So a changed variant holds for what was accepted before, too.

use trunkline_types::{Millis, ResourceId, Result, Seq};

use crate::codec::{Put, Take};

/// Who renders: a resource, and which of its ways to do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Renderer {
    /// The resource that knows how, such as a topic or an event bus.
    pub resource: ResourceId,
    /// Which of its variants, such as the number of a subscription or of a target.
    pub variant: u64,
}

/// What was accepted.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The body as it is stored.
    pub body: &'a [u8],
    /// The attribute block as it is stored.
    pub attributes: &'a [u8],
    /// What the publisher of a shared payload says of it; empty for others.
    pub context: &'a [u8],
    /// What the message's id is made of.
    pub origin: (ResourceId, Seq),
    /// When it was accepted.
    pub accepted: Millis,
    /// Which delivery this is, from one.
    pub attempt: u32,
}

/// What one receiver gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The body.
    pub body: Vec<u8>,
    /// The attribute block; `None` for the stored one.
    pub attributes: Option<Vec<u8>>,
    /// Header lines of a delivery over HTTP, beside those of its destination; others have none.
    pub headers: Vec<(String, String)>,
}

impl Renderer {
    /// Bytes of an encoded renderer.
    pub const BYTES: usize = 12;

    /// Writes it.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.put_u32(self.resource.0);
        out.put_u64(self.variant);
    }

    /// Reads it.
    pub fn take(take: &mut Take<'_>) -> Result<Self> {
        Ok(Self { resource: ResourceId(take.u32()?), variant: take.u64()? })
    }
}
