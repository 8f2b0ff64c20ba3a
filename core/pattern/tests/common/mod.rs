//! Random patterns of every operator, events near to them, and a matcher that is slow and plain.

pub mod near;
pub mod plain;
