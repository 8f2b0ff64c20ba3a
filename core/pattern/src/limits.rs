//! The limits of patterns and events, as data. Values are AWS's unless a comment says otherwise.

/// The limits of patterns and events. Every limit can be raised.
///
/// ```
/// use trunkline_pattern::Limits;
/// let limits = Limits { pattern_bytes: 4096, ..Limits::default() };
/// assert_eq!(limits.or_combinations, 1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of an event pattern: 2,048; AWS raises it to 4,096 on request.
    pub pattern_bytes: usize,
    /// Bytes of the filter policy of a subscription: 256 KiB.
    pub policy_bytes: usize,
    /// Branches that a pattern may have after all `$or` are multiplied out.
    pub or_combinations: usize,
    /// Automaton states of the wildcards of one field that one text may activate at once.
    pub wildcard_complexity: usize,
    /// Top-level keys of a filter policy.
    pub filter_keys: usize,
    /// Combinations of a filter policy: the product over its keys of values times depth.
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

/// Nesting of an event: the limit of AWS's parser.
pub(crate) const EVENT_DEPTH_MAX: usize = 1000;

/// State sets explored to compute the complexity of the wildcards of one field. Our own limit:
/// crafted wildcards have exponentially many sets, and are refused as too complex.
pub(crate) const COMPLEXITY_STATES_MAX: usize = 4096;

/// Steps of the backtracking search over array elements for events with dots in keys. Our own
/// limit: such an event is refused instead of taking minutes.
pub(crate) const SEARCH_STEPS_MAX: usize = 1_000_000;
