//! Case-insensitive equality as in AWS's matcher: each character of the *pattern* matches itself,
//! its upper case and its lower case. So `ß` matches `SS`, and `σ` does not match `ς`.
//!
//! This relation is not symmetric, so the index needs a key that is equal for every text that a
//! pattern can match. `fold_key` maps each character to lower(upper(lower(c))).

/// Writes the index key of a text to `out`: texts that can match each other have the same key.
pub(crate) fn fold_key(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_key(c, out);
        }
        out.extend_from_slice(chunk.invalid());
    }
}

fn push_key(c: char, out: &mut Vec<u8>) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase() as u8);
        return;
    }
    for lower in c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        out.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The length of the prefix of `text` that `pattern` matches as a whole, if it matches one.
pub(crate) fn prefix_len(pattern: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for piece in Pieces(pattern) {
        at += piece.len_at(|case| text[at..].starts_with(case))?;
    }
    Some(at)
}

/// The length of the suffix of `text` that `pattern` matches as a whole, if it matches one.
pub(crate) fn suffix_len(pattern: &[u8], text: &[u8]) -> Option<usize> {
    let pieces: Vec<Piece<'_>> = Pieces(pattern).collect();
    let mut end = text.len();
    for piece in pieces.iter().rev() {
        end -= piece.len_at(|case| text[..end].ends_with(case))?;
    }
    Some(text.len() - end)
}

/// A character of a pattern, or bytes that are not valid UTF-8.
enum Piece<'a> {
    Char(char),
    Raw(&'a [u8]),
}

impl Piece<'_> {
    /// The length of the first case form for which `fits` holds.
    fn len_at(&self, fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let c = match self {
            Piece::Raw(bytes) => return fits(bytes).then_some(bytes.len()),
            Piece::Char(c) => *c,
        };
        if c.is_ascii() {
            let is_equal = fits(&[c.to_ascii_lowercase() as u8]);
            return (is_equal || fits(&[c.to_ascii_uppercase() as u8])).then_some(1);
        }
        let mut case = String::new();
        let forms = [vec![c], c.to_lowercase().collect(), c.to_uppercase().collect()];
        forms.iter().find_map(|form: &Vec<char>| {
            case.clear();
            case.extend(form);
            fits(case.as_bytes()).then_some(case.len())
        })
    }
}

/// Splits a text into pieces. The text is WTF-8: it may hold lone surrogates.
struct Pieces<'a>(&'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let (&first, _) = self.0.split_first()?;
        let length = match first {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        let c = std::str::from_utf8(piece).ok().and_then(|piece| piece.chars().next());
        Some(c.map_or(Piece::Raw(piece), Piece::Char))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(pattern: &str, text: &str) -> bool {
        prefix_len(pattern.as_bytes(), text.as_bytes()) == Some(text.len())
    }

    #[test]
    fn each_character_of_the_pattern_stands_for_its_cases() {
        for (pattern, text) in [
            ("abC", "ABc"),
            ("É", "é"),
            ("straße", "STRASSE"),
            ("ς", "Σ"),
            ("Σ", "σ"),
            ("ŉ", "ʼN"),
            ("ﬁ", "FI"),
            ("\u{10400}", "\u{10428}"),
            ("", ""),
        ] {
            assert!(equal(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("σ", "ς"), ("Σ", "ς"), ("SS", "ß"), ("i", "İ"), ("I", "ı"), ("FI", "ﬁ"), ("a", "ab")]
        {
            assert!(!equal(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_matches_has_the_same_key() {
        let key_of = |text: String| {
            let mut out = Vec::new();
            fold_key(text.as_bytes(), &mut out);
            out
        };
        for c in '\0'..=char::MAX {
            let own = key_of(c.to_string());
            assert_eq!(own, key_of(c.to_lowercase().collect()), "{c:?}");
            assert_eq!(own, key_of(c.to_uppercase().collect()), "{c:?}");
        }
    }
}
