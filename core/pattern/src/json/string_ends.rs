//! Masks of the bytes that end a run inside a JSON string, for 16 bytes at once.
//!
//! On x86-64 this uses SSE2, which every such processor has. `unsafe` is needed because a caller
//! that does not declare the feature must vouch for it.

/// Sets bit `i` if byte `i` is a quote or a backslash.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline(always)]
pub(super) fn quotes_and_backslashes(block: &[u8; 16]) -> u32 {
    // SAFETY: SSE2 is part of x86-64, and the function reads no memory but the array it is given.
    unsafe { sse2::quotes_and_backslashes(*block) }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[target_feature(enable = "sse2")]
    #[inline]
    pub(super) fn quotes_and_backslashes(block: [u8; 16]) -> u32 {
        let bytes = load(block);
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(quotes, backslashes)) as u32
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn load(block: [u8; 16]) -> __m128i {
        let whole = u128::from_le_bytes(block);
        _mm_set_epi64x((whole >> 64) as i64, whole as i64)
    }
}

/// Sets bit `i` if byte `i` is a quote or a backslash.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn quotes_and_backslashes(block: &[u8; 16]) -> u32 {
    mask(block, |byte| byte == b'"' || byte == b'\\')
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn mask(block: &[u8; 16], is_in: impl Fn(u8) -> bool) -> u32 {
    block.iter().rev().fold(0, |mask, &byte| mask << 1 | u32::from(is_in(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_bit() {
        for byte in 0..=u8::MAX {
            for at in 0..16 {
                let mut block = *b"a plain text \xff\x80 ";
                block[at] = byte;
                let special = mask(&block, |byte| byte == b'"' || byte == b'\\');
                assert_eq!(quotes_and_backslashes(&block), special, "{byte} at {at}");
            }
        }
    }
}
