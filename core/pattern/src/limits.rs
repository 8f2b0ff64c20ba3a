//! Every bound of the matcher, as data. AWS's values unless a line says otherwise; all can be
//! raised.

/// The bounds that a pattern and an event are held to.
///
/// ```
/// use trunkline_pattern::Limits;
/// let limits = Limits { pattern_bytes: 4096, ..Limits::default() };
/// assert_eq!(limits.or_combinations, 1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of an event pattern: 2,048, and 4,096 where AWS has raised it.
    pub pattern_bytes: usize,
    /// Bytes of a filter policy of a subscription: 256 KiB.
    pub policy_bytes: usize,
    /// Branches into which all `$or` of a pattern multiply.
    pub or_combinations: usize,
    /// Places of all wildcards of one field that one text can reach at once.
    pub wildcard_complexity: usize,
    /// Keys at the top of a filter policy.
    pub filter_keys: usize,
    /// Product over the keys of a filter policy of values times depth.
    pub filter_combinations: usize,
    /// Nesting of a pattern, and of an event.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pattern_bytes: 2048,
            policy_bytes: 256 * 1024,
            or_combinations: 1000,
            wildcard_complexity: 10,
            filter_keys: 5,
            filter_combinations: 150,
            depth: EVENT_DEPTH_MAX,
        }
    }
}

/// Nesting of an event: what AWS's parser allows.
pub(crate) const EVENT_DEPTH_MAX: usize = 1000;

/// Sets of places that the complexity of one field's wildcards is explored for, at most. Ours: the
/// exploration is exponential for texts made to that end, and such patterns are refused as complex.
pub(crate) const COMPLEXITY_STATES_MAX: usize = 4096;

/// Steps of the search for array elements that belong together, where keys with dots make it a
/// search. Ours: such an event is refused, rather than answered after minutes.
pub(crate) const SEARCH_STEPS_MAX: usize = 1_000_000;
