//! Parses any bytes as the parts of a sealed file and of a checkpoint; never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_journal::Lsn;
use trunkline_journal::checkpoint::format as checkpoint;
use trunkline_journal::retained::RetainedRecord;
use trunkline_journal::retained::format::{
    Footer, IndexEntry, decode_block, decode_index, file_seed, index_crc, push_entry, seal_block,
};

const SEED: u32 = 7;

fuzz_target!(|data: &[u8]| {
    let _ = Footer::decode(data, SEED, 1, 1, data.len() as u64);
    parse_checkpoint(data);
    if let Ok(record) = RetainedRecord::decode(data) {
        let mut bytes = Vec::new();
        record.encode_head(&mut bytes);
        if let RetainedRecord::Entry { payload, .. } = record {
            bytes.extend_from_slice(payload);
        }
        assert_eq!(bytes, data, "one encoding of each record");
    }
    // Behind valid checksums, so that the content is parsed.
    let footer = Footer {
        log: 1,
        first: 1,
        next: 1 + data.len() as u64,
        min_time: 0,
        max_time: 0,
        index_offset: 64,
        index_count: (data.len() / 32) as u32,
        index_crc: index_crc(data, SEED, 1, 1),
    };
    if let Some(index) = decode_index(data, &footer, SEED) {
        assert_eq!(index.iter().map(|block| u64::from(block.length)).sum::<u64>(), 64);
    }
    let mut block = vec![0; 16];
    block.extend_from_slice(data);
    let count = data.first().map_or(0, |count| u32::from(*count));
    let crc = seal_block(&mut block, count, 0, file_seed(SEED, 1, 1));
    let index = IndexEntry { offset: 0, first: 1, max_time: 0, length: block.len() as u32, crc };
    if let Some(entries) = decode_block(&block, &index, file_seed(SEED, 1, 1)) {
        let mut again = vec![0; 16];
        entries.iter().for_each(|entry| push_entry(&mut again, entry.time, entry.payload));
        assert_eq!(again[16..], block[16..], "one encoding of each block");
    }
});

fn parse_checkpoint(data: &[u8]) {
    let end = Lsn::new(1, 64);
    let seed = checkpoint::file_seed(SEED, end);
    if let Some(footer) = checkpoint::Footer::decode(data, SEED, end, data.len() as u64) {
        assert_eq!(footer.encode(SEED)[..], data[..checkpoint::FOOTER_BYTES]);
        let _ = checkpoint::decode_segments(data, &footer, SEED);
    }
    let _ = checkpoint::check_chunk(data, 0, seed);
    // Behind a valid checksum, so that the records are parsed.
    let mut chunk = vec![0; checkpoint::CHUNK_HEADER_BYTES];
    chunk.extend_from_slice(data);
    checkpoint::seal_chunk(&mut chunk, 0, seed);
    let (mut records, length) = checkpoint::check_chunk(&chunk, 0, seed).expect("sealed just now");
    assert_eq!(length, chunk.len());
    while let Some(record) = checkpoint::next_record(&mut records) {
        assert!(record.len() <= data.len());
    }
}
