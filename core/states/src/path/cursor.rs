//! A position in the text of a path.

use super::Step;

/// Reads steps up to the first letter that continues no path.
pub(super) type ReadSteps = fn(&mut Cursor<'_>) -> Option<Vec<Step>>;

/// A position in the text of a path.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    pub depth: usize,
    /// Reads the steps of a path inside a filter.
    pub steps: ReadSteps,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, steps: ReadSteps) -> Cursor<'a> {
        Cursor { text, at: 0, depth: 0, steps }
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub fn expect(&mut self, letter: char) -> Option<()> {
        self.accept(&letter.to_string()).then_some(())
    }

    pub fn accept(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// The text up to the first letter for which `ends` holds.
    pub fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A string in single or double quotes.
    pub fn quoted(&mut self) -> Option<String> {
        let quote = self.next()?;
        if quote != '\'' && quote != '"' {
            return None;
        }
        let mut out = String::new();
        loop {
            match self.next()? {
                '\\' => {
                    let letter = self.next()?;
                    match letter {
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        'b' => out.push('\u{8}'),
                        'f' => out.push('\u{c}'),
                        'u' => {
                            let digits = self.rest().get(..4)?;
                            let code = u32::from_str_radix(digits, 16).ok()?;
                            self.at += 4;
                            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                        }
                        other => out.push(other),
                    }
                }
                letter if letter == quote => return Some(out),
                letter => out.push(letter),
            }
        }
    }

    pub fn integer(&mut self) -> Option<i64> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        let length = rest.len() - digits.len() + count;
        let number = rest[..length].parse().ok()?;
        self.at += length;
        Some(number)
    }
}
