//! Numbers as AWS's matcher sees them: the text, and the double that stands for it.

/// The double that stands for a JSON number; none when the number cannot be told from its
/// neighbours by a double, and so compares by its text alone.
///
/// A double stands for a number when the shortest digits that give the double back are the number:
/// `300`, `300.0` and `3.0e2` are one double; 9007199254740993 has none, and neither has `1e400`.
pub(crate) fn double(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let (is_negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    // At most fifteen digits are exact in any double, so plain integers need no second look.
    if digits.len() <= 15 && digits.iter().all(u8::is_ascii_digit) {
        let whole = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let value = whole as f64;
        return Some(if is_negative && whole != 0 { -value } else { value });
    }
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let significant = Decimal::of(text);
    if significant.count <= 15 && value != 0.0 && value.abs() >= f64::MIN_POSITIVE {
        return Some(value);
    }
    if significant.is_zero() {
        return Some(0.0);
    }
    let shortest = format!("{value:e}");
    (Decimal::of(&shortest) == significant && value != 0.0).then_some(value)
}

/// Order-preserving bits of a double: unsigned comparison of the bits is comparison of the values.
pub(crate) fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// A decimal in its one normal form: digits without zeros at either end, and a power of ten.
#[derive(Debug)]
struct Decimal<'a> {
    is_negative: bool,
    text: &'a [u8],
    count: usize,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Of the text of a JSON number.
    fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let is_negative = bytes.first() == Some(&b'-');
        let bytes = &bytes[usize::from(is_negative)..];
        let end = bytes.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(bytes.len());
        let (mantissa, power) = (&bytes[..end], &bytes[(end + 1).min(bytes.len())..]);
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let decimals = point.map_or(0, |point| mantissa.len() - point - 1) as i64;
        let is_significant = |&byte: &u8| matches!(byte, b'1'..=b'9');
        let first = mantissa.iter().position(is_significant).unwrap_or(mantissa.len());
        let last = mantissa.iter().rposition(is_significant).map_or(first, |last| last + 1);
        let digits = &mantissa[first..last];
        let trailing = mantissa[last..].iter().filter(|byte| byte.is_ascii_digit()).count() as i64;
        let count = digits.iter().filter(|byte| byte.is_ascii_digit()).count();
        Self { is_negative, text: digits, count, exponent: power_of(power) - decimals + trailing }
    }

    fn is_zero(&self) -> bool {
        self.count == 0
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.text.iter().copied().filter(u8::is_ascii_digit)
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.is_negative, self.count, self.exponent)
            == (other.is_negative, other.count, other.exponent)
            && self.digits().eq(other.digits())
    }
}

/// The exponent that `text` spells, held to what no number of a document reaches.
fn power_of(text: &[u8]) -> i64 {
    let is_negative = text.first() == Some(&b'-');
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1 << 40));
    if is_negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_double_that_spells_it() {
        for (text, value) in [
            ("300", 300.0),
            ("300.0", 300.0),
            ("3.0e2", 300.0),
            ("-0", 0.0),
            ("-0.0", 0.0),
            ("0e5", 0.0),
            ("0.10", 0.1),
            ("1e-1", 0.1),
            ("9007199254740992.0", 9_007_199_254_740_992.0),
            ("100000000000000000000", 1e20),
            ("17976931348623157e292", f64::MAX),
            ("123456789012345", 123_456_789_012_345.0),
            ("1.10000000000000000000", 1.1),
        ] {
            assert_eq!(double(text).map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
    }

    #[test]
    fn a_number_between_two_doubles_has_none() {
        for text in [
            "9007199254740993",
            "1e400",
            "-1e400",
            "1e-400",
            "12345678901234567",
            "0.1000000000000000055511151231257827",
            "0.29999999999999999",
            "123456789012345678901234567890",
            "1180591620717411303424",
            "1e99999999999999999999",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
    }

    #[test]
    fn bits_keep_the_order_of_doubles() {
        let ordered = [f64::MIN, -300.5, -1e-300, 0.0, 1e-300, 0.5, 1.0, 300.0, f64::MAX];
        assert!(ordered.windows(2).all(|pair| ordered_bits(pair[0]) < ordered_bits(pair[1])));
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }
}
