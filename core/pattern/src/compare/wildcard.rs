//! Wildcards: `*` matches any text, `\*` is a star and `\\` a backslash.
//!
//! A parsed wildcard is its literals joined by `ANY`, a byte that does not occur in UTF-8. Matching
//! finds the literals one after the other, leftmost first, in linear time.

use std::collections::HashSet;

use memchr::memmem;

use crate::limits::COMPLEXITY_STATES_MAX;

/// The byte that stands for a star in a parsed wildcard.
pub(crate) const ANY: u8 = 0xff;

/// Parses a wildcard; errors have AWS's texts, with positions in bytes after the opening quote.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut after_star = false;
    while let Some(&byte) = text.get(at) {
        let is_star = byte == b'*';
        if is_star && after_star {
            return Err(format!("Consecutive wildcard characters at pos {at}"));
        }
        after_star = is_star;
        match byte {
            b'*' => out.push(ANY),
            b'\\' => match text.get(at + 1) {
                Some(&escaped @ (b'*' | b'\\')) => {
                    out.push(escaped);
                    at += 1;
                }
                _ => return Err(format!("Invalid escape character at pos {}", at + 1)),
            },
            _ => out.push(byte),
        }
        at += 1;
    }
    Ok(out)
}

/// Whether a parsed wildcard matches the whole of `text`.
pub(crate) fn matches(wildcard: &[u8], text: &[u8]) -> bool {
    let mut literals = wildcard.split(|&byte| byte == ANY);
    let first = literals.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = literals.next_back() else {
        return rest.is_empty();
    };
    for literal in literals {
        let found = match *literal {
            [] => Some(0),
            [byte] => memchr::memchr(byte, rest),
            _ => memmem::find(rest, literal),
        };
        match found {
            Some(at) => rest = &rest[at + literal.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether the wildcards of one field are too complex: whether some text makes more than `limit`
/// states of their automaton active at once. AWS's matcher computes the same bound.
pub(crate) fn is_too_complex(wildcards: &[&[u8]], limit: usize) -> bool {
    if wildcards.iter().all(|wildcard| !wildcard.contains(&ANY)) {
        return false;
    }
    // States are numbered over all wildcards. AWS stores a value with its quotes, so a wildcard
    // begins and ends with one.
    let mut tokens = Vec::new();
    let mut starts = Vec::new();
    for wildcard in wildcards {
        starts.push(tokens.len());
        tokens.push(Token::Byte(b'"'));
        tokens.extend(wildcard.iter().map(|&byte| match byte {
            ANY => Token::Star,
            byte => Token::Byte(byte),
        }));
        tokens.extend([Token::Byte(b'"'), Token::End]);
    }
    Nfa { tokens }.exceeds(starts, limit)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Star,
    End,
}

/// A nondeterministic automaton over all wildcards: in state `s` it expects token `s`.
struct Nfa {
    tokens: Vec<Token>,
}

impl Nfa {
    /// Whether a text makes more than `limit` states active at once, beginning with `starts`.
    fn exceeds(&self, starts: Vec<usize>, limit: usize) -> bool {
        let bytes = self.tokens.iter().filter_map(|token| match token {
            Token::Byte(byte) => Some(*byte),
            _ => None,
        });
        let mut alphabet: Vec<u8> = bytes.collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let mut seen = HashSet::from([starts.clone()]);
        let mut open = vec![starts];
        while let Some(active) = open.pop() {
            for &byte in &alphabet {
                let next = self.step(&active, byte);
                if next.len() > limit || seen.len() > COMPLEXITY_STATES_MAX {
                    return true;
                }
                if !next.is_empty() && seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// The active states after `byte`, sorted. Stars may match nothing.
    fn step(&self, active: &[usize], byte: u8) -> Vec<usize> {
        let mut next = Vec::new();
        for &state in active {
            // The state after a star stays active whatever byte follows.
            if state > 0 && self.tokens[state - 1] == Token::Star {
                next.push(state);
            }
            if self.tokens[state] == Token::Byte(byte) {
                next.push(state + 1);
                if self.tokens[state + 1] == Token::Star {
                    next.push(state + 2);
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_follow_each_other() {
        let is = |wildcard: &str, text: &str| {
            let wildcard = parse(wildcard.as_bytes()).expect("a wildcard");
            matches(&wildcard, text.as_bytes())
        };
        for (wildcard, text) in [
            ("", ""),
            ("*", ""),
            ("*", "x"),
            ("a*b", "ab"),
            ("a*b", "axxb"),
            ("*a*", "bab"),
            ("a\\*b", "a*b"),
            ("a\\\\b", "a\\b"),
            ("*\\**", "x*y"),
            ("a*b*c", "axbxbc"),
            ("*aab", "aaab"),
            ("*ab*ab", "abab"),
            ("a*a", "aa"),
        ] {
            assert!(is(wildcard, text), "{wildcard} {text}");
        }
        for (wildcard, text) in [
            ("", "x"),
            ("a*b", "a"),
            ("a\\*b", "axb"),
            ("a*b*c", "acb"),
            ("a*a", "a"),
            ("*ab*ab", "xab"),
            ("abc", "abcd"),
        ] {
            assert!(!is(wildcard, text), "{wildcard} {text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let reason = |text: &str| parse(text.as_bytes()).expect_err("refused");
        assert_eq!(reason("a**"), "Consecutive wildcard characters at pos 2");
        assert_eq!(reason("\u{e9}**"), "Consecutive wildcard characters at pos 3");
        assert_eq!(reason("\\***"), "Consecutive wildcard characters at pos 3");
        assert_eq!(reason("a\\"), "Invalid escape character at pos 2");
    }

    #[test]
    fn complexity_is_what_one_text_can_reach() {
        let is_complex = |wildcards: &[&str]| {
            let parsed: Vec<Vec<u8>> =
                wildcards.iter().map(|text| parse(text.as_bytes()).expect("a wildcard")).collect();
            let borrowed: Vec<&[u8]> = parsed.iter().map(Vec::as_slice).collect();
            is_too_complex(&borrowed, 10)
        };
        assert!(is_complex(&["*:*:*:*:*:event-bus/*"]), "recorded against AWS");
        assert!(!is_complex(&["arn:aws:events:*:123456789012:event-bus/*"]));
        assert!(!is_complex(&["*/datasync/*.bif", "*/datasync/*.tif"]));
        assert!(is_complex(&[
            "*/datasync/*.bif",
            "*/datasync/*.tif",
            "*/datasync/*.tiff",
            "*/datasync/*.svs"
        ]));
        assert!(!is_complex(&["*.bif", "*.tiff", "*.tif", "*.svs"]));
        assert!(!is_complex(&["plain", "text"]));
        assert!(is_complex(&["*a*a*a*a*a*a*a*a*"]));
    }
}
