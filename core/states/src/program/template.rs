//! Payload templates: JSON with expressions in it.

use std::sync::Arc;

use crate::jsonata::Query;
use crate::selector::Selector;
use crate::value::Value;

/// JSON with expressions in it.
#[derive(Debug)]
pub(crate) enum Template {
    /// JSON without expressions.
    Given(Value),
    /// An object, some of whose members have expressions.
    Object(Vec<(Arc<str>, Template)>),
    /// An array, some of whose items have expressions.
    Array(Vec<Template>),
    /// JSONPath: the value of the member `field` (`x.$`).
    Select { field: Arc<str>, selector: Selector },
    /// JSONata: the value at `location` (`Output/x`).
    Query { location: Arc<str>, query: Query },
}
