//! The records of buckets.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use trunkline_host::{Body, BodyChecksum, Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::BUCKET;
use super::config::BucketConfig;
use super::object::{Object, Pairs, Piece};
use super::upload::{Part, Upload};

pub(super) const DEFINED: u8 = 23;
pub(super) const VERSION: u8 = 24;
pub(super) const CHANGED: u8 = 25;
pub(super) const REMOVED: u8 = 26;

const VERSION_REMOVED: u8 = 1;
const UPLOAD_BEGUN: u8 = 2;
const PART: u8 = 3;
const UPLOAD_ENDED: u8 = 4;

const NULL: u8 = 1;
const DELETE_MARKER: u8 = 2;

/// One fact about a bucket.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// It is there and set like this.
    Defined { id: ResourceId, name: &'a ResourceName, created: Millis, config: &'a BucketConfig },
    /// A key has this version. A null version replaces the one that was there.
    Version { id: ResourceId, key: &'a str, object: &'a Object },
    /// A version of a key is gone.
    VersionRemoved { id: ResourceId, key: &'a str, seq: u64 },
    /// An upload has begun.
    UploadBegun { id: ResourceId, upload: &'a Upload },
    /// An upload has this part.
    Part { id: ResourceId, upload: u64, number: u32, part: &'a Part },
    /// An upload was completed or aborted; its parts are gone.
    UploadEnded { id: ResourceId, upload: u64 },
    /// The bucket is gone, with everything in it.
    Removed { id: ResourceId },
}

/// A record that was read.
#[derive(Debug)]
pub(super) enum Stored {
    Defined(ResourceName, Millis, Box<BucketConfig>),
    Version(String, Box<Object>),
    VersionRemoved(String, u64),
    UploadBegun(Box<Upload>),
    Part(u64, u32, Part),
    UploadEnded(u64),
    Removed,
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Defined { id, name, created, config } => {
                head(out, DEFINED, id);
                out.put_u64(created);
                for text in [&name.account, &name.region, &name.name] {
                    out.put_bytes(text.as_bytes());
                }
                // Strings, numbers and lists of them: it cannot fail.
                out.extend_from_slice(&serde_json::to_vec(config).unwrap_or_default());
            }
            Self::Version { id, key, object } => {
                head(out, VERSION, id);
                out.put_bytes(key.as_bytes());
                put_object(out, object);
            }
            Self::VersionRemoved { id, key, seq } => {
                change(out, id, VERSION_REMOVED);
                out.put_bytes(key.as_bytes());
                out.put_u64(seq);
            }
            Self::UploadBegun { id, upload } => {
                change(out, id, UPLOAD_BEGUN);
                out.put_u64(upload.seq);
                out.put_u64(upload.begun);
                out.put_bytes(upload.key.as_bytes());
                put_pairs(out, &upload.headers);
                put_pairs(out, &upload.tags);
            }
            Self::Part { id, upload, number, part } => {
                change(out, id, PART);
                out.put_u64(upload);
                out.put_u32(number);
                out.put_u64(part.size);
                out.put_u64(part.modified);
                out.put_bytes(part.etag.as_bytes());
                put_pairs(out, &part.checksums);
                put_pieces(out, &part.pieces);
            }
            Self::UploadEnded { id, upload } => {
                change(out, id, UPLOAD_ENDED);
                out.put_u64(upload);
            }
            Self::Removed { id } => head(out, REMOVED, id),
        }
    }
}

fn head(out: &mut Vec<u8>, kind: u8, id: ResourceId) {
    out.put_u8(kind);
    out.put_u32(id.0);
}

fn change(out: &mut Vec<u8>, id: ResourceId, change: u8) {
    head(out, CHANGED, id);
    out.put_u8(change);
}

fn put_object(out: &mut Vec<u8>, object: &Object) {
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.put_u8(flag(object.is_null, NULL) | flag(object.is_delete_marker, DELETE_MARKER));
    for number in [object.seq, object.modified, object.size] {
        out.put_u64(number);
    }
    out.put_bytes(object.etag.as_bytes());
    put_pairs(out, &object.headers);
    put_pairs(out, &object.tags);
    out.put_u32(object.parts.len() as u32);
    object.parts.iter().for_each(|size| out.put_u64(*size));
    put_pieces(out, &object.pieces);
}

fn put_pairs(out: &mut Vec<u8>, pairs: &Pairs) {
    out.put_u32(pairs.len() as u32);
    for (name, value) in pairs {
        out.put_bytes(name.as_bytes());
        out.put_bytes(value.as_bytes());
    }
}

/// In the number of pieces: each has the checksum of its body. Earlier versions wrote none.
const CHECKED: u32 = 1 << 31;

fn put_pieces(out: &mut Vec<u8>, pieces: &[Piece]) {
    out.put_u32(pieces.len() as u32 | CHECKED);
    for piece in pieces {
        let written = piece.body.checksum().unwrap_or(BodyChecksum { bytes: 0, crc: 0 });
        for number in [piece.body.id(), piece.offset, piece.len, written.bytes] {
            out.put_u64(number);
        }
        out.put_u32(written.crc);
    }
}

/// The bodies that records name: one for each id, however many records name it.
#[derive(Default)]
pub(super) struct BodyTable(HashMap<u64, Weak<Body>>);

impl BodyTable {
    fn body(&mut self, id: u64, checksum: Option<BodyChecksum>) -> Arc<Body> {
        if let Some(body) = self.0.get(&id).and_then(Weak::upgrade) {
            return body;
        }
        let body = Body::of(id, checksum);
        self.0.insert(id, Arc::downgrade(&body));
        body
    }
}

impl Stored {
    pub fn decode(bytes: &[u8], bodies: &mut BodyTable) -> Result<(ResourceId, Self)> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        let stored = match kind {
            DEFINED => {
                let created = take.u64()?;
                let (account, region) = (take.text()?.to_owned(), take.text()?.to_owned());
                let name = ResourceName::new(BUCKET, account, region, take.text()?);
                let config = serde_json::from_slice(take.0)
                    .map_err(|_| damaged("settings of a bucket that cannot be read"))?;
                Self::Defined(name, created, Box::new(config))
            }
            VERSION => {
                let key = take.text()?.to_owned();
                Self::Version(key, Box::new(take_object(&mut take, bodies)?))
            }
            CHANGED => Self::decode_change(&mut take, bodies)?,
            REMOVED => Self::Removed,
            _ => return Err(damaged("a kind this version does not know")),
        };
        Ok((id, stored))
    }

    fn decode_change(take: &mut Take<'_>, bodies: &mut BodyTable) -> Result<Self> {
        Ok(match take.u8()? {
            VERSION_REMOVED => Self::VersionRemoved(take.text()?.to_owned(), take.u64()?),
            UPLOAD_BEGUN => Self::UploadBegun(Box::new(Upload {
                seq: take.u64()?,
                begun: take.u64()?,
                key: take.text()?.to_owned(),
                headers: take_pairs(take)?,
                tags: take_pairs(take)?,
                parts: Default::default(),
                at: None,
            })),
            PART => {
                let (upload, number) = (take.u64()?, take.u32()?);
                let (size, modified) = (take.u64()?, take.u64()?);
                let etag = take.text()?.to_owned();
                let checksums = take_pairs(take)?;
                let pieces = take_pieces(take, bodies)?;
                Self::Part(
                    upload,
                    number,
                    Part { size, etag, modified, checksums, pieces, at: None },
                )
            }
            UPLOAD_ENDED => Self::UploadEnded(take.u64()?),
            _ => return Err(damaged("a change of a bucket that this version does not know")),
        })
    }
}

fn take_object(take: &mut Take<'_>, bodies: &mut BodyTable) -> Result<Object> {
    let flags = take.u8()?;
    let (seq, modified, size) = (take.u64()?, take.u64()?, take.u64()?);
    let etag = take.text()?.to_owned();
    let (headers, tags) = (take_pairs(take)?, take_pairs(take)?);
    let count = take.u32()?;
    let parts = (0..count).map(|_| take.u64()).collect::<Result<_>>()?;
    Ok(Object {
        seq,
        is_null: flags & NULL != 0,
        is_delete_marker: flags & DELETE_MARKER != 0,
        modified,
        size,
        etag,
        headers,
        tags,
        parts,
        pieces: take_pieces(take, bodies)?,
        at: None,
    })
}

fn take_pairs(take: &mut Take<'_>) -> Result<Pairs> {
    let count = take.u32()?;
    (0..count).map(|_| Ok((take.text()?.to_owned(), take.text()?.to_owned()))).collect()
}

fn take_pieces(take: &mut Take<'_>, bodies: &mut BodyTable) -> Result<Vec<Piece>> {
    let count = take.u32()?;
    let is_checked = count & CHECKED != 0;
    let piece = |_| {
        let (id, offset, len) = (take.u64()?, take.u64()?, take.u64()?);
        let written = match is_checked {
            true => Some(BodyChecksum { bytes: take.u64()?, crc: take.u32()? }),
            false => None,
        };
        // No body is empty.
        let written = written.filter(|written| written.bytes > 0);
        Ok(Piece { body: bodies.body(id, written), offset, len })
    };
    (0..count & !CHECKED).map(piece).collect()
}
