//! Reusable memory of matches.

use crate::event::array_match::ElementMarks;
use crate::event::fields::ExtractedFields;
use crate::index::query::QueryScratch;

/// Buffers of a match. Pass the same value to every match: once its buffers have grown, a match
/// allocates nothing.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};
/// let pattern = Pattern::compile(br#"{"a":[1]}"#, Dialect::EventPattern, &Limits::default())?;
/// let rules = RuleSet::new();
/// rules.add(7, &pattern);
/// let (snapshot, mut scratch, mut out) = (rules.snapshot(), Scratch::default(), Vec::new());
/// for event in [br#"{"a":1}"#, br#"{"a":2}"#] {
///     snapshot.matches(Event::new(event), &mut scratch, &mut out)?;
/// }
/// assert_eq!(out, [7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Scratch {
    pub(crate) fields: ExtractedFields,
    pub(crate) marks: ElementMarks,
    pub(crate) query: QueryScratch,
}
