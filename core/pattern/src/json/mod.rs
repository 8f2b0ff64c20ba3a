//! JSON text: the reader for patterns, and the scanner for events.

pub(crate) mod escape;
mod messages;
pub(crate) mod reader;
pub(crate) mod scan;
pub(crate) mod skip_simd;
mod string_ends;
