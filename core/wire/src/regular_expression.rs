//! Regular expressions that users write, for integrations, authorizers and mapping templates.
//!
//! They are matched in time linear to the text, so that no request can occupy a thread with one.
//! The price: look-around and back references are refused.

use regex::{Regex, RegexBuilder};

/// How large a compiled expression may be.
const COMPILED_BYTES_MAX: usize = 1_000_000;

/// A compiled regular expression.
#[derive(Debug)]
pub struct RegularExpression {
    part: Regex,
    whole: Regex,
}

impl RegularExpression {
    /// Compiles `pattern`, or says what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let compile = |pattern: &str| {
            RegexBuilder::new(pattern)
                .size_limit(COMPILED_BYTES_MAX)
                .build()
                .map_err(|error| error.to_string())
        };
        let part = compile(pattern)?;
        Ok(Self { part, whole: compile(&format!("^(?:{pattern})$"))? })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// The text with the first match, or all, replaced. `${1}` in `replacement` is the first group.
    pub fn replace(&self, text: &str, replacement: &str, only_first: bool) -> String {
        let limit = usize::from(only_first);
        self.part.replacen(text, limit, replacement).into_owned()
    }

    /// The parts between the matches: at most `limit` of them, where 0 means all.
    pub fn split(&self, text: &str, limit: usize) -> Vec<String> {
        match limit {
            0 => self.part.split(text).map(str::to_owned).collect(),
            _ => self.part.splitn(text, limit).map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_has_to_match() {
        let pattern = RegularExpression::new("2\\d|4").unwrap();
        assert!(pattern.matches("20") && pattern.matches("4"));
        assert!(!pattern.matches("204"));
    }

    #[test]
    fn groups_are_replaced_and_parts_split() {
        let pattern = RegularExpression::new("(a)b").unwrap();
        assert_eq!(pattern.replace("ab ab", "${1}!", false), "a! a!");
        assert_eq!(pattern.replace("ab ab", "x", true), "x ab");
        assert_eq!(RegularExpression::new(",").unwrap().split("1,2,3", 2), ["1", "2,3"]);
    }

    #[test]
    fn what_cannot_be_matched_in_linear_time_is_refused() {
        assert!(RegularExpression::new("(?=a)").is_err());
        assert!(RegularExpression::new("(a{1000}){1000}").is_err());
    }
}
