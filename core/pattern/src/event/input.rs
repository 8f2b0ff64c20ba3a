//! An event as input: a JSON text.

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

/// An upper bound for the nesting limit: flattening recurses along the named paths.
const DEPTH_CEILING: usize = 4096;

impl<'a> Event<'a> {
    /// An event that is validated while it is read: invalid JSON anywhere is an error.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, is_trusted: false, is_plain: false, depth_max: EVENT_DEPTH_MAX }
    }

    /// An event that the caller has validated: unnamed fields are skipped without validation. The
    /// whole text is still scanned, because of members with equal keys the last counts.
    ///
    /// Text that is not JSON gives an error or a wrong answer, but no panic and no undefined
    /// behaviour.
    pub fn trusted(text: &'a [u8]) -> Self {
        Self { is_trusted: true, ..Self::new(text) }
    }

    /// An event that the caller has validated, whose keys are unique in each object and have no
    /// dots: reading stops as soon as all named paths were found.
    pub fn plain(text: &'a [u8]) -> Self {
        Self { is_plain: true, ..Self::trusted(text) }
    }

    /// The same event with another nesting limit (at most 4,096).
    #[must_use]
    pub fn depth(self, depth_max: usize) -> Self {
        Self { depth_max: depth_max.min(DEPTH_CEILING), ..self }
    }
}
