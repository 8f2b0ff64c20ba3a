//! Flattening of an event: one pass over its bytes extracts the values at named paths and skips the
//! rest.
//!
//! No tree is built. If an object has a key twice, the last member counts: the leaves of earlier
//! ones are discarded.

use std::collections::BTreeMap;

use crate::error::InvalidEvent;
use crate::event::fields::{ArrayElement, ExtractedFields, ROOT_ELEMENT};
use crate::event::input::Event;
use crate::event::value::ValueKind;
use crate::json::escape::decode_valid;
use crate::json::scan::{self, Scan, Strict, Text, Trusted};
use crate::paths::{Field, Node, Paths, ROOT};

/// Is told of each text at a named path as soon as it was read, while the rest is still to be read.
pub(crate) trait Watch {
    fn text(&self, field: Field, node: &Node, text: &[u8]);
}

/// Watches nothing.
impl Watch for () {
    #[inline]
    fn text(&self, _field: Field, _node: &Node, _text: &[u8]) {}
}

/// Extracts the values at `paths` from an event.
pub(crate) fn flatten(
    event: &Event<'_>,
    paths: &Paths,
    watch: &impl Watch,
    extracted: &mut ExtractedFields,
) -> Result<(), InvalidEvent> {
    extracted.clear(paths.len());
    if u32::try_from(event.text.len()).is_err() {
        return Err(InvalidEvent::new("it is larger than 4 GiB", 0));
    }
    if event.is_trusted {
        flatten_with::<Trusted, _>(event, paths, watch, extracted)?;
    } else {
        if let Err(error) = std::str::from_utf8(event.text) {
            return Err(InvalidEvent::new("it is not UTF-8", error.valid_up_to()));
        }
        flatten_with::<Strict, _>(event, paths, watch, extracted)?;
    }
    extracted.finish();
    Ok(())
}

fn flatten_with<S: Scan, W: Watch>(
    event: &Event<'_>,
    paths: &Paths,
    watch: &W,
    extracted: &mut ExtractedFields,
) -> Result<(), InvalidEvent> {
    let text = Text { bytes: event.text, depth_max: event.depth_max };
    let mut flattener = Flattener::<S, W>::new(text, paths, watch, extracted);
    let at = scan::skip_whitespace(text.bytes, 0);
    if text.bytes.get(at) != Some(&b'{') {
        return Err(InvalidEvent::new("an event is a JSON object", at));
    }
    flattener.may_end = event.is_plain;
    flattener.has_unique_keys = event.is_plain;
    let end = flattener.object(paths.node(ROOT), at + 1, ROOT_ELEMENT, 1)?;
    let end = if S::IS_STRICT { scan::skip_whitespace(text.bytes, end) } else { text.bytes.len() };
    if end != text.bytes.len() {
        return Err(InvalidEvent::new("something follows the event's object", end));
    }
    Ok(())
}

/// Flattens the JSON array that is the value of an attribute.
pub(crate) fn array(
    bytes: &[u8],
    field: Field,
    paths: &Paths,
    extracted: &mut ExtractedFields,
) -> Result<(), InvalidEvent> {
    // Decoded text of all attributes shares one buffer.
    let from = extracted.decoded.len();
    let text = Text { bytes, depth_max: crate::limits::EVENT_DEPTH_MAX };
    let at = scan::skip_whitespace(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return Err(InvalidEvent::new("no array", at));
    }
    let first = extracted.leaves.len();
    let mut flattener = Flattener::<Strict, _>::new(text, paths, &(), extracted);
    let end = flattener.array(paths.node(field), field, at + 1, ROOT_ELEMENT, 1)?;
    let end = scan::skip_whitespace(bytes, end);
    if end != bytes.len() {
        return Err(InvalidEvent::new("something follows the array", end));
    }
    debug_assert!(from <= extracted.decoded.len());
    extracted.copy_text(first, bytes);
    Ok(())
}

/// Whether the whole of `text` is one JSON number.
pub(crate) fn is_number(text: &[u8]) -> bool {
    Strict::number(text, 0) == Ok(text.len())
}

struct Flattener<'a, S, W> {
    text: Text<'a>,
    paths: &'a Paths,
    watch: &'a W,
    extracted: &'a mut ExtractedFields,
    arrays: u32,
    objects: u32,
    /// Whether all named paths were found and nothing can change them.
    is_done: bool,
    /// Whether flattening may stop when this object has no named members left: keys are unique and
    /// without dots, and the objects around it have none left either.
    may_end: bool,
    /// Whether the caller knows that no object has a key twice and no key has a dot.
    has_unique_keys: bool,
    /// For keys with dots: the leaves of each path, by object.
    dotted: BTreeMap<(u32, Field), (u32, u32)>,
    scan: std::marker::PhantomData<S>,
}

impl<'a, S: Scan, W: Watch> Flattener<'a, S, W> {
    fn new(
        text: Text<'a>,
        paths: &'a Paths,
        watch: &'a W,
        extracted: &'a mut ExtractedFields,
    ) -> Self {
        let scan = std::marker::PhantomData;
        Self {
            text,
            paths,
            watch,
            extracted,
            arrays: 0,
            objects: 0,
            is_done: false,
            may_end: false,
            has_unique_keys: false,
            dotted: BTreeMap::new(),
            scan,
        }
    }

    /// Flattens the members of an object from after its brace; returns its end.
    fn object(
        &mut self,
        node: &Node,
        mut at: usize,
        element: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        self.text.check_depth(depth, at)?;
        let bytes = self.text.bytes;
        self.objects += 1;
        let object = self.objects;
        let may_end = self.may_end;
        let mut missing = node.width();
        at = scan::skip_whitespace(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        loop {
            if bytes.get(at) != Some(&b'"') {
                return Err(InvalidEvent::new("a key in quotes is missing", at));
            }
            let (end, has_escapes) = S::string(bytes, at + 1)?;
            let key = &bytes[at + 1..end];
            at = scan::skip_whitespace(bytes, end + 1);
            if bytes.get(at) != Some(&b':') {
                return Err(InvalidEvent::new("a colon is missing", at));
            }
            at = scan::skip_whitespace(bytes, at + 1);
            at = match self.lookup(node, key, has_escapes) {
                None => S::skip(&self.text, at, depth)?,
                Some((field, is_dotted)) => {
                    let from = self.extracted.leaves.len() as u32;
                    missing = missing.saturating_sub(1);
                    self.may_end = may_end && missing == 0;
                    let at = self.value(field, at, element, depth)?;
                    if self.is_done || self.may_end {
                        self.is_done = true;
                        return Ok(at);
                    }
                    if !self.has_unique_keys {
                        let leaves = (from, self.extracted.leaves.len() as u32);
                        self.replace_earlier(object, field, is_dotted, leaves);
                    }
                    at
                }
            };
            at = scan::skip_whitespace(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = scan::skip_whitespace(bytes, at + 1),
                Some(b'}') => {
                    // What this object lacks cannot come any more.
                    self.may_end = may_end;
                    return Ok(at + 1);
                }
                _ => {
                    return Err(InvalidEvent::new(
                        "a comma or the end of an object is missing",
                        at,
                    ));
                }
            }
        }
    }

    /// The field of a key, and whether the key was spelt with dots.
    #[inline]
    fn lookup(&mut self, node: &Node, key: &[u8], has_escapes: bool) -> Option<(Field, bool)> {
        if has_escapes {
            let mut decoded = Vec::new();
            decode_valid(key, &mut decoded);
            return self.lookup(node, &decoded, false);
        }
        if let Some(field) = self.paths.child(node, key) {
            return Some((field, false));
        }
        if !node.is_deep() {
            return None;
        }
        let (first, rest) = key.split_at(memchr::memchr(b'.', key)?);
        let field = self.paths.descend(self.paths.child(node, first)?, &rest[1..])?;
        Some((field, true))
    }

    /// Records the leaves of a member, and discards those of an earlier member with the same key.
    #[inline]
    fn replace_earlier(&mut self, object: u32, field: Field, is_dotted: bool, leaves: (u32, u32)) {
        let earlier = if is_dotted {
            self.extracted.is_dotted = true;
            self.dotted.insert((object, field), leaves)
        } else {
            self.extracted.record_member(object, field, leaves)
        };
        if let Some((from, to)) = earlier {
            self.extracted.discard_range(from, to);
        }
    }

    fn value(
        &mut self,
        field: Field,
        at: usize,
        element: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        let bytes = self.text.bytes;
        let paths = self.paths;
        let node = paths.node(field);
        let Some(&byte) = bytes.get(at) else {
            return Err(InvalidEvent::new("a value is missing", at));
        };
        match byte {
            b'{' if node.has_children() => self.object(node, at + 1, element, depth + 1),
            b'{' => S::skip(&self.text, at, depth),
            b'[' => self.array(node, field, at + 1, element, depth + 1),
            _ if !node.is_named => S::skip(&self.text, at, depth),
            b'"' => {
                let (end, has_escapes) = S::string(bytes, at + 1)?;
                if has_escapes {
                    let start = self.extracted.decoded.len();
                    decode_valid(&bytes[at + 1..end], &mut self.extracted.decoded);
                    let range = (start, self.extracted.decoded.len());
                    self.extracted.push(field, ValueKind::Text, range, true, element);
                } else {
                    self.watch.text(field, node, &bytes[at + 1..end]);
                    self.extracted.push(field, ValueKind::Text, (at + 1, end), false, element);
                }
                Ok(end + 1)
            }
            b'-' | b'0'..=b'9' => {
                let end = S::number(bytes, at)?;
                self.extracted.push(field, ValueKind::Number, (at, end), false, element);
                Ok(end)
            }
            _ => {
                let kind = match byte {
                    b't' => ValueKind::True,
                    b'f' => ValueKind::False,
                    _ => ValueKind::Null,
                };
                let end = scan::literal(bytes, at)?;
                self.extracted.push(field, kind, (at, end), false, element);
                Ok(end)
            }
        }
    }

    /// Flattens the elements of an array from after its bracket; returns its end.
    fn array(
        &mut self,
        node: &Node,
        field: Field,
        mut at: usize,
        element: u32,
        depth: usize,
    ) -> Result<usize, InvalidEvent> {
        self.text.check_depth(depth, at)?;
        let bytes = self.text.bytes;
        // A later element may have the same fields.
        let may_end = std::mem::take(&mut self.may_end);
        at = scan::skip_whitespace(bytes, at);
        if bytes.get(at) == Some(&b']') {
            self.may_end = may_end;
            return Ok(at + 1);
        }
        let array = self.arrays;
        self.arrays += 1;
        for index in 0.. {
            let is_nested = matches!(bytes.get(at), Some(b'{' | b'['));
            let around = if is_nested {
                let element = ArrayElement { parent: element, array, index, depth: node.depth };
                self.extracted.elements.push(element);
                self.extracted.elements.len() as u32 - 1
            } else {
                element
            };
            let leaves = self.extracted.leaves.len();
            at = scan::skip_whitespace(bytes, self.value(field, at, around, depth)?);
            // Drop elements without leaves: most arrays are skipped or hold scalars.
            if is_nested && self.extracted.leaves.len() == leaves {
                self.extracted.elements.truncate(around as usize);
            }
            match bytes.get(at) {
                Some(b',') => at = scan::skip_whitespace(bytes, at + 1),
                Some(b']') => {
                    self.may_end = may_end;
                    return Ok(at + 1);
                }
                _ => {
                    return Err(InvalidEvent::new("a comma or the end of an array is missing", at));
                }
            }
        }
        unreachable!("an array ends, or the text does")
    }
}
