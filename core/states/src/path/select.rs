//! Paths for callers outside of state machines: mapping templates use the same dialect.

use super::Path;
use crate::value::Value;

/// A text that is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPath;

/// What `path` names in `document`; `None` when a definite path names nothing. An indefinite path
/// gives an array.
pub fn select(document: &Value, path: &str) -> Result<Option<Value>, InvalidPath> {
    let path = Path::parse(path).ok_or(InvalidPath)?;
    Ok(path.evaluate(document).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(document: &str, path: &str) -> Result<Option<String>, InvalidPath> {
        let document = crate::parse(document).unwrap();
        Ok(select(&document, path)?.map(|value| {
            let mut text = String::new();
            value.write(&mut text);
            text
        }))
    }

    #[test]
    fn a_path_names_a_value_or_nothing() {
        let document = r#"{"items":[{"id":1},{"id":2}]}"#;
        assert_eq!(selected(document, "$.items[1].id"), Ok(Some("2".to_owned())));
        assert_eq!(selected(document, "$.items[*].id"), Ok(Some("[1,2]".to_owned())));
        assert_eq!(selected(document, "$.other"), Ok(None));
        assert_eq!(selected(document, "$.items["), Err(InvalidPath));
    }
}
