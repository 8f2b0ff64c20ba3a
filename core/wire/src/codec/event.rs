//! Messages of an event stream.
//!
//! ```text
//! message := total u32 | headers u32 | crc32(first 8) u32 | header* | payload | crc32(before) u32
//! header  := name len u8 | name | type u8 | value           (integers big-endian)
//! ```

use crate::error::{Result, WireError};
use crate::limits::{EVENT_HEADERS_BYTES_MAX, EVENT_PAYLOAD_BYTES_MAX};

const PRELUDE_BYTES: usize = 12;
const TRAILER_BYTES: usize = 4;

/// One message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// Headers in order, by name.
    pub headers: Vec<(String, Header)>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq)]
pub enum Header {
    /// A boolean.
    Bool(bool),
    /// 8 bits.
    Byte(i8),
    /// 16 bits.
    Short(i16),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// Bytes, at most 65,535.
    Bytes(Vec<u8>),
    /// Text, at most 65,535 bytes.
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
    /// A UUID.
    Uuid([u8; 16]),
}

impl Message {
    /// An event of the stream: `:message-type` event, and the member's name as its type.
    pub fn event(name: &str, content_type: &str, payload: Vec<u8>) -> Self {
        let text = |text: &str| Header::Text(text.to_owned());
        let headers = vec![
            (":message-type".to_owned(), text("event")),
            (":event-type".to_owned(), text(name)),
            (":content-type".to_owned(), text(content_type)),
        ];
        Self { headers, payload }
    }

    /// An exception that ends the stream.
    pub fn exception(name: &str, content_type: &str, payload: Vec<u8>) -> Self {
        let text = |text: &str| Header::Text(text.to_owned());
        let headers = vec![
            (":message-type".to_owned(), text("exception")),
            (":exception-type".to_owned(), text(name)),
            (":content-type".to_owned(), text(content_type)),
        ];
        Self { headers, payload }
    }

    /// The text of the header `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(key, value)| match value {
            Header::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// Appends the message to `out`.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let length = u8::try_from(name.len()).map_err(|_| too_large())?;
            headers.push(length);
            headers.extend_from_slice(name.as_bytes());
            write_header(value, &mut headers)?;
        }
        if headers.len() > EVENT_HEADERS_BYTES_MAX || self.payload.len() > EVENT_PAYLOAD_BYTES_MAX {
            return Err(too_large());
        }
        let start = out.len();
        let total = PRELUDE_BYTES + headers.len() + self.payload.len() + TRAILER_BYTES;
        out.extend_from_slice(&(total as u32).to_be_bytes());
        out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        let prelude = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&prelude.to_be_bytes());
        out.extend_from_slice(&headers);
        out.extend_from_slice(&self.payload);
        let whole = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&whole.to_be_bytes());
        Ok(())
    }

    /// Reads the first message of `bytes` and how long it is; `None` while it is not complete.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>> {
        let Some(prelude) = bytes.get(..PRELUDE_BYTES) else { return Ok(None) };
        let (total, headers) = (number(&prelude[..4]), number(&prelude[4..8]));
        if crc32fast::hash(&prelude[..8]) as usize != number(&prelude[8..]) {
            return Err(malformed("The prelude's checksum does not match."));
        }
        let fixed = PRELUDE_BYTES + TRAILER_BYTES;
        let payload = total.checked_sub(fixed).and_then(|rest| rest.checked_sub(headers));
        let Some(payload) = payload else { return Err(malformed("The lengths do not fit.")) };
        if headers > EVENT_HEADERS_BYTES_MAX || payload > EVENT_PAYLOAD_BYTES_MAX {
            return Err(too_large());
        }
        let Some(message) = bytes.get(..total) else { return Ok(None) };
        let (covered, trailer) = message.split_at(total - TRAILER_BYTES);
        if crc32fast::hash(covered) as usize != number(trailer) {
            return Err(malformed("The message's checksum does not match."));
        }
        let (head, payload) = covered[PRELUDE_BYTES..].split_at(headers);
        let headers = read_headers(head).ok_or_else(|| malformed("A header is damaged."))?;
        Ok(Some((Self { headers, payload: payload.to_vec() }, total)))
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn malformed(message: &str) -> WireError {
    WireError::serialization(format!("The event stream is damaged. {message}"))
}

fn too_large() -> WireError {
    WireError::serialization("A message of the event stream is too large.")
}

fn write_header(value: &Header, out: &mut Vec<u8>) -> Result<()> {
    let (kind, bytes): (u8, &[u8]) = match value {
        Header::Bool(flag) => (u8::from(!flag), &[]),
        Header::Byte(number) => (2, &number.to_be_bytes()),
        Header::Short(number) => (3, &number.to_be_bytes()),
        Header::Int(number) => (4, &number.to_be_bytes()),
        Header::Long(number) => (5, &number.to_be_bytes()),
        Header::Bytes(bytes) => (6, bytes),
        Header::Text(text) => (7, text.as_bytes()),
        Header::Time(millis) => (8, &millis.to_be_bytes()),
        Header::Uuid(uuid) => (9, uuid),
    };
    out.push(kind);
    if matches!(kind, 6 | 7) {
        let length = u16::try_from(bytes.len()).map_err(|_| too_large())?;
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.extend_from_slice(bytes);
    Ok(())
}

fn read_headers(mut rest: &[u8]) -> Option<Vec<(String, Header)>> {
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let length = take(&mut rest, 1)?[0];
        let name = String::from_utf8(take(&mut rest, length.into())?.to_vec()).ok()?;
        let kind = take(&mut rest, 1)?[0];
        headers.push((name, read_header(kind, &mut rest)?));
    }
    Some(headers)
}

fn read_header(kind: u8, rest: &mut &[u8]) -> Option<Header> {
    Some(match kind {
        0 => Header::Bool(true),
        1 => Header::Bool(false),
        2 => Header::Byte(i8::from_be_bytes(take(rest, 1)?.try_into().ok()?)),
        3 => Header::Short(i16::from_be_bytes(take(rest, 2)?.try_into().ok()?)),
        4 => Header::Int(i32::from_be_bytes(take(rest, 4)?.try_into().ok()?)),
        5 => Header::Long(i64::from_be_bytes(take(rest, 8)?.try_into().ok()?)),
        6 | 7 => {
            let length = number(take(rest, 2)?);
            let bytes = take(rest, length)?.to_vec();
            if kind == 6 {
                Header::Bytes(bytes)
            } else {
                Header::Text(String::from_utf8(bytes).ok()?)
            }
        }
        8 => Header::Time(i64::from_be_bytes(take(rest, 8)?.try_into().ok()?)),
        9 => Header::Uuid(take(rest, 16)?.try_into().ok()?),
        _ => return None,
    })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let headers = vec![
            ("flag".to_owned(), Header::Bool(true)),
            ("text".to_owned(), Header::Text("value".to_owned())),
            ("time".to_owned(), Header::Time(1_000)),
            ("uuid".to_owned(), Header::Uuid([7; 16])),
        ];
        Message { headers, payload: b"payload".to_vec() }
    }

    #[test]
    fn a_message_is_read_back_with_its_length() {
        let mut bytes = Vec::new();
        message().write(&mut bytes).unwrap();
        let length = bytes.len();
        bytes.extend_from_slice(b"next");
        assert_eq!(Message::read(&bytes), Ok(Some((message(), length))));
    }

    #[test]
    fn the_empty_message_is_the_sixteen_bytes_of_the_specification() {
        let mut bytes = Vec::new();
        Message::default().write(&mut bytes).unwrap();
        let expected = [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255];
        assert_eq!(bytes, expected);
    }

    // tests/wire/test_protocols.py shows botocore the same file.
    #[test]
    fn a_message_with_every_kind_of_header_is_the_one_that_botocore_reads() {
        let text = include_str!("../../../../tests/fixtures/event_stream.hex").replace('\n', "");
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let expected: Vec<u8> = text.as_bytes().chunks(2).map(byte).collect();
        let mut message = Message::event("Chunk", "application/json", br#"{"n":1}"#.to_vec());
        for (name, value) in [
            ("flag", Header::Bool(true)),
            ("off", Header::Bool(false)),
            ("byte", Header::Byte(-1)),
            ("short", Header::Short(-2)),
            ("int", Header::Int(-3)),
            ("long", Header::Long(-4)),
            ("bytes", Header::Bytes(vec![0, 1])),
            ("time", Header::Time(1_000)),
            ("uuid", Header::Uuid(std::array::from_fn(|place| place as u8))),
        ] {
            message.headers.push((name.to_owned(), value));
        }
        let mut bytes = Vec::new();
        message.write(&mut bytes).unwrap();
        assert_eq!(bytes, expected);
        assert_eq!(Message::read(&expected), Ok(Some((message, expected.len()))));
    }

    #[test]
    fn a_cut_message_is_not_complete_and_a_changed_one_is_refused() {
        let mut bytes = Vec::new();
        message().write(&mut bytes).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(Message::read(&bytes[..length]), Ok(None));
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert!(Message::read(&damaged).is_err(), "byte {place}");
        }
    }
}
