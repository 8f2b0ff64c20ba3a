//! Decimal digits with leading zeros. A put of 500 records writes a thousand such texts, and the
//! formatter of the standard library writes each zero for itself.

/// The numbers below 100 as two digits.
const PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut number) = ([[b'0'; 2]; 100], 0);
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Fills `text` with the last digits of `number`.
pub(crate) fn fill(text: &mut [u8], mut number: u64) {
    for pair in text.rchunks_mut(2) {
        let [tens, ones] = PAIRS[(number % 100) as usize];
        match pair {
            [first, second] => (*first, *second) = (tens, ones),
            // Of an odd number of digits the first stands alone.
            first => first.fill(ones),
        }
        number /= 100;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_leading_zeros() {
        for number in [0, 7, 10, 99, 100, 12_345, 9_876_543_210_123_456_789] {
            let mut text = [b'x'; 19];
            fill(&mut text, number);
            assert_eq!(text, *format!("{number:019}").as_bytes());
        }
        let mut text = [b'x'; 2];
        fill(&mut text, 12_345);
        assert_eq!(&text, b"45");
    }
}
