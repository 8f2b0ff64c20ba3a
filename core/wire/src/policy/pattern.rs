//! Patterns with `*` (any text) and `?` (any character), in linear space and without recursion.

/// Whether all of `text` fits `pattern`.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut read) = (0, 0);
    // Where the last star stood, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(one) if *one == '?' || *one == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, read) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

/// The same for names whose case does not matter.
pub(super) fn fits_without_case(pattern: &str, text: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_text_and_question_marks_one_character() {
        for pattern in ["*", "a*c", "ab?", "a*b*c", "abc*", "***"] {
            assert!(fits(pattern, "abc"), "{pattern}");
        }
        for pattern in ["", "a", "a?", "b*", "*b", "abcd", "ABC"] {
            assert!(!fits(pattern, "abc"), "{pattern}");
        }
        assert!(fits("", "") && fits("*", "") && !fits("?", ""));
        assert!(fits_without_case("SQS:*", "sqs:SendMessage"));
    }
}
