//! The hash function of index keys. It consumes eight bytes at a time, so the hash of a longer
//! prefix continues that of a shorter one.

/// A hash state.
#[derive(Clone, Copy)]
pub(crate) struct Hash(u64);

const MULTIPLIER: u64 = 0x9fb2_1c65_1e98_df25;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

impl Hash {
    /// The initial state for a field and a kind of lookup.
    #[inline]
    pub(crate) fn seeded(seed: u64, field: u32, kind: u32) -> Self {
        Self(fold(seed ^ (u64::from(field) << 32 | u64::from(kind)), MULTIPLIER))
    }

    #[inline]
    pub(crate) fn word(self, word: u64) -> Self {
        Self(fold(self.0 ^ word, MULTIPLIER))
    }

    /// Finishes with `bytes`; returns the index key.
    #[inline]
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> u32 {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self = self.word(load(chunk));
        }
        self.end(chunks.remainder(), bytes.len())
    }

    /// Finishes with the last bytes, fewer than eight, of a text of length `len`.
    #[inline]
    pub(crate) fn end(self, rest: &[u8], len: usize) -> u32 {
        self.word(load(rest)).word(len as u64).key()
    }

    #[inline]
    pub(crate) fn key(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Loads up to eight bytes, little-endian.
#[inline]
pub(crate) fn load(bytes: &[u8]) -> u64 {
    match bytes.len() {
        8 => {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            u64::from_le_bytes(word)
        }
        4..8 => {
            let (mut low, mut high) = ([0; 4], [0; 4]);
            low.copy_from_slice(&bytes[..4]);
            high.copy_from_slice(&bytes[bytes.len() - 4..]);
            let shift = (bytes.len() - 4) * 8;
            u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << shift
        }
        _ => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_loaded_little_end_first() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        for len in 0..=8 {
            let mut word = [0; 8];
            word[..len].copy_from_slice(&bytes[..len]);
            assert_eq!(load(&bytes[..len]), u64::from_le_bytes(word), "{len}");
        }
    }
}
