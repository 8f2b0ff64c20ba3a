//! Uploads in parts: begin, put parts, complete or abort.

use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};
use trunkline_host::Append;
use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use super::config::check_key;
use super::content::hex;
use super::object::{Attributes, Content, Object, Pairs};
use super::operation::PUT;
use super::put::{Cause, Change, Condition, PutOutcome};
use super::record::Record;
use super::upload::{PART_BYTES_MIN, PART_NUMBER_MAX, Part, Upload};
use super::{Bucket, State, errors};

/// A part that a caller says an object is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Its number.
    pub number: u32,
    /// Its entity tag, without quotes.
    pub etag: String,
}

/// A page of uploads, and whether there is more.
pub type UploadPage = (Vec<Upload>, bool);

impl Bucket {
    /// Begins an upload.
    pub fn begin_upload(
        &self,
        key: &str,
        attributes: Attributes,
    ) -> Result<(Upload, Option<Ticket>)> {
        let call = self.host.admit(PUT, &self.name)?;
        check_key(key)?;
        let now = call.now(&self.host);
        let _changing = lock(&self.changing);
        self.check_writable()?;
        let mut log = self.host.append_at(now)?;
        let mut state = self.state();
        let mut upload = Upload {
            seq: state.next_number(),
            key: key.to_owned(),
            begun: now,
            headers: attributes.headers,
            tags: attributes.tags,
            parts: BTreeMap::new(),
            at: None,
        };
        upload.at = log.append_live(&Record::UploadBegun { id: self.id, upload: &upload }, None);
        state.uploads.insert(upload.seq, upload.clone());
        Ok((upload, log.ticket()))
    }

    /// The id of an upload, for callers.
    pub fn upload_id(&self, upload: &Upload) -> String {
        self.opaque_id(upload.seq)
    }

    /// The upload of this id, which is for this key.
    pub fn upload(&self, key: &str, id: &str) -> Result<Upload> {
        self.check_readable()?;
        let state = self.state();
        self.find_upload(&state, key, id).cloned().ok_or_else(errors::no_such_upload)
    }

    fn find_upload<'s>(&self, state: &'s State, key: &str, id: &str) -> Option<&'s Upload> {
        let mut uploads = state.uploads.values();
        uploads.find(|upload| upload.key == key && self.opaque_id(upload.seq) == id)
    }

    /// Adds a part, or replaces the one of that number.
    pub fn put_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: Content,
        checksums: Pairs,
    ) -> Result<(Part, Option<Ticket>)> {
        let call = self.host.admit(PUT, &self.name)?;
        if !(1..=PART_NUMBER_MAX).contains(&number) {
            return Err(Error::new(
                Code::InvalidParameterValue,
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        }
        let now = call.now(&self.host);
        let Content { pieces, size, etag, .. } = content;
        let mut part = Part { size, etag, modified: now, checksums, pieces, at: None };
        let (replaced, ticket) = {
            let _changing = lock(&self.changing);
            self.check_writable()?;
            let mut log = self.host.append_at(now)?;
            let mut state = self.state();
            let found = self.find_upload(&state, key, id).map(|upload| upload.seq);
            let seq = found.ok_or_else(errors::no_such_upload)?;
            let record = Record::Part { id: self.id, upload: seq, number, part: &part };
            part.at = log.append_live(&record, None);
            let upload = state.uploads.get_mut(&seq).ok_or_else(errors::no_such_upload)?;
            let replaced = upload.parts.insert(number, part.clone());
            let at = replaced.as_ref().and_then(|old| old.at);
            at.into_iter().for_each(|at| log.release(at));
            (replaced, log.ticket())
        };
        if replaced.is_some() {
            self.host.watch_unused_bodies();
        }
        drop(replaced);
        self.host.remove_unused_bodies()?;
        Ok((part, ticket))
    }

    /// Makes an object of the parts of an upload, in order.
    pub fn complete_upload(
        &self,
        key: &str,
        id: &str,
        parts: &[CompletedPart],
        headers: Pairs,
        condition: &Condition,
        cause: &Cause<'_>,
    ) -> Result<PutOutcome> {
        let call = self.host.admit(PUT, &self.name)?;
        let now = call.now(&self.host);
        let (object, ticket) = {
            let _changing = lock(&self.changing);
            self.check_writable()?;
            let upload = self.upload(key, id)?;
            condition.check(key, self.state().index.newest(key))?;
            let content = assemble(&upload, parts)?;
            let mut attributes = Attributes { headers: upload.headers, tags: upload.tags };
            // What is of the upload alone is marked like this.
            attributes.headers.retain(|(name, _)| !name.starts_with('!'));
            attributes.headers.extend(headers);
            let object = self.new_object(content, attributes, now);
            let change = Change::Put(object.clone(), Some(upload.seq));
            let ticket = self.commit(key, change, now, cause)?;
            (object, ticket)
        };
        self.host.remove_unused_bodies()?;
        Ok(PutOutcome { object, ticket })
    }

    /// Ends an upload and removes its parts.
    pub fn abort_upload(&self, key: &str, id: &str) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let seq = self.upload(key, id)?.seq;
        self.abort_number(seq)
    }

    pub(super) fn abort_number(&self, seq: u64) -> Result<Option<Ticket>> {
        let ticket = {
            let _changing = lock(&self.changing);
            let mut log = self.host.append()?;
            let mut state = self.state();
            self.end_upload(&mut log, &mut state, seq);
            log.ticket()
        };
        self.host.watch_unused_bodies();
        self.host.remove_unused_bodies()?;
        Ok(ticket)
    }

    /// The uploads whose key starts with `prefix`, in order of keys and then of time, behind a key
    /// and one of its uploads.
    pub fn uploads(
        &self,
        prefix: &str,
        after: Option<(&str, Option<&str>)>,
    ) -> Result<Vec<Upload>> {
        self.check_readable()?;
        let state = self.state();
        let mut found: Vec<&Upload> =
            state.uploads.values().filter(|upload| upload.key.starts_with(prefix)).collect();
        found.sort_by(|a, b| (&a.key, a.seq).cmp(&(&b.key, b.seq)));
        if let Some((key, id)) = after {
            let marker = id.and_then(|id| self.find_upload(&state, key, id)).map(|one| one.seq);
            found.retain(|upload| match (upload.key.as_str().cmp(key), marker) {
                (std::cmp::Ordering::Equal, Some(marker)) => upload.seq > marker,
                (order, _) => order == std::cmp::Ordering::Greater,
            });
        }
        Ok(found.into_iter().cloned().collect())
    }

    /// Appends the end of an upload and applies it.
    pub(super) fn end_upload(&self, log: &mut Append<'_>, state: &mut State, seq: u64) {
        let Some(upload) = state.uploads.remove(&seq) else { return };
        log.append(&Record::UploadEnded { id: self.id, upload: seq });
        let parts = upload.parts.values().map(|part| part.at);
        for at in parts.chain([upload.at]).flatten() {
            log.release(at);
        }
    }

    /// The bytes of the record that ends an upload.
    pub(super) fn ended_bytes(&self) -> usize {
        1 + 4 + 1 + 8
    }
}

/// The content that these parts of an upload make.
fn assemble(upload: &Upload, parts: &[CompletedPart]) -> Result<Content> {
    let mut content =
        Content { pieces: Vec::new(), size: 0, etag: String::new(), parts: Vec::new() };
    let mut hash = Md5::new();
    for (place, named) in parts.iter().enumerate() {
        let part = upload.parts.get(&named.number).filter(|part| part.etag == named.etag);
        let part = part.ok_or_else(|| errors::invalid_part(named.number))?;
        if part.size < PART_BYTES_MIN && place + 1 < parts.len() {
            return Err(errors::too_small(named.number));
        }
        content.pieces.extend(part.pieces.iter().cloned());
        content.size += part.size;
        content.parts.push(part.size);
        hash.update(bytes_of(&part.etag));
    }
    content.etag = format!("{}-{}", hex(&hash.finalize()), parts.len());
    Ok(content)
}

/// The bytes of an entity tag in hexadecimal; what is none counts as its text.
fn bytes_of(etag: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|value| value as u8);
    let pairs = etag.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?));
    let bytes: Option<Vec<u8>> = pairs.collect();
    bytes.unwrap_or_else(|| etag.as_bytes().to_vec())
}

impl Upload {
    /// The part that an object is, so far: for copies of it.
    pub fn size(&self) -> u64 {
        self.parts.values().map(|part| part.size).sum()
    }
}

impl Object {
    /// A part made of a stretch of this object; it shares the content.
    pub fn part_content(self: &Arc<Self>, start: u64, len: u64) -> Content {
        let pieces = self.content().slice(start, len);
        Content { pieces, size: len, etag: String::new(), parts: Vec::new() }
    }
}
