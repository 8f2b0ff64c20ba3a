//! The text of a call to the call.

use super::{Argument, Call, Function};
use crate::value::{Value, parse as parse_json};

/// Deeper calls are refused.
const DEPTH_MAX: usize = 10;

impl<P> Call<P> {
    /// Parses a call; `path` parses the paths in it. `None`: it is none.
    pub fn parse(text: &str, path: &dyn Fn(&str) -> Option<P>) -> Option<Call<P>> {
        let mut parser = Parser { rest: text, path };
        let call = parser.call(0)?;
        parser.rest.trim().is_empty().then_some(call)
    }
}

struct Parser<'a, P> {
    rest: &'a str,
    path: &'a dyn Fn(&str) -> Option<P>,
}

impl<P> Parser<'_, P> {
    fn accept(&mut self, text: &str) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn call(&mut self, depth: usize) -> Option<Call<P>> {
        if depth >= DEPTH_MAX || !self.accept("States.") {
            return None;
        }
        let length = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric())?;
        let function = Function::named(&self.rest[..length])?;
        self.rest = &self.rest[length..];
        self.space();
        if !self.accept("(") {
            return None;
        }
        let mut arguments = Vec::new();
        self.space();
        if !self.accept(")") {
            loop {
                self.space();
                let template = function == Function::Format && arguments.is_empty();
                arguments.push(self.argument(depth, template)?);
                self.space();
                if self.accept(")") {
                    break;
                }
                if !self.accept(",") {
                    return None;
                }
            }
        }
        let (least, most) = function.arity();
        (least..=most).contains(&arguments.len()).then_some(Call { function, arguments })
    }

    fn argument(&mut self, depth: usize, template: bool) -> Option<Argument<P>> {
        if self.rest.starts_with('\'') {
            return Some(Argument::Given(self.string(template)?));
        }
        if self.rest.starts_with("States.") {
            return Some(Argument::Call(self.call(depth + 1)?));
        }
        let length = self.end_of_word()?;
        let (word, rest) = self.rest.split_at(length);
        let word = word.trim_end();
        self.rest = rest;
        if word.starts_with('$') {
            return Some(Argument::Path((self.path)(word)?));
        }
        let value = parse_json(word).ok()?;
        let plain = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_));
        plain.then_some(Argument::Given(value))
    }

    /// The length of the text up to the comma or parenthesis that ends an argument.
    fn end_of_word(&self) -> Option<usize> {
        let (mut depth, mut quoted) = (0_usize, false);
        for (at, letter) in self.rest.char_indices() {
            match letter {
                '\'' => quoted = !quoted,
                _ if quoted => {}
                '(' | '[' => depth += 1,
                ')' | ']' if depth > 0 => depth -= 1,
                ')' | ',' if depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// A string in single quotes. The template of `States.Format` keeps its other escapes.
    fn string(&mut self, template: bool) -> Option<Value> {
        let mut out = String::new();
        let mut letters = self.rest[1..].char_indices();
        loop {
            let (at, letter) = letters.next()?;
            match letter {
                '\'' => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Some(Value::string(out));
                }
                '\\' => {
                    let escaped = letters.next()?.1;
                    if !matches!(escaped, '\'' | '\\' | '{' | '}') {
                        return None;
                    }
                    if template && escaped != '\'' {
                        out.push('\\');
                    }
                    out.push(escaped);
                }
                letter => out.push(letter),
            }
        }
    }
}
