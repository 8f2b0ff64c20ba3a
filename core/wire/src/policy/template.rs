//! Texts of a policy: wildcards (`*` any text, `?` any character) and variables
//! (`${aws:username}`), matched in linear space and without recursion.

/// The condition keys of a request.
pub(super) type Keys<'a> = &'a [(&'static str, String)];

/// A text of a policy, read.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Token>);

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    AnyText,
    /// The value of a condition key, or the default beside it.
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Template {
    /// A text in which `*` and `?` are wildcards.
    pub fn pattern(text: &str, with_variables: bool) -> Result<Self, String> {
        Self::read(text, true, with_variables)
    }

    /// A text without wildcards.
    pub fn literal(text: &str, with_variables: bool) -> Result<Self, String> {
        Self::read(text, false, with_variables)
    }

    fn read(text: &str, with_wildcards: bool, with_variables: bool) -> Result<Self, String> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let (true, Some(inside)) = (with_variables, rest.strip_prefix("${")) {
                let (variable, after) = inside
                    .split_once('}')
                    .ok_or_else(|| format!("a variable in '{text}' has no closing brace."))?;
                tokens.push(variable_of(variable)?);
                rest = after;
                continue;
            }
            tokens.push(match next {
                '*' if with_wildcards => Token::AnyText,
                '?' if with_wildcards => Token::AnyChar,
                other => Token::Char(other),
            });
            rest = &rest[next.len_utf8()..];
        }
        Ok(Self(tokens))
    }

    /// The parts between the first `count - 1` colons, if there are so many. A variable's value is
    /// part of what it stands in, colons or not.
    pub fn parts(&self, count: usize) -> Option<Vec<Self>> {
        let parts = self.0.splitn(count, |token| *token == Token::Char(':'));
        let parts: Vec<Self> = parts.map(|part| Self(part.to_vec())).collect();
        (parts.len() == count).then_some(parts)
    }

    /// Whether this is nothing but `text`.
    pub fn is(&self, text: &str) -> bool {
        self.0.iter().cloned().eq(text.chars().map(Token::Char))
    }

    /// Whether all of `text` fits; `None` if a variable has no value.
    pub fn matches(&self, text: &str, keys: Keys<'_>) -> Option<bool> {
        if !self.0.iter().any(|token| matches!(token, Token::Variable { .. })) {
            return Some(fits(&self.0, text));
        }
        let mut tokens = Vec::with_capacity(self.0.len());
        for token in &self.0 {
            match token {
                Token::Variable { key, default } => {
                    let given = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
                    let value = given.map(|(_, value)| value).or(default.as_ref())?;
                    // A star in a value is a star, and no wildcard.
                    tokens.extend(value.chars().map(Token::Char));
                }
                plain => tokens.push(plain.clone()),
            }
        }
        Some(fits(&tokens, text))
    }
}

// `${*}`, `${?}` and `${$}` stand for the characters themselves.
fn variable_of(text: &str) -> Result<Token, String> {
    if let "*" | "?" | "$" = text {
        return Ok(Token::Char(text.chars().next().unwrap_or('$')));
    }
    let (key, default) = match text.split_once(',') {
        Some((key, default)) => (key, Some(default.trim())),
        None => (text, None),
    };
    let unquoted = |text: &str| {
        let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        inside
            .map(str::to_owned)
            .ok_or_else(|| format!("the default in '${{{text}}}' has no quotes."))
    };
    let key = key.trim();
    let is_key = key.contains(':') && !key.contains(['$', '{', ' ']);
    if !is_key {
        return Err(format!("'${{{text}}}' is no policy variable."));
    }
    Ok(Token::Variable { key: key.to_owned(), default: default.map(unquoted).transpose()? })
}

fn fits(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stood, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(Token::AnyText) => {
                star = Some((at, read));
                at += 1;
            }
            Some(Token::AnyChar) => (at, read) = (at + 1, read + 1),
            Some(Token::Char(one)) if *one == text[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, read) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|token| *token == Token::AnyText)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> Option<bool> {
        let keys = [("aws:userid", "a*b".to_owned())];
        Template::pattern(pattern, true).unwrap().matches(text, &keys)
    }

    #[test]
    fn stars_take_any_text_and_question_marks_one_character() {
        for pattern in ["*", "a*c", "ab?", "a*b*c", "abc*", "***"] {
            assert_eq!(matches(pattern, "abc"), Some(true), "{pattern}");
        }
        for pattern in ["", "a", "a?", "b*", "*b", "abcd", "ABC"] {
            assert_eq!(matches(pattern, "abc"), Some(false), "{pattern}");
        }
        assert_eq!(matches("", ""), Some(true));
        assert_eq!(matches("?", ""), Some(false));
    }

    #[test]
    fn variables_stand_for_the_values_of_keys() {
        assert_eq!(matches("x${aws:UserId}y", "xa*by"), Some(true));
        assert_eq!(matches("x${aws:userid}", "xaab"), Some(false));
        assert_eq!(matches("${aws:none}", "x"), None);
        assert_eq!(matches("${aws:none, 'x'}", "x"), Some(true));
        assert_eq!(matches("${*}${?}${$}", "*?$"), Some(true));
        for broken in ["${", "${aws:a", "${nothing}", "${aws:a, b}"] {
            assert!(Template::pattern(broken, true).is_err(), "{broken}");
        }
        let old = Template::pattern("${aws:userid}", false).unwrap();
        assert_eq!(old.matches("${aws:userid}", &[]), Some(true));
    }

    #[test]
    fn a_star_takes_no_more_than_its_part() {
        let parts = Template::pattern("a:*:${aws:userid}:d:e", true).unwrap().parts(4).unwrap();
        assert!(parts[0].is("a") && parts[3].is("d:e"));
        assert!(Template::pattern("a:b", true).unwrap().parts(3).is_none());
    }
}
