//! Objects: one version of what lies under a key, and the pieces of bodies that it is made of.

use std::sync::Arc;

use trunkline_host::{Body, BodyReader, Location};
use trunkline_types::{Millis, Result};

/// Names and values, in order.
pub type Pairs = Vec<(String, String)>;

/// A version of an object. It never changes: a change of its tags replaces it.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its number in the bucket; later versions have larger ones.
    pub seq: u64,
    /// Whether it is the version without an id, of which a key has one at most.
    pub is_null: bool,
    /// Whether it says that the key was deleted; then it has no content.
    pub is_delete_marker: bool,
    /// When it was put.
    pub modified: Millis,
    /// Bytes of content.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// Headers that were put with it, names in lower case: `content-type`, `x-amz-meta-...`.
    pub headers: Pairs,
    /// Its tags.
    pub tags: Pairs,
    /// The sizes of its parts, if it was uploaded in parts.
    pub parts: Vec<u64>,
    pub(super) pieces: Vec<Piece>,
    pub(super) at: Option<Location>,
}

/// A stretch of a body.
#[derive(Debug, Clone)]
pub struct Piece {
    pub(super) body: Arc<Body>,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// A version, as callers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionRef {
    /// The version without an id.
    Null,
    /// The version of this id.
    Id(String),
}

impl From<&str> for VersionRef {
    fn from(text: &str) -> Self {
        if text == "null" { Self::Null } else { Self::Id(text.to_owned()) }
    }
}

/// What a caller says of an object when it puts one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// See [`Object::headers`].
    pub headers: Pairs,
    /// See [`Object::tags`].
    pub tags: Pairs,
}

/// Content that is written and belongs to no object yet. It is removed when it is dropped.
#[derive(Debug, Clone)]
pub struct Content {
    pub(super) pieces: Vec<Piece>,
    /// How long it is.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The sizes of the parts, if it was uploaded in parts.
    pub parts: Vec<u64>,
}

impl Object {
    /// The header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Its content, for another object that is to have the same.
    pub fn content(&self) -> Content {
        Content {
            pieces: self.pieces.clone(),
            size: self.size,
            etag: self.etag.clone(),
            parts: self.parts.clone(),
        }
    }

    /// Opens its content from `start` on, for `len` bytes. It fails if a file of it is missing. A
    /// read of a whole file fails at its end if that is not as it was written.
    pub fn open(&self, start: u64, len: u64) -> Result<ObjectReader> {
        let mut pieces = slice(&self.pieces, start, len);
        pieces.reverse();
        let mut current = None;
        for piece in &pieces {
            // The first piece is the last one here, and stays open.
            current = Some((piece.body.id(), piece.body.open()?));
        }
        Ok(ObjectReader { pieces, current })
    }
}

impl Content {
    /// A stretch of the content.
    pub fn slice(&self, start: u64, len: u64) -> Vec<Piece> {
        slice(&self.pieces, start, len)
    }
}

/// The stretch of `len` bytes from `start` on, of content that is made of `pieces`.
fn slice(pieces: &[Piece], mut start: u64, mut len: u64) -> Vec<Piece> {
    let mut found = Vec::new();
    for piece in pieces {
        if start >= piece.len {
            start -= piece.len;
            continue;
        }
        if len == 0 {
            break;
        }
        let taken = (piece.len - start).min(len);
        let offset = piece.offset + start;
        found.push(Piece { body: piece.body.clone(), offset, len: taken });
        (start, len) = (0, len - taken);
    }
    found
}

/// Reads the content of an object. The content stays readable when the object is removed.
#[derive(Debug)]
pub struct ObjectReader {
    /// The pieces that are not read yet, the next one last.
    pieces: Vec<Piece>,
    current: Option<(u64, BodyReader)>,
}

impl ObjectReader {
    /// Reads the next bytes; returns how many, 0 at the end.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        loop {
            let Some(piece) = self.pieces.last_mut() else { return Ok(0) };
            if piece.len == 0 {
                self.pieces.pop();
                self.current = None;
                continue;
            }
            let id = piece.body.id();
            if self.current.as_ref().is_none_or(|(open, _)| *open != id) {
                self.current = Some((id, piece.body.open()?));
            }
            let Some((_, reader)) = &mut self.current else { return Ok(0) };
            let wanted = bytes.len().min(usize::try_from(piece.len).unwrap_or(usize::MAX));
            let count = reader.read_at(piece.offset, &mut bytes[..wanted])?;
            if count == 0 && wanted > 0 {
                return Err(super::errors::cut_short(id));
            }
            piece.offset += count as u64;
            piece.len -= count as u64;
            return Ok(count);
        }
    }
}
