//! The end of the journal in memory: the batch that is being filled, those that are full, and
//! those that are being written.
//!
//! ```text
//!            durable      written      in_flight       sealed     open
//!   | ---------------- | ---------- | ---------- | -------- | ----> appends
//! ```
//!
//! Invariants: places are given in order and without gaps inside a segment; a batch never spans
//! segments; the records of a batch that was not written yet can be read from here.

use std::sync::Arc;

use crate::frame::{self, HEADER_BYTES, Header};
use crate::limits;
use crate::lsn::Lsn;

/// A batch in memory. The first bytes are left free for the header, which is made last.
#[derive(Debug)]
pub(crate) struct PendingBatch {
    pub(crate) start: Lsn,
    /// Where the segment before ended, in the first batch of a segment.
    pub(crate) follows: Option<Lsn>,
    pub(crate) segment_bytes: u32,
    /// The oldest segment that was needed when the batch was begun. Not when it was closed: a
    /// batch before the mark of a release must not say what only the mark may say.
    oldest: u32,
    pub(crate) bytes: Vec<u8>,
    records_crc: u32,
}

impl PendingBatch {
    fn end(&self) -> Lsn {
        Lsn::new(self.start.segment(), self.start.offset() + self.bytes.len() as u32)
    }

    fn seal(&mut self, synced: Lsn, seed: u32) {
        let header = Header {
            length: self.bytes.len() as u32,
            oldest: self.oldest,
            lsn: self.start,
            synced,
            segment_bytes: self.segment_bytes,
            records_crc: self.records_crc,
        };
        self.bytes[..HEADER_BYTES].copy_from_slice(&header.encode(seed));
    }

    /// The payload of the record at `lsn`, checked like one that comes from a file: whoever asks
    /// for a place that no record has gets nothing.
    fn payload(&self, lsn: Lsn, seed: u32) -> Option<&[u8]> {
        if lsn.segment() != self.start.segment() {
            return None;
        }
        let at = lsn.offset().checked_sub(self.start.offset())? as usize;
        frame::decode_record(self.bytes.get(at..)?, lsn, seed).ok()
    }
}

/// What one leader writes: whole batches, in order.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) batches: Vec<Arc<PendingBatch>>,
    /// Everything before this was appended before the in_flight began.
    pub(crate) end: Lsn,
    pub(crate) bytes: usize,
}

/// The end of the journal in memory. Its lock is the append lock.
#[derive(Debug)]
pub(crate) struct Tail {
    seed: u32,
    segment_bytes_max: u32,
    /// Where the next byte goes.
    end: Lsn,
    segment_bytes: u32,
    /// The length of the next segment, if it was made shorter than usual.
    shorter: Option<u32>,
    /// The first segment that is still needed.
    pub(crate) oldest: u32,
    open: Option<PendingBatch>,
    sealed: Vec<PendingBatch>,
    in_flight: Vec<Arc<PendingBatch>>,
    spare: Vec<Vec<u8>>,
}

impl Tail {
    pub(crate) fn new(
        end: Lsn,
        segment_bytes: u32,
        segment_bytes_max: u32,
        oldest: u32,
        seed: u32,
    ) -> Self {
        Self {
            seed,
            segment_bytes_max,
            end,
            segment_bytes,
            shorter: None,
            oldest,
            open: None,
            sealed: Vec::new(),
            in_flight: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Where the next byte goes: everything appended lies before.
    #[inline]
    pub(crate) fn end(&self) -> Lsn {
        self.end
    }

    /// The segment after `number` was made with `bytes`. Says nothing when that one has begun.
    pub(crate) fn set_next_bytes(&mut self, number: u32, bytes: u32) {
        if self.end.segment() == number {
            let usual = next_segment_bytes(self.segment_bytes, self.segment_bytes_max);
            self.shorter = (bytes < usual).then_some(bytes);
        }
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        u64::from(self.segment_bytes - self.end.offset())
    }

    /// Adds a record; answers its place and by how many bytes the journal grew.
    #[inline]
    pub(crate) fn append(&mut self, parts: &[&[u8]]) -> (Lsn, usize) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        assert!(length <= limits::RECORD_BYTES_MAX, "a record of {length} bytes is too long");
        let size = frame::record_bytes(length);
        if !self.open.as_ref().is_some_and(|open| self.fits(open, size)) {
            self.open_batch(size);
        }
        let (lsn, seed) = (self.end, self.seed);
        let Some(batch) = self.open.as_mut() else { unreachable!("a batch was opened") };
        let before = batch.bytes.len();
        batch.records_crc =
            frame::push_record(&mut batch.bytes, lsn, parts, length, seed, batch.records_crc);
        self.end = batch.end();
        debug_assert!(self.end.offset() <= self.segment_bytes);
        let header = if before == HEADER_BYTES { HEADER_BYTES } else { 0 };
        (lsn, batch.bytes.len() - before + header)
    }

    /// Adds a batch without records, to write down what is needed and what is durable. Answers by
    /// how many bytes the journal grew.
    pub(crate) fn append_empty_batch(&mut self) -> usize {
        self.open_batch(0);
        self.seal_open();
        HEADER_BYTES
    }

    fn fits(&self, open: &PendingBatch, size: usize) -> bool {
        open.bytes.len() + size <= limits::BATCH_BYTES_MAX
            && size <= (self.segment_bytes - self.end.offset()) as usize
    }

    /// Opens a batch with room for `size` bytes of records, in the next segment if need be.
    fn open_batch(&mut self, size: usize) {
        self.seal_open();
        let needed = HEADER_BYTES + size;
        let mut follows = None;
        if needed > (self.segment_bytes - self.end.offset()) as usize {
            follows = Some(self.end);
            let usual = next_segment_bytes(self.segment_bytes, self.segment_bytes_max);
            self.segment_bytes = self
                .shorter
                .take()
                .unwrap_or(usual)
                .max(needed.next_multiple_of(limits::SEGMENT_BYTES_MIN as usize) as u32);
            self.end = Lsn::new(self.end.segment() + 1, 0);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.resize(HEADER_BYTES, 0);
        let batch = PendingBatch {
            start: self.end,
            follows,
            segment_bytes: self.segment_bytes,
            oldest: self.oldest,
            bytes,
            records_crc: self.seed,
        };
        self.end = batch.end();
        self.open = Some(batch);
    }

    fn seal_open(&mut self) {
        self.sealed.extend(self.open.take());
    }

    /// Takes everything that waits to be written. `synced` is what is known to be durable.
    pub(crate) fn take_in_flight(&mut self, synced: Lsn) -> InFlight {
        self.seal_open();
        debug_assert!(self.in_flight.is_empty(), "one in_flight at a time");
        let mut synced = synced;
        let mut bytes = 0;
        for mut batch in self.sealed.drain(..) {
            // A leader syncs a segment before it writes to the next one, so a batch there may
            // already say that everything before is durable.
            synced = batch.follows.unwrap_or(synced);
            batch.seal(synced, self.seed);
            bytes += batch.bytes.len();
            self.in_flight.push(Arc::new(batch));
        }
        InFlight { batches: self.in_flight.clone(), end: self.end, bytes }
    }

    /// The in_flight was written: its records are read from the file from now on.
    pub(crate) fn finish_in_flight(&mut self, in_flight: InFlight) {
        self.in_flight.clear();
        for batch in in_flight.batches {
            let Ok(mut batch) = Arc::try_unwrap(batch) else { continue };
            if batch.bytes.capacity() <= limits::BUFFER_KEPT_BYTES_MAX && self.spare.len() < 2 {
                batch.bytes.clear();
                self.spare.push(batch.bytes);
            }
        }
    }

    /// The payload of a record that was not written yet; `None` when it was, or never existed.
    pub(crate) fn payload(&self, lsn: Lsn) -> Option<&[u8]> {
        let in_flight = self.in_flight.iter().map(|batch| &**batch);
        let mut batches = in_flight.chain(&self.sealed).chain(&self.open);
        let batch = batches.rfind(|batch| batch.start < lsn)?;
        batch.payload(lsn, self.seed)
    }
}

/// Segments grow until they have their full length: a small journal is a small file.
pub(crate) fn next_segment_bytes(previous: u32, full: u32) -> u32 {
    previous.saturating_mul(2).min(full)
}
