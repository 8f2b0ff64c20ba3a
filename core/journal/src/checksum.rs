//! CRC-32C, the checksum of everything that the journal writes.

use crc_fast::{CrcAlgorithm, Digest};

/// The checksum of what `crc` stands for, followed by `bytes`.
#[inline]
pub(crate) fn append(crc: u32, bytes: &[u8]) -> u32 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!crc));
    digest.update(bytes);
    digest.finalize() as u32
}

/// The checksum of `bytes` alone.
pub(crate) fn of(bytes: &[u8]) -> u32 {
    append(0, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, with the polynomial of Castagnoli.
    fn slowly(crc: u32, bytes: &[u8]) -> u32 {
        let step = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
        !bytes.iter().fold(!crc, byte)
    }

    #[test]
    fn checksums_are_those_of_the_standard_whatever_the_length() {
        assert_eq!(of(b"123456789"), 0xe306_9283);
        let bytes: Vec<u8> = (0..5_000_u32).map(|number| ((number * 31) >> 3) as u8).collect();
        for length in (0..300).chain([511, 512, 1_023, 1_024, 4_097, 5_000]) {
            for start in [0, 1, 7] {
                let part = &bytes[start.min(length)..length];
                assert_eq!(append(7, part), slowly(7, part), "{start}..{length}");
            }
        }
        let (head, tail) = bytes.split_at(777);
        assert_eq!(append(of(head), tail), of(&bytes));
    }
}
