//! Records of a stream as C reads them: plain structs whose pointers lead into memory that the
//! library owns until `trunkline_records_free`.
//!
//! C gets pointers to the structs, never an array of them, so later versions may add fields.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr;

use trunkline_engine::StreamRecord;

/// A record that was read.
#[repr(C)]
pub struct Record {
    /// The data as it was put, behind which there is a NUL that does not count.
    pub data: *const c_void,
    /// The bytes of the data.
    pub data_length: usize,
    /// Its partition key.
    pub key: *const c_char,
    /// The shard it is in.
    pub shard: *const c_char,
    /// Its sequence number, which grows within the shard.
    pub sequence: *const c_char,
    /// When it was put, in milliseconds since 1970.
    pub time_ms: i64,
}

/// Records that were read together: items[0] to items[count - 1].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Records {
    /// The records; NULL if there are none.
    pub items: *const *const Record,
    /// How many there are.
    pub count: usize,
    /// The library's own.
    pub owner: *mut c_void,
}

/// The memory behind records that C holds: the bytes of all of them side by side.
#[derive(Default)]
pub(crate) struct RecordBatch {
    bytes: Vec<u8>,
    places: Vec<Place>,
    records: Vec<Record>,
    items: Vec<*const Record>,
}

/// Where the parts of a record begin.
struct Place {
    data: usize,
    data_length: usize,
    key: usize,
    shard: usize,
    sequence: usize,
    time_ms: i64,
}

impl RecordBatch {
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn add(&mut self, record: &StreamRecord<'_>) {
        let place = Place {
            data: self.put(record.data),
            data_length: record.data.len(),
            key: self.put(record.key.as_bytes()),
            shard: self.put(record.shard.to_string().as_bytes()),
            sequence: self.put(record.sequence.to_string().as_bytes()),
            time_ms: i64::try_from(record.time).unwrap_or(i64::MAX),
        };
        self.places.push(place);
    }

    /// Adds `part` with a closing NUL and says where it begins.
    fn put(&mut self, part: &[u8]) -> usize {
        let place = self.bytes.len();
        self.bytes.extend_from_slice(part);
        self.bytes.push(0);
        place
    }

    /// Hands the memory to C.
    pub fn into_records(mut self) -> Records {
        if self.is_empty() {
            return Records::EMPTY;
        }
        // The bytes are complete, so they stay where they are; so do the records and the items.
        let at = |place: usize| self.bytes.as_ptr().wrapping_add(place);
        let record = |place: &Place| Record {
            data: at(place.data).cast(),
            data_length: place.data_length,
            key: at(place.key).cast(),
            shard: at(place.shard).cast(),
            sequence: at(place.sequence).cast(),
            time_ms: place.time_ms,
        };
        self.records = self.places.iter().map(record).collect();
        self.items = self.records.iter().map(ptr::from_ref).collect();
        let (items, count) = (self.items.as_ptr(), self.items.len());
        Records { items, count, owner: Box::into_raw(Box::new(self)).cast() }
    }
}

impl Records {
    pub(crate) const EMPTY: Self = Self { items: ptr::null(), count: 0, owner: ptr::null_mut() };

    /// Takes the memory back.
    pub(crate) fn free(self) {
        if !self.owner.is_null() {
            // SAFETY: the header asks for records that a read has filled in, whose owner is a
            // `RecordBatch` of `into_records`; the caller's copy was emptied, so this happens once.
            drop(unsafe { Box::from_raw(self.owner.cast::<RecordBatch>()) });
        }
    }
}
