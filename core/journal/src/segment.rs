//! The table of segments: file names, lengths, and open files for reading.

use std::sync::Arc;

use trunkline_types::{Code, Error, Result};

use crate::limits;
use crate::storage::{File, Storage};

/// A file that is being zero-filled.
pub(crate) const DRAFT_NAME: &str = "segment.draft";

const PREFIX: &str = "segment-";

/// The name of the file of segment `number`.
pub(crate) fn name_of(number: u32) -> String {
    format!("{PREFIX}{number:08x}")
}

/// The number of the segment in the file `name`.
pub(crate) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(PREFIX)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    (number > 0 && name_of(number) == name).then_some(number)
}

/// The file `name`, if there is one of this length.
pub(crate) fn open_of_length(
    storage: &dyn Storage,
    name: &str,
    bytes: u32,
) -> Result<Option<Arc<dyn File>>> {
    let Some(file) = storage.open(name)? else { return Ok(None) };
    Ok((file.len()? == u64::from(bytes)).then_some(file))
}

/// One segment, as [`crate::Journal::segments`] reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its number: one more than that of the segment before.
    pub number: u32,
    /// Length of its file.
    pub bytes: u32,
    /// The end of its last batch.
    pub used: u32,
}

/// The segments, oldest first, and the open files of those that were read lately.
#[derive(Debug)]
pub(crate) struct SegmentTable {
    storage: Arc<dyn Storage>,
    segments: Vec<Segment>,
    /// Most lately used last.
    files: Vec<(u32, Arc<dyn File>)>,
}

impl SegmentTable {
    pub(crate) fn new(storage: Arc<dyn Storage>, segments: Vec<Segment>) -> Self {
        Self { storage, segments, files: Vec::new() }
    }

    pub(crate) fn all(&self) -> &[Segment] {
        &self.segments
    }

    /// Adds the segment that is written next.
    pub(crate) fn push(&mut self, segment: Segment, file: Arc<dyn File>) {
        self.segments.push(segment);
        self.keep(segment.number, file);
    }

    /// Notes how much of the newest segment holds batches.
    pub(crate) fn set_used(&mut self, number: u32, used: u32) {
        if let Some(last) = self.segments.last_mut().filter(|last| last.number == number) {
            last.used = used;
        }
    }

    /// Takes the oldest segment off the table.
    pub(crate) fn pop_oldest(&mut self) -> Option<Segment> {
        let oldest = (!self.segments.is_empty()).then(|| self.segments.remove(0))?;
        self.files.retain(|(number, _)| *number != oldest.number);
        Some(oldest)
    }

    /// The file of a segment; `None` if it was reclaimed or never existed.
    pub(crate) fn file(&mut self, number: u32) -> Result<Option<Arc<dyn File>>> {
        if let Some(index) = self.files.iter().rposition(|(other, _)| *other == number) {
            let entry = self.files.remove(index);
            self.files.push(entry);
            return Ok(self.files.last().map(|(_, file)| Arc::clone(file)));
        }
        let first = self.segments.first().map_or(u32::MAX, |segment| segment.number);
        let last = self.segments.last().map_or(0, |segment| segment.number);
        if !(first..=last).contains(&number) {
            return Ok(None);
        }
        let file = self.storage.open(&name_of(number))?.ok_or_else(|| missing(number))?;
        self.keep(number, Arc::clone(&file));
        Ok(Some(file))
    }

    /// Closes the files of older segments; they are opened again when they are read.
    pub(crate) fn close_idle(&mut self) {
        let newest = self.segments.last().map_or(0, |segment| segment.number);
        self.files.retain(|(number, _)| *number == newest);
    }

    /// Closes all files.
    pub(crate) fn close_all(&mut self) {
        self.files.clear();
    }

    fn keep(&mut self, number: u32, file: Arc<dyn File>) {
        if self.files.len() == limits::OPEN_FILES_MAX {
            self.files.remove(0);
        }
        self.files.push((number, file));
    }
}

/// The error for a segment whose file is gone.
pub(crate) fn missing(number: u32) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!(
            "file {} is missing although it is still needed; restore the data folder from a copy",
            name_of(number)
        ),
    )
}

/// The error for damage at an offset of a segment.
pub(crate) fn damaged(number: u32, offset: u32, why: &str) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!(
            "file {} is damaged at offset {offset}: {why}; restore the data folder from a copy",
            name_of(number)
        ),
    )
}

/// The length of a segment's file, which is always a whole number of pages.
pub(crate) fn length_of(number: u32, file: &dyn File) -> Result<u32> {
    let length = file.len()?;
    let page = u64::from(limits::SEGMENT_BYTES_MIN);
    match u32::try_from(length) {
        Ok(short) if length >= page && length.is_multiple_of(page) => Ok(short),
        _ => Err(damaged(
            number,
            u32::try_from(length).unwrap_or(u32::MAX),
            &format!("a length of {length} bytes is impossible, so the file was cut or extended"),
        )),
    }
}
