//! Percent-encoding, as RFC 3986 and forms have it.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes everything but unreserved characters; with `keep_slash`, slashes stay.
pub fn encode(text: &[u8], keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        let unreserved = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if unreserved || (keep_slash && byte == b'/') {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
    out
}

/// Decodes `%XX`; with `plus`, also `+` as a space. A broken escape stays as it is.
pub fn decode(text: &[u8], plus: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut place = 0;
    while let Some(found) = memchr::memchr2(b'%', b'+', &text[place..]) {
        out.extend_from_slice(&text[place..place + found]);
        place += found;
        let byte = text[place];
        let escaped = || Some(hex(*text.get(place + 1)?)? << 4 | hex(*text.get(place + 2)?)?);
        match byte {
            b'%' => match escaped() {
                Some(value) => {
                    out.push(value);
                    place += 2;
                }
                None => out.push(byte),
            },
            b'+' if plus => out.push(b' '),
            _ => out.push(byte),
        }
        place += 1;
    }
    out.extend_from_slice(&text[place..]);
    out
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}
