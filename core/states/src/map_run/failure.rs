//! What fails a reader of items.

/// `States.ItemReaderFailed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderFailed {
    /// What happened, in AWS's words where they are known.
    pub cause: String,
}

/// Items are text; a byte that is none must not become another one.
pub(super) const NOT_UTF8: &str = "The object is not encoded in UTF-8.";

pub(super) fn failed<T>(cause: impl Into<String>) -> Result<T, ReaderFailed> {
    Err(ReaderFailed { cause: cause.into() })
}
