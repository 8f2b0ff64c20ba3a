//! Any bytes are a batch, or a reason why they are none; never a panic, never bytes out of range.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_journal::Lsn;
use trunkline_journal::frame::{HEADER_BYTES, Header, decode_batch, decode_record};

const SEED: u32 = 7;
const SEGMENT_BYTES: u32 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let lsn = Lsn::new(1, 0);
    if let Ok(batch) = decode_batch(data, lsn, SEED) {
        assert!(batch.records().count() <= data.len());
    }
    let _ = decode_record(data, lsn, SEED);

    // Behind a header whose own checksum holds, the records are what is looked at.
    let length = (HEADER_BYTES + data.len()) as u32;
    let records_crc = data.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let header =
        Header { length, oldest: 1, lsn, synced: lsn, segment_bytes: SEGMENT_BYTES, records_crc };
    let mut bytes = header.encode(SEED).to_vec();
    bytes.extend_from_slice(data);
    if let Ok(batch) = decode_batch(&bytes, lsn, SEED) {
        assert_eq!(batch.header.length, length);
        assert!(batch.records().all(|(_, payload)| payload.len() <= data.len()));
    }
});
