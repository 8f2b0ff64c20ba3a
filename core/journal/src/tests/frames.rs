//! Frames and slots: encoding and decoding agree, and every changed byte is found.

use proptest::prelude::*;

use crate::frame::{self, Batch, Defect, HEADER_BYTES, Header, decode_batch, decode_record};
use crate::{ControlState, Lsn, Position, SLOT_BYTES, Superblock};
use trunkline_types::{Code, IdKey};

const SEED: u32 = 0x1234_5678;
const START: Lsn = Lsn::new(3, 512);

/// The bytes of a batch at `START` with these records.
fn batch(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0u8; HEADER_BYTES];
    let mut records_crc = SEED;
    for record in records {
        let lsn = Lsn::new(START.segment(), START.offset() + bytes.len() as u32);
        let (front, back) = record.split_at(record.len() / 3);
        let parts = [front, back];
        records_crc = frame::push_record(&mut bytes, lsn, &parts, record.len(), SEED, records_crc);
    }
    let header = Header {
        length: bytes.len() as u32,
        segment_bytes: 1 << 20,
        lsn: START,
        synced: Lsn::new(3, 256),
        sequence: 9,
        epoch: 2,
        previous: 0xabcd,
        records_crc,
        oldest: None,
    };
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode(SEED));
    bytes
}

fn payloads(batch: &Batch<'_>) -> Vec<Vec<u8>> {
    batch.records().map(|(_, payload)| payload.to_vec()).collect()
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8)
}

proptest! {
    #[test]
    fn a_batch_survives_its_bytes(
        records in records(),
        behind in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut bytes = batch(&records);
        bytes.extend(behind);
        let read = decode_batch(&bytes, START, SEED).expect("a whole batch");
        prop_assert_eq!(payloads(&read), records);
        for (lsn, payload) in read.records() {
            let at = (lsn.offset() - START.offset()) as usize;
            prop_assert_eq!(decode_record(&bytes[at..], lsn, SEED), Ok(payload));
        }
    }

    #[test]
    fn any_changed_byte_is_found(
        records in records(),
        place in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = batch(&records);
        let at = place.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode_batch(&bytes, START, SEED).is_err(), "byte {} was changed", at);
    }

    #[test]
    fn a_batch_that_was_cut_is_found(records in records(), place in any::<prop::sample::Index>()) {
        let bytes = batch(&records);
        let cut = place.index(bytes.len());
        prop_assert_eq!(decode_batch(&bytes[..cut], START, SEED).err(), Some(Defect::Short));
    }

    #[test]
    fn arbitrary_bytes_are_no_batch(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        magic in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if magic && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(b"TKB2");
        }
        prop_assert!(decode_batch(&bytes, START, SEED).is_err());
        prop_assert!(decode_record(&bytes, START, SEED).is_err());
        prop_assert!(Superblock::decode(&bytes).is_err());
    }

    #[test]
    fn any_changed_byte_of_a_control_slot_is_found(at in 0usize..SLOT_BYTES, flip in 1u8..) {
        let mut bytes = control_state().encode(7, SEED);
        prop_assert_eq!(ControlState::decode(&bytes, SEED), Some((7, control_state())));
        bytes[at] ^= flip;
        prop_assert_eq!(ControlState::decode(&bytes, SEED), None);
    }

    #[test]
    fn any_changed_byte_of_a_superblock_is_found(place in 0usize..64, flip in 1u8..) {
        let mut bytes = superblock().encode();
        bytes[place] ^= flip;
        let code = Superblock::decode(&bytes).expect_err("damaged").code();
        let expected = match place {
            0..8 => [Code::ForeignFormat; 2],
            8..12 => [Code::NewerFormat, Code::CorruptJournal],
            _ => [Code::CorruptJournal; 2],
        };
        prop_assert!(expected.contains(&code), "{:?} at {}", code, place);
    }
}

fn control_state() -> ControlState {
    let durable = Position { end: Lsn::new(3, 640), sequence: 9, checksum: 0x77, batch_bytes: 128 };
    ControlState { epoch: 4, durable, oldest: 2 }
}

fn superblock() -> Superblock {
    Superblock { version: 2, key: IdKey(5, 6), segment_bytes: 8_192 }
}

#[test]
fn a_batch_belongs_to_one_place_and_one_folder() {
    let bytes = batch(&[b"record".to_vec()]);
    let elsewhere = Lsn::new(4, START.offset());
    assert_eq!(decode_batch(&bytes, elsewhere, SEED).err(), Some(Defect::Lsn));
    assert_eq!(decode_batch(&bytes, START, SEED + 1).err(), Some(Defect::Header));
}

#[test]
fn a_superblock_survives_its_bytes() {
    assert_eq!(Superblock::decode(&superblock().encode()), Ok(superblock()));
}
