//! Numbers as AWS's matcher compares them: by a double where one represents the number exactly, and
//! by their text otherwise.

/// The double that represents a JSON number, or none if the number compares by its text.
///
/// A double represents a number if its shortest decimal form is that number: `300`, `300.0` and
/// `3.0e2` are the same double. 9007199254740993 and `1e400` have none.
pub(crate) fn double(text: &[u8]) -> Option<f64> {
    if let Some(value) = short(text) {
        return Some(value);
    }
    let decimal = Decimal::of(text);
    if decimal.count == 0 {
        return Some(0.0);
    }
    // The shortest decimal form of a double has at most 17 digits.
    if decimal.count > 17 {
        return None;
    }
    // Integers of 15 digits and powers of ten up to 10^22 are exact doubles, so one multiplication
    // or division rounds correctly.
    if decimal.count <= 15
        && let Some(power) = POWERS.get(decimal.exponent.unsigned_abs() as usize)
    {
        let whole = decimal.digits as f64;
        let size = if decimal.exponent < 0 { whole / power } else { whole * power };
        return Some(if decimal.is_negative { -size } else { size });
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let shortest = format!("{value:e}");
    (value.is_finite() && Decimal::of(shortest.as_bytes()) == decimal).then_some(value)
}

/// Fast path: at most 15 digits and no exponent, as most numbers are.
#[inline]
fn short(text: &[u8]) -> Option<f64> {
    let (is_negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    if text.len() > 16 {
        return None;
    }
    let mut whole = 0_u64;
    let mut decimals = None;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => whole = whole * 10 + u64::from(byte - b'0'),
            b'.' => decimals = Some(text.len() - at - 1),
            _ => return None,
        }
    }
    if whole >= 1_000_000_000_000_000 {
        return None;
    }
    let size = whole as f64 / POWERS[decimals.unwrap_or(0)];
    Some(if is_negative && whole != 0 { -size } else { size })
}

/// The powers of ten that are exact doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Maps a double to bits whose unsigned order is the order of the values.
pub(crate) fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// A decimal number in normal form: no zeros at either end, and a power of ten. Of more than 17
/// digits only the first 17 are kept; `count` still counts all.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: u64,
    count: u32,
    exponent: i64,
}

impl Decimal {
    /// Parses the text of a JSON number.
    fn of(text: &[u8]) -> Self {
        let is_negative = text.first() == Some(&b'-');
        let mut all = Self { is_negative, digits: 0, count: 0, exponent: 0 };
        // Zeros that count only if a nonzero digit follows.
        let mut zeros = 0;
        let mut in_fraction = false;
        for (at, &byte) in text.iter().enumerate().skip(usize::from(is_negative)) {
            match byte {
                b'0' if all.count == 0 => all.exponent -= i64::from(in_fraction),
                b'0' => {
                    zeros += 1;
                    all.exponent -= i64::from(in_fraction);
                }
                b'1'..=b'9' => {
                    all.count += zeros + 1;
                    if all.count <= 17 {
                        all.digits = all.digits * 10_u64.pow(zeros + 1) + u64::from(byte - b'0');
                    }
                    zeros = 0;
                    all.exponent -= i64::from(in_fraction);
                }
                b'.' => in_fraction = true,
                _ => {
                    all.exponent += power_of(&text[at + 1..]);
                    break;
                }
            }
        }
        all.exponent += i64::from(zeros);
        all
    }
}

/// Parses an exponent, clamped to ±2^40.
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
            assert_eq!(double(text.as_bytes()).map(f64::to_bits), Some(value.to_bits()), "{text}");
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
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn bits_keep_the_order_of_doubles() {
        let ordered = [f64::MIN, -300.5, -1e-300, 0.0, 1e-300, 0.5, 1.0, 300.0, f64::MAX];
        assert!(ordered.windows(2).all(|pair| ordered_bits(pair[0]) < ordered_bits(pair[1])));
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }
}
