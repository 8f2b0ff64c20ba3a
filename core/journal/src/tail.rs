//! The end of the journal in memory: the open batch, the sealed batches, and the batches in flight.
//!
//! ```text
//!            durable      written     in flight     sealed     open
//!   | ---------------- | ---------- | ---------- | -------- | ----> appends
//! ```
//!
//! Invariants: LSNs are assigned in order and without gaps inside a segment; a batch never spans
//! segments; the records of an unwritten batch can be read from here.

use std::sync::Arc;

use crate::control::Position;
use crate::frame::{self, HEADER_BYTES, Header};
use crate::limits;
use crate::lsn::Lsn;

/// A batch in memory. Its first bytes are reserved for the header, which is encoded last.
#[derive(Debug)]
pub(crate) struct PendingBatch {
    pub(crate) start: Lsn,
    /// The end of the segment before, in the first batch of a segment.
    follows: Option<Lsn>,
    pub(crate) segment_bytes: u32,
    pub(crate) bytes: Vec<u8>,
    /// How long it may become: longer than usual for records that are kept together.
    bytes_max: usize,
    records_crc: u32,
    /// The batch before, once sealed.
    before: Position,
}

impl PendingBatch {
    fn end(&self) -> Lsn {
        Lsn::new(self.start.segment(), self.start.offset() + self.bytes.len() as u32)
    }

    /// Encodes the header; returns the position behind the batch. `before` is the position behind
    /// the batch before.
    fn seal(&mut self, before: Position, synced: Lsn, epoch: u64, seed: u32) -> Position {
        self.before = before;
        let header = Header {
            length: self.bytes.len() as u32,
            segment_bytes: self.segment_bytes,
            lsn: self.start,
            synced,
            sequence: before.sequence + 1,
            epoch,
            previous: before.checksum,
            records_crc: self.records_crc,
            oldest: None,
        };
        let encoded = header.encode(seed);
        self.bytes[..HEADER_BYTES].copy_from_slice(&encoded);
        Position {
            end: self.end(),
            sequence: header.sequence,
            checksum: frame::checksum_of(&encoded),
            batch_bytes: header.length,
        }
    }

    /// The position behind the batch before.
    pub(crate) fn before(&self) -> Position {
        self.before
    }

    /// The records from `lsn` to the end of the batch, as they lie in it; `None` if `lsn` is not
    /// inside.
    pub(crate) fn frames(&self, lsn: Lsn) -> Option<&[u8]> {
        if lsn.segment() != self.start.segment() {
            return None;
        }
        let at = lsn.offset().checked_sub(self.start.offset())? as usize;
        self.bytes.get(at..).filter(|frames| !frames.is_empty())
    }

    /// The payload of the record at `lsn`, checked as if read from a file; `None` if no record
    /// starts there.
    pub(crate) fn payload(&self, lsn: Lsn, seed: u32) -> Option<&[u8]> {
        frame::decode_record(self.frames(lsn)?, lsn, seed).ok()
    }
}

/// Whole batches, in order, which one leader writes.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) batches: Vec<Arc<PendingBatch>>,
    /// The position behind the last batch.
    pub(crate) position: Position,
    pub(crate) bytes: usize,
}

/// The end of the journal in memory. Its lock is the append lock.
#[derive(Debug)]
pub(crate) struct Tail {
    seed: u32,
    segment_bytes_max: u32,
    /// The end of everything appended.
    end: Lsn,
    segment_bytes: u32,
    /// The length of the next segment, if it was preallocated.
    prepared: Option<u32>,
    /// The oldest segment.
    oldest: u32,
    /// The next batch starts a segment of this length.
    rotate_to: Option<u32>,
    epoch: u64,
    /// The position behind the last sealed batch.
    position: Position,
    open: Option<PendingBatch>,
    /// Whether the records of the current step lie in one batch, which can hold all of them.
    is_kept: bool,
    sealed: Vec<PendingBatch>,
    in_flight: Vec<Arc<PendingBatch>>,
    buffers: Vec<Vec<u8>>,
}

impl Tail {
    pub(crate) fn new(
        position: Position,
        epoch: u64,
        segment_bytes: u32,
        segment_bytes_max: u32,
        seed: u32,
    ) -> Self {
        Self {
            seed,
            segment_bytes_max,
            end: position.end,
            segment_bytes,
            prepared: None,
            oldest: 0,
            rotate_to: None,
            epoch,
            position,
            open: None,
            is_kept: false,
            sealed: Vec::new(),
            in_flight: Vec::new(),
            buffers: Vec::new(),
        }
    }

    /// The end of everything appended.
    #[inline]
    pub(crate) fn end(&self) -> Lsn {
        self.end
    }

    /// The segment after `number` was preallocated with `bytes`. Ignored if it has begun.
    pub(crate) fn set_next_bytes(&mut self, number: u32, bytes: u32) {
        if self.end.segment() == number {
            self.prepared = Some(bytes);
        }
    }

    /// Lets the next batch start a segment of `bytes`. False if the current segment is not longer.
    pub(crate) fn rotate_to(&mut self, bytes: u32) -> bool {
        let shrinks = self.segment_bytes > bytes;
        self.rotate_to = shrinks.then_some(bytes);
        shrinks
    }

    /// Segments before `oldest` are gone.
    pub(crate) fn set_oldest(&mut self, oldest: u32) {
        self.oldest = oldest;
    }

    /// The usual length of the next segment.
    pub(crate) fn next_bytes(&self) -> u32 {
        self.bytes_after(self.end.segment(), self.segment_bytes)
    }

    /// The usual length of the segment after `number`, which has `bytes`.
    pub(crate) fn bytes_after(&self, number: u32, bytes: u32) -> u32 {
        let are_few = number.saturating_sub(self.oldest) < limits::SEGMENTS_FEW;
        if bytes >= limits::SEGMENT_BYTES_PASSING && are_few {
            return bytes.min(self.segment_bytes_max);
        }
        bytes.saturating_mul(2).min(self.segment_bytes_max)
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        u64::from(self.segment_bytes - self.end.offset())
    }

    /// Whether half of the last quarter of the current segment is used.
    pub(crate) fn is_scarce(&self) -> bool {
        self.bytes_left() < u64::from(self.segment_bytes / 8)
    }

    /// Appends a record; returns its LSN and by how many bytes the journal grew.
    #[inline]
    pub(crate) fn append(&mut self, parts: &[&[u8]]) -> (Lsn, usize) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        assert!(length <= limits::RECORD_BYTES_MAX, "a record of {length} bytes is too long");
        let size = frame::record_bytes(length);
        if self.rotate_to.is_some() || !self.open.as_ref().is_some_and(|open| self.fits(open, size))
        {
            debug_assert!(!self.is_kept, "a step is longer than was reserved for it");
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

    /// Has the next `count` records, of `bytes` together, lie in one batch, which becomes as long
    /// as they need. False if they are longer than the longest record.
    pub(crate) fn reserve(&mut self, count: usize, bytes: usize) -> bool {
        let padding = frame::record_bytes(0) + frame::ALIGNMENT;
        let size = count.saturating_mul(padding).saturating_add(bytes);
        if size > limits::RECORD_BYTES_MAX {
            return false;
        }
        if self.rotate_to.is_some() || !self.open.as_ref().is_some_and(|open| self.fits(open, size))
        {
            self.open_batch(size);
        }
        self.is_kept = true;
        true
    }

    /// Begins a step, for which nothing is reserved.
    #[inline]
    pub(crate) fn begin_step(&mut self) {
        self.is_kept = false;
    }

    fn fits(&self, open: &PendingBatch, size: usize) -> bool {
        open.bytes.len() + size <= open.bytes_max
            && size <= (self.segment_bytes - self.end.offset()) as usize
    }

    /// Opens a batch for `size` bytes of records, in the next segment if they do not fit.
    fn open_batch(&mut self, size: usize) {
        self.seal_open();
        let needed = HEADER_BYTES + size;
        let mut follows = None;
        let rotate_to = self.rotate_to.take();
        if rotate_to.is_some() || needed > (self.segment_bytes - self.end.offset()) as usize {
            follows = Some(self.end);
            let usual = self.next_bytes();
            let prepared = self.prepared.take();
            self.segment_bytes = rotate_to
                .or(prepared)
                .unwrap_or(usual)
                .max(needed.next_multiple_of(limits::SEGMENT_BYTES_MIN as usize) as u32);
            self.end = Lsn::new(self.end.segment() + 1, 0);
        }
        let mut bytes = self.buffers.pop().unwrap_or_default();
        bytes.reserve_exact(needed);
        bytes.resize(HEADER_BYTES, 0);
        let batch = PendingBatch {
            start: self.end,
            follows,
            segment_bytes: self.segment_bytes,
            bytes,
            bytes_max: limits::BATCH_BYTES_MAX.max(needed),
            records_crc: self.seed,
            before: Position::default(),
        };
        self.end = batch.end();
        self.open = Some(batch);
    }

    fn seal_open(&mut self) {
        self.sealed.extend(self.open.take());
    }

    /// Takes all unwritten batches. `synced` is what is known to be durable.
    pub(crate) fn take_in_flight(&mut self, synced: Lsn) -> InFlight {
        self.seal_open();
        debug_assert!(self.in_flight.is_empty(), "only the leader takes batches");
        let mut synced = synced;
        let mut bytes = 0;
        for mut batch in self.sealed.drain(..) {
            // A leader syncs a segment before it writes to the next one, so a batch there may
            // already say that everything before is durable.
            synced = batch.follows.unwrap_or(synced);
            self.position = batch.seal(self.position, synced, self.epoch, self.seed);
            bytes += batch.bytes.len();
            self.in_flight.push(Arc::new(batch));
        }
        InFlight { batches: self.in_flight.clone(), position: self.position, bytes }
    }

    /// The batches were written: their records are not read from here from now on.
    pub(crate) fn finish_in_flight(&mut self) {
        self.in_flight.clear();
    }

    /// Keeps the buffers of batches that no reader holds any more for later batches.
    pub(crate) fn recycle(&mut self, batches: Vec<Arc<PendingBatch>>) {
        for batch in batches {
            let Ok(mut batch) = Arc::try_unwrap(batch) else { continue };
            if batch.bytes.capacity() <= limits::BUFFER_KEPT_BYTES_MAX && self.buffers.len() < 2 {
                batch.bytes.clear();
                self.buffers.push(batch.bytes);
            }
        }
    }

    /// The payload of an unwritten record; `None` if it was written or never existed.
    pub(crate) fn payload(&self, lsn: Lsn) -> Option<&[u8]> {
        self.unwritten(lsn)?.payload(lsn, self.seed)
    }

    /// The unwritten records from `lsn` to the end of their batch, as they lie in it.
    pub(crate) fn frames(&self, lsn: Lsn) -> Option<&[u8]> {
        self.unwritten(lsn)?.frames(lsn)
    }

    fn unwritten(&self, lsn: Lsn) -> Option<&PendingBatch> {
        let in_flight = self.in_flight.iter().map(|batch| &**batch);
        let mut batches = in_flight.chain(&self.sealed).chain(&self.open);
        batches.rfind(|batch| batch.start < lsn)
    }
}
