//! One pass over an event's bytes: values at the paths that rules name are noted, the rest is
//! skipped.
//!
//! No tree is built. Of several members with one key the last counts: what the earlier ones left is
//! dropped when the key comes again.

use std::collections::BTreeMap;

use crate::error::InvalidEvent;
use crate::event::fields::{Found, OUTSIDE, Place};
use crate::event::input::{Event, decode};
use crate::event::value::Kind;
use crate::json::scan::{self, Scan, Strict, Text, Trusted};
use crate::paths::{Field, Node, Paths, ROOT};

/// Walks an event of which nothing is known.
pub(crate) fn strict(
    event: &Event<'_>,
    paths: &Paths,
    found: &mut Found,
) -> Result<(), InvalidEvent> {
    if let Err(error) = std::str::from_utf8(event.text) {
        return Err(InvalidEvent::new("it is not UTF-8", error.valid_up_to()));
    }
    walk::<Strict>(event, paths, found)
}

/// Walks an event that is known to be JSON.
pub(crate) fn trusted(
    event: &Event<'_>,
    paths: &Paths,
    found: &mut Found,
) -> Result<(), InvalidEvent> {
    walk::<Trusted>(event, paths, found)
}

fn walk<S: Scan>(event: &Event<'_>, paths: &Paths, found: &mut Found) -> Result<(), InvalidEvent> {
    let text = Text { bytes: event.text, depth_max: event.depth_max };
    let mut walk = Walk::<S>::new(text, paths, found);
    let at = scan::blanks(text.bytes, 0);
    if text.bytes.get(at) != Some(&b'{') {
        return Err(InvalidEvent::new("an event is a JSON object", at));
    }
    walk.may_end = event.is_plain;
    let end = walk.object(paths.node(ROOT), at + 1, OUTSIDE, 1)?;
    let end = if S::IS_STRICT { scan::blanks(text.bytes, end) } else { text.bytes.len() };
    if end != text.bytes.len() {
        return Err(InvalidEvent::new("something follows the event's object", end));
    }
    Ok(())
}

/// Walks a JSON array that is the value of an attribute.
pub(crate) fn array(
    bytes: &[u8],
    field: Field,
    paths: &Paths,
    found: &mut Found,
) -> Result<(), InvalidEvent> {
    // Attributes share one text to refer to.
    let from = found.decoded.len();
    let text = Text { bytes, depth_max: crate::limits::EVENT_DEPTH_MAX };
    let at = scan::blanks(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return Err(InvalidEvent::new("no array", at));
    }
    let first = found.leaves.len();
    let mut walk = Walk::<Strict>::new(text, paths, found);
    let end = walk.array(paths.node(field), field, at + 1, OUTSIDE, 1)?;
    let end = scan::blanks(bytes, end);
    if end != bytes.len() {
        return Err(InvalidEvent::new("something follows the array", end));
    }
    debug_assert!(from <= found.decoded.len());
    found.own(first, bytes);
    Ok(())
}

/// Whether `text` is a JSON number and nothing else.
pub(crate) fn is_number(text: &[u8]) -> bool {
    Strict::number(text, 0) == Ok(text.len())
}

struct Walk<'a, S> {
    text: Text<'a>,
    paths: &'a Paths,
    found: &'a mut Found,
    arrays: u32,
    objects: u32,
    /// Whether everything that rules name was met, and no more can come.
    is_done: bool,
    /// Whether it ends when this object has given all that it can: no key comes twice or has dots,
    /// and whatever is around the object has given all else.
    may_end: bool,
    /// Where keys with dots have led to, in which object, and which leaves that gave.
    dotted: BTreeMap<(u32, Field), (u32, u32)>,
    scan: std::marker::PhantomData<S>,
}

impl<'a, S: Scan> Walk<'a, S> {
    fn new(text: Text<'a>, paths: &'a Paths, found: &'a mut Found) -> Self {
        let scan = std::marker::PhantomData;
        Self {
            text,
            paths,
            found,
            arrays: 0,
            objects: 0,
            is_done: false,
            may_end: false,
            dotted: BTreeMap::new(),
            scan,
        }
    }

    /// The members of an object, from after its brace to behind its end.
    fn object(
        &mut self,
        node: &Node,
        mut at: usize,
        place: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        self.text.check_depth(depth, at)?;
        let bytes = self.text.bytes;
        self.objects += 1;
        let object = self.objects;
        let may_end = self.may_end;
        let mut missing = node.width();
        at = scan::blanks(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        loop {
            if bytes.get(at) != Some(&b'"') {
                return Err(InvalidEvent::new("a key in quotes is missing", at));
            }
            let (end, has_escapes) = S::string(bytes, at + 1)?;
            let key = &bytes[at + 1..end];
            at = scan::blanks(bytes, end + 1);
            if bytes.get(at) != Some(&b':') {
                return Err(InvalidEvent::new("a colon is missing", at));
            }
            at = scan::blanks(bytes, at + 1);
            at = match self.lookup(node, key, has_escapes) {
                None => S::skip(&self.text, at, depth)?,
                Some((field, is_dotted)) => {
                    let from = self.found.leaves.len() as u32;
                    missing = missing.saturating_sub(1);
                    self.may_end = may_end && missing == 0;
                    let at = self.value(field, at, place, depth)?;
                    if self.is_done || self.may_end {
                        self.is_done = true;
                        return Ok(at);
                    }
                    let leaves = (from, self.found.leaves.len() as u32);
                    self.replace(object, field, is_dotted, leaves);
                    at
                }
            };
            at = scan::blanks(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = scan::blanks(bytes, at + 1),
                Some(b'}') => return Ok(at + 1),
                _ => {
                    return Err(InvalidEvent::new(
                        "a comma or the end of an object is missing",
                        at,
                    ));
                }
            }
        }
    }

    /// Where a key leads to, and whether it was spelt with dots.
    #[inline]
    fn lookup(&mut self, node: &Node, key: &[u8], has_escapes: bool) -> Option<(Field, bool)> {
        if has_escapes {
            let mut decoded = Vec::new();
            decode(key, &mut decoded);
            return self.lookup(node, &decoded, false);
        }
        if let Some(field) = node.child(key) {
            return Some((field, false));
        }
        if !node.is_deep() {
            return None;
        }
        let (first, rest) = key.split_at(memchr::memchr(b'.', key)?);
        let field = self.paths.descend(node.child(first)?, &rest[1..])?;
        Some((field, true))
    }

    /// Notes which leaves a member gave; drops those of an earlier member with the same key.
    #[inline]
    fn replace(&mut self, object: u32, field: Field, is_dotted: bool, leaves: (u32, u32)) {
        let earlier = if is_dotted {
            self.found.is_dotted = true;
            self.dotted.insert((object, field), leaves)
        } else {
            self.found.visit(object, field, leaves)
        };
        if let Some((from, to)) = earlier {
            self.found.kill(from, to);
        }
    }

    fn value(
        &mut self,
        field: Field,
        at: usize,
        place: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        let bytes = self.text.bytes;
        let paths = self.paths;
        let node = paths.node(field);
        let Some(&byte) = bytes.get(at) else {
            return Err(InvalidEvent::new("a value is missing", at));
        };
        match byte {
            b'{' if node.has_children() => self.object(node, at + 1, place, depth + 1),
            b'{' => S::skip(&self.text, at, depth),
            b'[' => self.array(node, field, at + 1, place, depth + 1),
            _ if !node.is_named => S::skip(&self.text, at, depth),
            b'"' => {
                let (end, has_escapes) = S::string(bytes, at + 1)?;
                if has_escapes {
                    let start = self.found.decoded.len();
                    decode(&bytes[at + 1..end], &mut self.found.decoded);
                    let range = (start, self.found.decoded.len());
                    self.found.push(field, Kind::Text, range, true, place);
                } else {
                    self.found.push(field, Kind::Text, (at + 1, end), false, place);
                }
                Ok(end + 1)
            }
            b'-' | b'0'..=b'9' => {
                let end = S::number(bytes, at)?;
                self.found.push(field, Kind::Number, (at, end), false, place);
                Ok(end)
            }
            _ => {
                let kind = match byte {
                    b't' => Kind::True,
                    b'f' => Kind::False,
                    _ => Kind::Null,
                };
                let end = scan::word(bytes, at)?;
                self.found.push(field, kind, (at, end), false, place);
                Ok(end)
            }
        }
    }

    /// The elements of an array, from after its bracket to behind its end.
    fn array(
        &mut self,
        node: &Node,
        field: Field,
        mut at: usize,
        place: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        self.text.check_depth(depth, at)?;
        let bytes = self.text.bytes;
        // The next element may give the same again.
        let may_end = std::mem::take(&mut self.may_end);
        at = scan::blanks(bytes, at);
        if bytes.get(at) == Some(&b']') {
            self.may_end = may_end;
            return Ok(at + 1);
        }
        let array = self.arrays;
        self.arrays += 1;
        for index in 0.. {
            let is_nested = matches!(bytes.get(at), Some(b'{' | b'['));
            let around = if is_nested {
                let element = Place { parent: place, array, index, depth: node.depth };
                self.found.places.push(element);
                self.found.places.len() as u32 - 1
            } else {
                place
            };
            let leaves = self.found.leaves.len();
            at = scan::blanks(bytes, self.value(field, at, around, depth)?);
            // A place without leaves below it is none: most arrays are skipped or hold scalars.
            if is_nested && self.found.leaves.len() == leaves {
                self.found.places.truncate(around as usize);
            }
            match bytes.get(at) {
                Some(b',') => at = scan::blanks(bytes, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => {
                    return Err(InvalidEvent::new("a comma or the end of an array is missing", at));
                }
            }
        }
        unreachable!("an array ends, or the text does")
    }
}
