//! A compiled pattern.

use std::fmt;
use std::sync::Arc;

use crate::compile::encoding;
use crate::compile::parser::{self, Branch};
use crate::error::{Dialect, InvalidEvent, InvalidPattern, ParseError};
use crate::event::array_match::{FlattenedEvent, satisfies};
use crate::event::attributes::{Attribute, flatten_attributes};
use crate::event::flatten::flatten;
use crate::event::input::Event;
use crate::explain::{Explanation, explain};
use crate::limits::Limits;
use crate::paths::Paths;
use crate::scratch::Scratch;

/// A compiled event pattern or filter policy. Clones share the compiled form.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern};
/// let text = br#"{"detail":{"state":["running",{"prefix":"stop"}]}}"#;
/// let pattern = Pattern::compile(text, Dialect::EventPattern, &Limits::default())?;
/// assert!(pattern.matches(Event::new(br#"{"detail":{"state":"stopped"}}"#))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pattern {
    inner: Arc<Inner>,
}

struct Inner {
    text: String,
    dialect: Dialect,
    branches: Vec<Branch>,
    paths: Paths,
    codes: Vec<Vec<u8>>,
}

impl Pattern {
    /// Compiles a pattern; an invalid one gives AWS's error.
    ///
    /// ```
    /// use trunkline_pattern::{Dialect, Limits, Pattern};
    /// let refused = Pattern::compile(br#"{"a":"x"}"#, Dialect::EventPattern, &Limits::default());
    /// let error = refused.err().expect("a leaf is an array");
    /// assert_eq!(error.reason, "\"a\" must be an object or an array");
    /// assert_eq!((error.line, error.column), (1, 7));
    /// ```
    pub fn compile(
        text: &[u8],
        dialect: Dialect,
        limits: &Limits,
    ) -> Result<Pattern, InvalidPattern> {
        let lossy = String::from_utf8_lossy(text);
        let refuse = |error| InvalidPattern::new(error, &lossy, dialect);
        let source = std::str::from_utf8(text)
            .map_err(|_| refuse(ParseError::without_position("A pattern must be UTF-8 text")))?;
        check_size(source, dialect, limits).map_err(refuse)?;
        let branches = parser::parse(source, dialect, limits).map_err(refuse)?;
        let mut paths = Paths::default();
        let codes =
            branches.iter().map(|branch| encoding::encode_branch(branch, &mut paths).0).collect();
        let text = source.to_owned();
        Ok(Pattern { inner: Arc::new(Inner { text, dialect, branches, paths, codes }) })
    }

    /// Whether the event matches.
    pub fn matches(&self, event: Event<'_>) -> Result<bool, InvalidEvent> {
        self.matches_with(event, &mut Scratch::default())
    }

    /// Whether the event matches; reuses the buffers of `scratch`.
    pub fn matches_with(
        &self,
        event: Event<'_>,
        scratch: &mut Scratch,
    ) -> Result<bool, InvalidEvent> {
        flatten(&event, &self.inner.paths, &(), &mut scratch.fields)?;
        self.decide(event.text, scratch)
    }

    /// Whether the attributes of a message match.
    ///
    /// ```
    /// use trunkline_pattern::{Attribute, AttributeKind, Dialect, Limits, Pattern};
    /// let policy = br#"{"price":[{"numeric":[">",100]}]}"#;
    /// let policy = Pattern::compile(policy, Dialect::FilterAttributes, &Limits::default())?;
    /// let price = Attribute { name: "price", kind: AttributeKind::Number, value: "101.5" };
    /// assert!(policy.matches_attributes(&[price])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matches_attributes(&self, attributes: &[Attribute<'_>]) -> Result<bool, InvalidEvent> {
        let mut scratch = Scratch::default();
        flatten_attributes(attributes, &self.inner.paths, &mut scratch.fields)?;
        self.decide(b"", &mut scratch)
    }

    fn decide(&self, text: &[u8], scratch: &mut Scratch) -> Result<bool, InvalidEvent> {
        let flattened = FlattenedEvent { paths: &self.inner.paths, fields: &scratch.fields, text };
        for code in &self.inner.codes {
            if satisfies(flattened, code, &mut scratch.marks)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Explains why the event does not match: the first field that failed, its values, its tests.
    ///
    /// ```
    /// use trunkline_pattern::{Dialect, Event, Limits, Pattern};
    /// let text = br#"{"a":["x"],"b":[{"prefix":"y"}]}"#;
    /// let pattern = Pattern::compile(text, Dialect::EventPattern, &Limits::default())?;
    /// let why = pattern.explain(Event::new(br#"{"a":"x","b":"z"}"#))?;
    /// let failure = why.failure.expect("no match");
    /// assert_eq!((failure.path.as_str(), failure.found), ("b", vec!["\"z\"".to_owned()]));
    /// assert_eq!(failure.wanted, ["{\"prefix\":\"y\"}"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self, event: Event<'_>) -> Result<Explanation, InvalidEvent> {
        let mut scratch = Scratch::default();
        flatten(&event, &self.inner.paths, &(), &mut scratch.fields)?;
        self.explain_flattened(event.text, &mut scratch)
    }

    /// Explains why the attributes of a message do not match.
    pub fn explain_attributes(
        &self,
        attributes: &[Attribute<'_>],
    ) -> Result<Explanation, InvalidEvent> {
        let mut scratch = Scratch::default();
        flatten_attributes(attributes, &self.inner.paths, &mut scratch.fields)?;
        self.explain_flattened(b"", &mut scratch)
    }

    fn explain_flattened(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
    ) -> Result<Explanation, InvalidEvent> {
        let flattened = FlattenedEvent { paths: &self.inner.paths, fields: &scratch.fields, text };
        explain(flattened, &self.inner.branches, &mut scratch.marks)
    }

    /// The text of the pattern.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The language of the pattern.
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    pub(crate) fn branches(&self) -> &[Branch] {
        &self.inner.branches
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.inner.text).finish()
    }
}

fn check_size(source: &str, dialect: Dialect, limits: &Limits) -> Result<(), ParseError> {
    let (size, size_max, unit) = match dialect {
        Dialect::EventPattern => (source.chars().count(), limits.pattern_bytes, "characters"),
        _ => (source.len(), limits.policy_bytes, "bytes"),
    };
    if size > size_max {
        let reason = format!("The pattern has {size} {unit}, at most {size_max} are allowed");
        return Err(ParseError::without_position(reason));
    }
    Ok(())
}
