//! The detail of an event as targets get it: without white space between its tokens, and with one
//! member a key. Of members of one object that have the same key the last holds, as on AWS.
//!
//! Both is done on the text, so numbers stay as they were written and depth costs no stack.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Keys of one object that are compared one by one; of more, a table is made.
const COMPARED_MAX: usize = 16;

/// Writes the JSON text `json`, which was checked.
pub(super) fn write(json: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    write_compact(json, out);
    let repeated = repeated_members(&out[start..]);
    if repeated.is_empty() {
        return;
    }
    let compact = out.split_off(start);
    let mut at = 0;
    for cut in repeated {
        // A member that goes may hold others that go.
        if cut.start >= at {
            out.extend_from_slice(&compact[at..cut.start]);
        }
        at = at.max(cut.end);
    }
    out.extend_from_slice(&compact[at..]);
}

/// Writes JSON without white space between its tokens.
fn write_compact(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (plain, text) = rest.split_at(quote);
        write_tokens(plain, out);
        let length = text_length(text);
        out.extend_from_slice(&text[..length]);
        rest = &text[length..];
    }
    write_tokens(rest, out);
}

fn write_tokens(plain: &[u8], out: &mut Vec<u8>) {
    out.extend(plain.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

/// The length of the JSON text that `json` starts with, its quotes included.
fn text_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        // The escaped byte may be a quote.
        at += 2;
    }
    json.len()
}

/// An object or an array that is being read.
struct Open<'j> {
    is_object: bool,
    expects_key: bool,
    /// Where its members start among all.
    base: usize,
    /// Its members by key, once there are many.
    table: Option<HashMap<Cow<'j, [u8]>, usize>>,
}

/// A member of an object that is being read.
struct Member<'j> {
    /// `None` for one that a later member has replaced.
    key: Option<Cow<'j, [u8]>>,
    range: Range<usize>,
}

/// Where the members are that a later one of the same key replaces, each with its comma.
fn repeated_members(json: &[u8]) -> Vec<Range<usize>> {
    let (mut open, mut members, mut found) = (Vec::<Open<'_>>::new(), Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' | b'[' => open.push(Open {
                is_object: *byte == b'{',
                expects_key: true,
                base: members.len(),
                table: None,
            }),
            b'}' | b']' => {
                if let Some(closed) = open.pop() {
                    members.truncate(closed.base);
                }
            }
            b',' => {
                if let Some(inner) = open.last_mut() {
                    inner.expects_key = true;
                }
            }
            b'"' => {
                let length = text_length(&json[at..]);
                if let Some(inner) = open.last_mut().filter(|open| open.is_object)
                    && inner.expects_key
                {
                    inner.expects_key = false;
                    add_key(&json[at..at + length], at, inner, &mut members, &mut found);
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found.sort_unstable_by_key(|range| range.start);
    found
}

fn add_key<'j>(
    text: &'j [u8],
    at: usize,
    object: &mut Open<'j>,
    members: &mut Vec<Member<'j>>,
    found: &mut Vec<Range<usize>>,
) {
    let base = object.base;
    if let Some(last) = members[base..].last_mut() {
        last.range.end = at;
    }
    let key = key_of(text);
    if object.table.is_none() && members.len() - base >= COMPARED_MAX {
        let keyed = members.iter().enumerate().skip(base);
        let keyed = keyed.filter_map(|(place, member)| Some((member.key.clone()?, place)));
        object.table = Some(keyed.collect());
    }
    let earlier = match &mut object.table {
        Some(table) => table.insert(key.clone(), members.len()),
        None => members[base..]
            .iter()
            .position(|member| member.key.as_ref() == Some(&key))
            .map(|place| base + place),
    };
    if let Some(earlier) = earlier {
        members[earlier].key = None;
        found.push(members[earlier].range.clone());
    }
    members.push(Member { key: Some(key), range: at..at });
}

/// A key without its quotes and escapes.
fn key_of(text: &[u8]) -> Cow<'_, [u8]> {
    let decoded = match memchr::memchr(b'\\', text) {
        Some(_) => serde_json::from_slice::<String>(text).ok(),
        None => None,
    };
    match decoded {
        Some(decoded) => Cow::Owned(decoded.into_bytes()),
        None => Cow::Borrowed(&text[1..text.len().max(2) - 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        let mut out = b"before".to_vec();
        write(json.as_bytes(), &mut out);
        String::from_utf8_lossy(&out[b"before".len()..]).into_owned()
    }

    #[test]
    fn the_last_member_of_a_key_holds() {
        let cases = [
            (r#"{ "a" : [ 1.0 , "x \" y" ] }"#, r#"{"a":[1.0,"x \" y"]}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":1,"b":2,"a":3,"a":4}"#, r#"{"b":2,"a":4}"#),
            (r#"{"a":{"x":1,"x":2},"b":0,"a":{"y":1,"y":2}}"#, r#"{"b":0,"a":{"y":2}}"#),
            (r#"[{"a":"a,{"},{"a":1}]"#, r#"[{"a":"a,{"},{"a":1}]"#),
            (r#"{"a":["a","a"],"\u0061":1}"#, r#"{"\u0061":1}"#),
            (r#"{"a":{"a":{"a":1}}}"#, r#"{"a":{"a":{"a":1}}}"#),
            (r#"{"":1,"":2}"#, r#"{"":2}"#),
            ("{}", "{}"),
        ];
        for (json, expected) in cases {
            assert_eq!(written(json), expected, "{json}");
        }
    }

    #[test]
    fn many_keys_and_deep_details_are_read_like_few() {
        let members: Vec<_> = (0..100).map(|n| format!("\"k{}\":{n}", n % 40)).collect();
        let json = format!("{{{}}}", members.join(","));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        let result = written(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&result).ok(), Some(read));
        assert_eq!(result.matches("\"k").count(), 40);
        let deep = format!("{}1{}", r#"{"a":"#.repeat(1_000), "}".repeat(1_000));
        assert_eq!(written(&deep), deep);
    }
}
