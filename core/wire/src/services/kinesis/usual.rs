//! The usual form of PutRecords in JSON, read in one pass: a record's data is decoded while the
//! processor's cache holds it, and its text is not looked at otherwise. A general reader walks
//! each text for escapes, then for UTF-8, and the data is decoded when all of it was read.
//!
//! What has another form is left to the general reader, which also says what is wrong.

use std::borrow::Cow;

use memchr::memchr2;

use super::decoded::Decoded;
use super::input::{PutRecordsEntry, PutRecordsInput};
use crate::codec::text::Text;

/// The input, and its data; `None` unless all members are known, are there once, and are texts
/// without escapes.
pub(super) fn read(body: &[u8]) -> Option<(PutRecordsInput<'_>, Decoded)> {
    let mut scanner = Scanner { rest: body };
    let mut decoded = Decoded::default();
    let (mut stream_name, mut stream_arn, mut records) = (None, None, None);
    scanner.object(|scanner, name| match name {
        b"StreamName" => once(&mut stream_name, scanner.text()?),
        b"StreamARN" => once(&mut stream_arn, scanner.text()?),
        b"Records" => once(&mut records, scanner.records(&mut decoded)?),
        _ => None,
    })?;
    scanner.skip_space();
    let input = PutRecordsInput { stream_name, stream_arn, records, dry_run: None };
    scanner.rest.is_empty().then_some((input, decoded))
}

/// Sets what was not set before.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    #[inline]
    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The next byte that is no space.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        self.skip_space();
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// What stands between quotation marks, if nothing in it is escaped.
    #[inline]
    fn quoted(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let end = memchr2(b'"', b'\\', self.rest)?;
        let (quoted, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\"")?;
        Some(quoted)
    }

    #[inline]
    fn text(&mut self) -> Option<Text<'a>> {
        let text = std::str::from_utf8(self.quoted()?).ok()?;
        let is_plain = text.bytes().all(|byte| byte >= b' ');
        is_plain.then_some(Text(Cow::Borrowed(text)))
    }

    /// An object with at least one member; `member` reads the value of each.
    #[inline]
    fn object(&mut self, mut member: impl FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            let name = self.quoted()?;
            self.expect(b':')?;
            member(self, name)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A list with at least one record.
    fn records(&mut self, decoded: &mut Decoded) -> Option<Vec<PutRecordsEntry<'a>>> {
        self.expect(b'[')?;
        let mut records = Vec::new();
        loop {
            let mut entry = PutRecordsEntry::default();
            let mut data = None;
            self.object(|scanner, name| match name {
                b"Data" => once(&mut data, scanner.quoted()?),
                b"PartitionKey" => once(&mut entry.partition_key, scanner.text()?),
                b"ExplicitHashKey" => once(&mut entry.explicit_hash_key, scanner.text()?),
                _ => None,
            })?;
            decoded.push(data).ok()?;
            records.push(entry);
            match self.next()? {
                b',' => {}
                b']' => return Some(records),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::service::Input;

    /// What the general reader makes of a body: names, and data, key and hash key of each record.
    type Told = (Option<String>, Option<String>, Vec<[Option<Vec<u8>>; 3]>);

    fn told((input, decoded): (PutRecordsInput<'_>, Decoded)) -> Told {
        let records = input.records.as_deref().unwrap_or_default();
        let text = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let record = |entry: &super::super::decoded::Entry<'_>| {
            let data = entry.data.map(<[u8]>::to_vec);
            [data, text(entry.partition_key), text(entry.explicit_hash_key)]
        };
        let name = |name: &Option<Text<'_>>| name.as_deref().map(str::to_owned);
        let records = decoded.entries(records).iter().map(record).collect();
        (name(&input.stream_name), name(&input.stream_arn), records)
    }

    fn general(body: &[u8]) -> Option<Told> {
        let input: PutRecordsInput<'_> = Input::Json(body).read().ok()?;
        let decoded = Decoded::of(input.records.as_deref().unwrap_or_default()).ok()?;
        Some(told((input, decoded)))
    }

    const USUAL: &str = r#"{"StreamName": "clicks", "Records": [
        {"Data": "aGVsbG8=", "PartitionKey": "käse", "ExplicitHashKey": "7"},
        {"PartitionKey":"b","Data":""},{"Data":"QUJD"},{"PartitionKey":"c"}] }"#;

    #[test]
    fn the_usual_form_reads_as_the_general_reader_reads_it() {
        let data = |data: &[u8]| Some(data.to_vec());
        let found = told(read(USUAL.as_bytes()).unwrap());
        assert_eq!(found.0.as_deref(), Some("clicks"));
        assert_eq!(
            found.2,
            [
                [data(b"hello"), data("käse".as_bytes()), data(b"7")],
                [data(b""), data(b"b"), None],
                [data(b"ABC"), None, None],
                [None, data(b"c"), None],
            ]
        );
        assert_eq!(general(USUAL.as_bytes()), Some(found));
    }

    #[test]
    fn other_forms_are_left_to_the_general_reader() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"Records":[]}"#,
            r#"{"Records":null}"#,
            r#"{"Records":[{}]}"#,
            r#"{"StreamName":"a","StreamName":"b","Records":[{"Data":"QQ=="}]}"#,
            r#"{"Records":[{"Data":"QQ==","Data":"QQ=="}]}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":null}]}"#,
            r#"{"Records":[{"Data":"QQ\u003d=","PartitionKey":"k"}]}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"a\"b"}]}"#,
            r#"{"Records":[{"Data":"Q!==","PartitionKey":"k"}]}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"k"}],"DryRun":true}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"k","Other":{"a":[1]}}]}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"k"},]}"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"k"}]} x"#,
            r#"{"Records":[{"Data":"QQ==","PartitionKey":"k"}]"#,
            r#"{"Records":[{"Data" "QQ=="}]}"#,
            "{\"Records\":[{\"Data\":\"QQ==\",\"PartitionKey\":\"a\nb\"}]}",
        ] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(read(b"{\"Records\":[{\"Data\":\"QQ==\",\"PartitionKey\":\"\xff\"}]}").is_none());
    }

    /// Whatever is read here, the general reader reads the same.
    #[test]
    fn no_change_of_a_body_reads_differently() {
        let bytes = *b"\"\\{}[],: \n\0\xffA=DrnullS0";
        let mut read_too = 0;
        for place in 0..USUAL.len() {
            for byte in bytes {
                let mut changed = USUAL.as_bytes().to_vec();
                changed[place] = byte;
                let cut = &USUAL.as_bytes()[..place];
                for body in [&changed[..], cut] {
                    if let Some(found) = read(body) {
                        assert_eq!(general(body), Some(told(found)), "{body:?}");
                        read_too += 1;
                    }
                }
            }
        }
        assert!(read_too > 100, "{read_too}");
    }
}
