//! What is matched: a JSON text, or the attributes of a message.

use crate::limits::EVENT_DEPTH_MAX;

/// An event: a JSON object as UTF-8 text.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern};
/// let pattern = Pattern::compile(br#"{"a":["x"]}"#, Dialect::EventPattern, &Limits::default())?;
/// assert!(pattern.matches(Event::new(br#"{"a":"x"}"#))?);
/// assert!(pattern.matches(Event::new(br#"{"a":"x"#)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) is_trusted: bool,
    pub(crate) is_plain: bool,
    pub(crate) depth_max: usize,
}

/// Nesting that no limit raises: a walk calls itself for each level of a rule's path.
const DEPTH_CEILING: usize = 4096;

impl<'a> Event<'a> {
    /// An event that is validated while it is read: all of it is JSON, or the match is an error.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, is_trusted: false, is_plain: false, depth_max: EVENT_DEPTH_MAX }
    }

    /// An event that the caller has validated: what no rule names is skipped unread. All of it is
    /// passed over nevertheless, because of two members with one key the last counts.
    ///
    /// A text that is no JSON gives an error or some answer, and nothing worse.
    pub fn trusted(text: &'a [u8]) -> Self {
        Self { is_trusted: true, ..Self::new(text) }
    }

    /// An event that the caller has validated, in which no object has a key twice and no key has a
    /// dot: reading ends as soon as everything that rules name was met.
    pub fn plain(text: &'a [u8]) -> Self {
        Self { is_plain: true, ..Self::trusted(text) }
    }

    /// The same event, refused where it is nested deeper than this (at most 4,096).
    #[must_use]
    pub fn depth(self, depth_max: usize) -> Self {
        Self { depth_max: depth_max.min(DEPTH_CEILING), ..self }
    }
}
