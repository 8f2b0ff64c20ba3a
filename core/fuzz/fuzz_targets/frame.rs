//! Parses any bytes as a batch, a record and a control slot; never a panic, never out of range.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_journal::frame::{HEADER_BYTES, Header, decode_batch, decode_record};
use trunkline_journal::{ControlState, Lsn};

const SEED: u32 = 7;
const SEGMENT_BYTES: u32 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let lsn = Lsn::new(1, 0);
    if let Ok(batch) = decode_batch(data, lsn, SEED) {
        assert!(batch.records().count() <= data.len());
    }
    let _ = decode_record(data, lsn, SEED);
    if let Some((revision, state)) = ControlState::decode(data, SEED) {
        assert_eq!(state.encode(revision, SEED)[..44], data[..44], "one encoding of each state");
    }

    // Behind a header with a valid checksum, so that the records are parsed.
    let length = (HEADER_BYTES + data.len()) as u32;
    let records_crc = data.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let header = Header {
        length,
        segment_bytes: SEGMENT_BYTES,
        lsn,
        synced: lsn,
        sequence: 1,
        epoch: 1,
        previous: 0,
        records_crc,
        oldest: None,
    };
    let mut bytes = header.encode(SEED).to_vec();
    bytes.extend_from_slice(data);
    if let Ok(batch) = decode_batch(&bytes, lsn, SEED) {
        assert_eq!(batch.header.length, length);
        assert!(batch.records().all(|(_, payload)| payload.len() <= data.len()));
    }
});
