//! Lookups: what a query looks up in the index for a value of a field.

/// A lookup that the rules of a field require: its kind, and the size of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lookup {
    pub(crate) kind: LookupKind,
    /// Bytes of a prefix, a suffix or an n-gram; bits of a network; the power of two that is the
    /// size of a number block. 0 for the other kinds.
    pub(crate) size: u8,
}

/// The kinds of lookups, in the order in which a query does them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LookupKind {
    /// The field has a value.
    Exists,
    Text,
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// The text after case folding.
    CaseFolded,
    Prefix,
    Suffix,
    CaseFoldedPrefix,
    CaseFoldedSuffix,
    /// `size` bytes anywhere in the text.
    Ngram,
    /// The block of 2^`size` doubles that holds the number.
    NumberBlock,
    Ipv4,
    Ipv6,
    /// The field has no value.
    Absent,
}
