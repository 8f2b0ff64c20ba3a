//! Generators of patterns and events, and a slow reference matcher.

pub mod generators;
pub mod json;
pub mod reference;
