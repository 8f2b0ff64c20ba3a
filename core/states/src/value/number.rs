//! Numbers as AWS keeps them: whole numbers stay whole, of any length; all others are floats.

use std::sync::Arc;

/// A JSON number.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number of 64 bits.
    Int(i64),
    /// A whole number of more than 64 bits: its digits.
    Big(Arc<str>),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// A number from a calculation in floats: whole when it has no fraction and is exact.
    pub fn from_f64(value: f64) -> Number {
        if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            Number::Int(value as i64)
        } else {
            Number::Float(value)
        }
    }

    /// As near as a float of 64 bits comes.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(value) => *value as f64,
            Number::Big(digits) => digits.parse().unwrap_or(f64::INFINITY),
            Number::Float(value) => *value,
        }
    }

    /// Appends the text of the number.
    pub fn write(&self, out: &mut String) {
        match self {
            Number::Int(value) => write_int(*value, out),
            Number::Big(digits) => out.push_str(digits),
            Number::Float(value) => write_float(*value, out),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Big(a), Number::Big(b)) => a == b,
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

fn write_int(value: i64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// Appends a time in milliseconds as the number of its seconds: the text of that float.
pub(crate) fn write_seconds(at_ms: u64, out: &mut String) {
    // So many digits are those of the float, and it is long enough for an exponent.
    if !(10_000_000_000..1_000_000_000_000_000).contains(&at_ms) {
        return write_float(at_ms as f64 / 1_000.0, out);
    }
    let start = out.len();
    write_int(at_ms as i64, out);
    let exponent = out.len() - start - 4;
    out.truncate(out.trim_end_matches('0').len());
    out.insert(start + 1, '.');
    if out.ends_with('.') {
        out.push('0');
    }
    out.push('E');
    write_int(exponent as i64, out);
}

/// As Java writes a double: `1.0`, `0.001`, `1.0E7`.
fn write_float(value: f64, out: &mut String) {
    use std::fmt::Write;
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{value:E}");
        let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        out.push_str(digits);
        if !digits.contains('.') {
            out.push_str(".0");
        }
        out.push('E');
        out.push_str(exponent);
    } else {
        // `{:?}` keeps the fraction of a whole float: `1.0`.
        let _ = write!(out, "{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_the_float_is() {
        let mut at_ms = 1_u64;
        while at_ms < 1 << 56 {
            for near in [at_ms - 1, at_ms, at_ms + 1, at_ms * 10, at_ms / 1_000 * 1_000] {
                let (mut text, mut float) = (String::new(), String::new());
                write_seconds(near, &mut text);
                write_float(near as f64 / 1_000.0, &mut float);
                assert_eq!(text, float, "{near}");
            }
            at_ms += at_ms / 7 + 1;
        }
    }
}
