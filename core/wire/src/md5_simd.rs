//! MD5 of several bodies at once: independent digests side by side in the processor's vector units.
//! A digest alone cannot be sped up like this, because each of its steps waits for the one before.
//!
//! Worth it with AVX2 only (a third of the time of ten digests one by one); with the vectors that
//! every x86-64 has it is slower, so without AVX2 there is no answer here.

/// How many digests are made side by side. A batch of ten fits; more would not fit the registers.
pub(crate) const LANES: usize = 12;

const BLOCK: usize = 64;
type Lanes = [u32; LANES];

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a,
    0xa830_4613, 0xfd46_9501, 0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be,
    0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821, 0xf61e_2562, 0xc040_b340,
    0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8,
    0x676f_02d9, 0x8d2a_4c8a, 0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
    0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70, 0x289b_7ec6, 0xeaa1_27fa,
    0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92,
    0xffef_f47d, 0x8584_5dd1, 0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1,
    0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The digests of up to [`LANES`] messages, if this processor is fast at it.
pub(crate) fn digest(messages: &[&[u8]]) -> Option<[[u8; 16]; LANES]> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which was just asked; that is all the callee needs.
        #[allow(unsafe_code)]
        return Some(unsafe { digest_avx2(messages) });
    }
    None
}

// The same code as everywhere, compiled for wider vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn digest_avx2(messages: &[&[u8]]) -> [[u8; 16]; LANES] {
    side_by_side(messages)
}

#[cfg_attr(not(any(test, target_arch = "x86_64")), allow(dead_code))]
#[inline(always)]
fn side_by_side(messages: &[&[u8]]) -> [[u8; 16]; LANES] {
    let message = |lane: usize| messages.get(lane).copied().unwrap_or_default();
    let tails: [[u8; 2 * BLOCK]; LANES] = std::array::from_fn(|lane| tail(message(lane)));
    // A message takes its whole blocks, and one or two more for the padding and its length.
    let blocks: [usize; LANES] = std::array::from_fn(|lane| (message(lane).len() + 8) / BLOCK + 1);
    let most = blocks.iter().take(messages.len()).copied().max().unwrap_or(0);
    let mut state: [Lanes; 4] = std::array::from_fn(|word| [START[word]; LANES]);
    let mut digests = [[0; 16]; LANES];
    for block in 0..most {
        let mut words = [[0; LANES]; BLOCK / 4];
        for lane in 0..messages.len().min(LANES) {
            let whole = message(lane).len() / BLOCK;
            let bytes = match block.checked_sub(whole) {
                None => &message(lane)[block * BLOCK..(block + 1) * BLOCK],
                // A message that is finished goes on with what is there; its result is not read.
                Some(place) => &tails[lane][place.min(1) * BLOCK..][..BLOCK],
            };
            let (bytes, _) = bytes.as_chunks::<4>();
            for (word, bytes) in words.iter_mut().zip(bytes) {
                word[lane] = u32::from_le_bytes(*bytes);
            }
        }
        compress(&mut state, &words);
        for lane in (0..messages.len().min(LANES)).filter(|lane| blocks[*lane] == block + 1) {
            for (place, word) in state.iter().enumerate() {
                digests[lane][place * 4..][..4].copy_from_slice(&word[lane].to_le_bytes());
            }
        }
    }
    digests
}

// The last bytes of a message with the padding, in one block or two.
fn tail(message: &[u8]) -> [u8; 2 * BLOCK] {
    let mut tail = [0; 2 * BLOCK];
    let rest = &message[message.len() / BLOCK * BLOCK..];
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    let end = if rest.len() + 9 <= BLOCK { BLOCK } else { 2 * BLOCK };
    tail[end - 8..end].copy_from_slice(&(message.len() as u64 * 8).to_le_bytes());
    tail
}

#[inline(always)]
fn each(make: impl Fn(usize) -> u32) -> Lanes {
    // A loop, because the closures of `array::from_fn` are not always merged into one vector step.
    let mut lanes = [0; LANES];
    for (lane, word) in lanes.iter_mut().enumerate() {
        *word = make(lane);
    }
    lanes
}

#[inline(always)]
fn compress(state: &mut [Lanes; 4], words: &[Lanes; BLOCK / 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! round {
        ($round:literal, $place:expr, |$x:ident, $y:ident, $z:ident| $mix:expr) => {
            for step in 0..16 {
                let word = &words[$place(step)];
                let sine = SINES[$round * 16 + step];
                let shift = SHIFTS[$round][step % 4];
                let next = each(|lane| {
                    let ($x, $y, $z) = (b[lane], c[lane], d[lane]);
                    let mixed: u32 = $mix;
                    let sum = a[lane].wrapping_add(mixed).wrapping_add(sine);
                    b[lane].wrapping_add(sum.wrapping_add(word[lane]).rotate_left(shift))
                });
                (a, d, c, b) = (d, c, b, next);
            }
        };
    }
    round!(0, |step: usize| step, |x, y, z| z ^ (x & (y ^ z)));
    round!(1, |step: usize| (5 * step + 1) % 16, |x, y, z| y ^ (z & (x ^ y)));
    round!(2, |step: usize| (3 * step + 5) % 16, |x, y, z| x ^ y ^ z);
    round!(3, |step: usize| (7 * step) % 16, |x, y, z| y ^ (x | !z));
    for (word, change) in state.iter_mut().zip([a, b, c, d]) {
        *word = each(|lane| word[lane].wrapping_add(change[lane]));
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::*;

    #[test]
    fn every_length_has_the_digest_that_it_has_alone() {
        let bytes: Vec<u8> = (0..1_000u32).map(|n| (n * 7 + n / 251) as u8).collect();
        for length in 0..300 {
            let lengths = [length, 0, 55, 56, 63, 64, 119, 999 - length];
            let messages: Vec<&[u8]> = lengths.iter().map(|length| &bytes[..*length]).collect();
            for count in [1, 3, messages.len()] {
                let plain = side_by_side(&messages[..count]);
                for (message, digest) in messages[..count].iter().zip(plain) {
                    let alone: [u8; 16] = Md5::digest(message).into();
                    assert_eq!(digest, alone, "length {}", message.len());
                }
                assert!(digest(&messages[..count]).is_none_or(|wide| wide == plain));
            }
        }
    }

    #[test]
    fn no_message_has_no_digest() {
        assert_eq!(side_by_side(&[]), [[0; 16]; LANES]);
    }
}
