//! Comparisons of scalars with AWS's semantics: numbers, IP addresses, letter case, wildcards.

pub(crate) mod address;
pub(crate) mod case_fold;
pub(crate) mod number;
pub(crate) mod wildcard;
