//! The pattern compiler: from the text of a pattern to encoded branches.

pub(crate) mod encoding;
pub(crate) mod encoding_text;
pub(crate) mod operators;
pub(crate) mod parser;
pub(crate) mod test;
