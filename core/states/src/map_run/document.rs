//! The items in a JSON document whose bytes come in parts: the elements of one array in it, or the
//! members of one object. No more than one item is held, so the size of the document does not
//! matter. What lies beside the items is checked as it is skipped.

use std::sync::Arc;

use super::failure::{NOT_UTF8, ReaderFailed, failed};
use super::skipped::Skipped;
use crate::value::{Value, parse};

/// Finds the items behind a pointer.
#[derive(Debug)]
pub(super) struct Document {
    pointer: Option<String>,
    steps: Vec<String>,
    /// Open brackets around the next byte.
    depth: usize,
    /// How many of them, from the outermost, lead to the items. One more than there are steps: the
    /// innermost of these holds the items.
    way: usize,
    /// The opening brackets on the way, each with the number of the child that is read.
    open: Vec<(u8, usize)>,
    /// The key of the member that is read, in the innermost bracket of the way.
    key: Option<Arc<str>>,
    /// What is read of a key or an item.
    text: Vec<u8>,
    /// A child that is not kept.
    skipped: Skipped,
    /// Whether the child that is read led to the items, and was left.
    was_entered: bool,
    in_string: bool,
    is_escaped: bool,
    is_found: bool,
    is_ended: bool,
}

impl Document {
    pub fn new(pointer: Option<&str>) -> Document {
        let steps = pointer.unwrap_or_default().split('/').skip(1);
        Document {
            pointer: pointer.map(str::to_owned),
            steps: steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
            depth: 0,
            way: 0,
            open: Vec::new(),
            key: None,
            text: Vec::new(),
            skipped: Skipped::default(),
            was_entered: false,
            in_string: false,
            is_escaped: false,
            is_found: false,
            is_ended: false,
        }
    }

    /// Reads bytes, and hands out each item that ends in them.
    pub fn feed(&mut self, bytes: &[u8], take: &mut impl FnMut(Value)) -> Result<(), ReaderFailed> {
        bytes.iter().try_for_each(|byte| self.byte(*byte, take))
    }

    /// The document has ended.
    pub fn finish(self) -> Result<(), ReaderFailed> {
        if self.is_ended && self.is_found {
            Ok(())
        } else if self.is_ended {
            failed(format!("ItemsPointer names nothing: {}", self.pointer.unwrap_or_default()))
        } else if self.depth > 0 {
            malformed("Unexpected end-of-input")
        } else {
            value_of(&self.text)?;
            not_iterable()
        }
    }

    fn byte(&mut self, byte: u8, take: &mut impl FnMut(Value)) -> Result<(), ReaderFailed> {
        if self.in_string {
            self.in_string = self.is_escaped || byte != b'"';
            self.is_escaped = !self.is_escaped && byte == b'\\';
            return self.read(byte);
        }
        if self.is_ended && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return malformed("expected end of input");
        }
        let is_child = self.depth == self.way;
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                self.depth += 1;
                if is_child && self.is_on_the_way() {
                    return self.enter(byte);
                }
            }
            b'}' | b']' if is_child => return self.leave(byte, take),
            b'}' | b']' => self.depth -= 1,
            b',' if is_child && self.way > 0 => return self.next(take),
            b':' if is_child && self.key.is_none() && self.is_in_object() => {
                self.key = value_of(&self.text)?.as_str().map(Arc::from);
                self.text.clear();
                return if self.key.is_some() { Ok(()) } else { malformed("expected a name") };
            }
            _ => {}
        }
        self.read(byte)
    }

    /// Keeps a byte of a key or an item, or checks one of another child.
    fn read(&mut self, byte: u8) -> Result<(), ReaderFailed> {
        let is_key = self.depth == self.way && self.key.is_none() && self.is_in_object();
        if self.way == 0 || self.way > self.steps.len() || is_key {
            self.text.push(byte);
            return Ok(());
        }
        self.skipped.byte(byte).or_else(|problem| malformed(&problem))
    }

    fn is_in_object(&self) -> bool {
        self.open.last().is_some_and(|(bracket, _)| *bracket == b'{')
    }

    /// Whether the child that is read leads to the items.
    fn is_on_the_way(&self) -> bool {
        let Some((bracket, number)) = self.open.last() else { return !self.is_ended };
        let Some(step) = self.steps.get(self.way - 1) else { return false };
        let is_named = match bracket {
            b'{' => self.key.as_deref() == Some(step),
            _ => step.parse() == Ok(*number),
        };
        is_named && !self.is_found
    }

    fn enter(&mut self, bracket: u8) -> Result<(), ReaderFailed> {
        if !self.text.trim_ascii().is_empty() || self.skipped.has_begun() || self.was_entered {
            return malformed("expected a value");
        }
        self.text.clear();
        self.open.push((bracket, 0));
        self.key = None;
        self.way += 1;
        if self.way > self.steps.len() {
            self.is_found = true;
            if bracket == b'{' && self.pointer.is_none() {
                return not_iterable();
            }
        }
        Ok(())
    }

    fn leave(&mut self, byte: u8, take: &mut impl FnMut(Value)) -> Result<(), ReaderFailed> {
        let Some((bracket, number)) = self.open.pop() else { return malformed("expected a value") };
        if (bracket, byte) != (b'{', b'}') && (bracket, byte) != (b'[', b']') {
            return malformed("brackets do not match");
        }
        self.open.push((bracket, number));
        let has_begun = self.was_entered || self.skipped.has_begun() || self.key.is_some();
        if number > 0 || has_begun || !self.text.trim_ascii().is_empty() {
            self.end_child(take)?;
        }
        self.open.pop();
        self.depth -= 1;
        self.way -= 1;
        self.is_ended = self.depth == 0;
        // The member around it is read to its end.
        self.key = self.is_in_object().then(|| Arc::from(""));
        self.was_entered = true;
        Ok(())
    }

    fn next(&mut self, take: &mut impl FnMut(Value)) -> Result<(), ReaderFailed> {
        self.end_child(take)?;
        if let Some((_, number)) = self.open.last_mut() {
            *number += 1;
        }
        Ok(())
    }

    /// An element or a member has ended.
    fn end_child(&mut self, take: &mut impl FnMut(Value)) -> Result<(), ReaderFailed> {
        let key = self.key.take();
        if self.way > self.steps.len() {
            let value = value_of(&self.text)?;
            take(match key {
                Some(key) => Value::object([("Key", Value::String(key)), ("Value", value)]),
                None if self.is_in_object() => return malformed("expected a member"),
                None => value,
            });
        } else {
            let is_there = self.skipped.end().or_else(|problem| malformed(&problem))?;
            if is_there == std::mem::take(&mut self.was_entered) {
                return malformed("expected a value");
            }
            if key.is_none() && self.is_in_object() {
                return malformed("expected a member");
            }
            self.key = key;
            if self.is_on_the_way() && self.way == self.steps.len() {
                return not_iterable();
            }
            self.key = None;
        }
        self.text.clear();
        Ok(())
    }
}

fn value_of(text: &[u8]) -> Result<Value, ReaderFailed> {
    let Ok(text) = std::str::from_utf8(text) else { return failed(NOT_UTF8) };
    parse(text).or_else(|error| malformed(&error.message))
}

fn malformed<T>(message: &str) -> Result<T, ReaderFailed> {
    failed(format!("The object is not JSON: {message}"))
}

fn not_iterable<T>() -> Result<T, ReaderFailed> {
    failed("Attempting to map over non-iterable node.")
}
