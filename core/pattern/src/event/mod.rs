//! Events: input, flattening into scalar fields, and evaluation of a branch.

pub(crate) mod array_match;
pub(crate) mod attributes;
pub(crate) mod fields;
pub(crate) mod flatten;
pub(crate) mod input;
pub(crate) mod value;
