//! IPv4 and IPv6 addresses and networks, parsed as AWS's matcher parses them.

use crate::error::ParseError;

/// An address: its bits, left-aligned in 128, and its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) bits: u128,
    pub(crate) is_v6: bool,
}

/// Parses an address: four decimal parts, or hexadecimal groups with colons. Leading zeros are
/// allowed. An IPv6 address with dots or a zone is refused.
pub(crate) fn parse(text: &[u8]) -> Option<Address> {
    if text.contains(&b':') { parse_v6(text) } else { parse_v4(text) }
}

fn parse_v4(text: &[u8]) -> Option<Address> {
    let mut bits = 0_u128;
    let mut parts = 0;
    for part in text.split(|&byte| byte == b'.') {
        let is_plain = matches!(part.len(), 1..=3) && part.iter().all(u8::is_ascii_digit);
        if !is_plain || parts == 4 {
            return None;
        }
        let value = part.iter().fold(0_u128, |sum, digit| sum * 10 + u128::from(digit & 0x0f));
        if value > 255 {
            return None;
        }
        bits = bits << 8 | value;
        parts += 1;
    }
    (parts == 4).then_some(Address { bits: bits << 96, is_v6: false })
}

fn parse_v6(text: &[u8]) -> Option<Address> {
    let gap = text.windows(2).position(|pair| pair == b"::");
    let (head, tail) = match gap {
        Some(gap) => (&text[..gap], &text[gap + 2..]),
        None => (text, &[][..]),
    };
    let (front, front_count) = groups(head)?;
    let (back, back_count) = groups(tail)?;
    let count = front_count + back_count;
    let is_complete = if gap.is_some() { count < 8 } else { count == 8 };
    if !is_complete {
        return None;
    }
    let high = if front_count == 0 { 0 } else { front << (128 - 16 * front_count) };
    Some(Address { bits: high | back, is_v6: true })
}

/// Parses groups separated by colons; returns 16 bits for each, and their number.
fn groups(text: &[u8]) -> Option<(u128, u32)> {
    let mut bits = 0_u128;
    let mut count = 0;
    if text.is_empty() {
        return Some((bits, count));
    }
    for group in text.split(|&byte| byte == b':') {
        if !matches!(group.len(), 1..=4) || count == 8 {
            return None;
        }
        let mut value = 0;
        for &digit in group {
            value = value << 4 | u128::from(char::from(digit).to_digit(16)?);
        }
        bits = bits << 16 | value;
        count += 1;
    }
    Some((bits, count))
}

/// A network: the addresses that share their first `length` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) bits: u128,
    pub(crate) length: u8,
    pub(crate) is_v6: bool,
}

impl Network {
    /// Parses a network such as `10.0.0.0/24`; errors have AWS's texts. Host bits are ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        // Java's `split` drops empty parts at the end, so trailing slashes are ignored.
        let parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        let &[base, mask] = parts.as_slice() else {
            return Err(ParseError::without_position("Malformed CIDR, one '/' required"));
        };
        let Ok(length) = mask.parse::<i32>() else {
            return Err(ParseError::without_position(
                "Malformed CIDR, mask bits must be an integer",
            ));
        };
        if length < 0 {
            return Err(ParseError::without_position(
                "Malformed CIDR, mask bits must not be negative",
            ));
        }
        let is_v4_like = base.split('.').count() == 4
            && base.split('.').all(|part| !part.is_empty() && all_digits(part));
        let is_v6_like =
            base.contains(':') && base.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit());
        if !is_v4_like && !is_v6_like {
            return Err(ParseError::without_position(format!("Nonstandard IP address: {base}")));
        }
        let address = parse(base.as_bytes())
            .ok_or_else(|| ParseError::without_position(format!("Invalid IP address: {base}")))?;
        let (width, family) = if address.is_v6 { (128, "IPv6") } else { (32, "IPv4") };
        if length >= width {
            return Err(ParseError::without_position(format!(
                "{family} mask bits must be < {width}"
            )));
        }
        let length = length as u8;
        Ok(Self { bits: first_bits(address.bits, length), length, is_v6: address.is_v6 })
    }

    pub(crate) fn holds(&self, address: Address) -> bool {
        self.is_v6 == address.is_v6 && first_bits(address.bits, self.length) == self.bits
    }
}

/// The first `length` bits; the others are cleared.
pub(crate) fn first_bits(bits: u128, length: u8) -> u128 {
    if length == 0 { 0 } else { bits & (u128::MAX << (128 - u32::from(length))) }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().map(u128::from).ok();
        for text in ["::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "2001:DB8:1:2:3:4:5::"] {
            assert_eq!(parse(text.as_bytes()).map(|address| address.bits), v6(text), "{text}");
        }
        assert_eq!(parse(b"010.0.0.5").map(|address| address.bits >> 96), Some(0x0a00_0005));
        for text in [
            "",
            ":",
            ":::",
            "1:2",
            "::1::2",
            "1:2:3:4:5:6:7:8:9",
            "2001:db8::12345",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.1.2",
            "10.0.0.5 ",
            "::ffff:10.0.0.5",
            "fe80::1%eth0",
            "g::",
            "1:2:3:4:5:6:7::8",
            "0001.0.0.1",
            "128.0888888888888888888888888888888888888888888888.0.0",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_network_holds_what_shares_its_first_bits() {
        let network = Network::parse("10.1.16.77/20").expect("a network");
        let holds = |text: &str| parse(text.as_bytes()).is_some_and(|found| network.holds(found));
        assert!(holds("10.1.16.0") && holds("10.1.31.255"));
        assert!(!holds("10.1.15.255") && !holds("10.1.32.0") && !holds("a01:1000::"));
    }
}
