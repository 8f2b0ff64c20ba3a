//! The answer to an operation, before it is written.

use trunkline_engine::{ObjectReader, Ticket};

use crate::error::{Result, WireError};
use crate::service::BodySource;
use crate::value::Value;

/// What an operation answers.
#[derive(Default)]
pub(super) struct Answer {
    /// The output, by the model.
    pub output: Value,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The status, if it is another than the model's.
    pub status: Option<u16>,
    /// A body that the model does not describe, and its type.
    pub text: Option<(&'static str, String)>,
    /// The content of an object, and how much of it.
    pub content: Option<(ObjectReader, u64)>,
    /// What has to be durable before the answer is given.
    pub ticket: Option<Ticket>,
}

impl Answer {
    /// An answer with these members of the output.
    pub fn of(members: Vec<(&str, Value)>) -> Self {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self { output: Value::Map(members.collect()), ..Self::default() }
    }

    /// An answer without any.
    pub fn empty() -> Self {
        Self::of(Vec::new())
    }

    /// The same answer once this is durable.
    pub fn after(self, ticket: Option<Ticket>) -> Self {
        Self { ticket, ..self }
    }

    /// The same answer with one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A moment of the engine, in seconds.
pub(super) fn time(millis: u64) -> Value {
    Value::Time((millis / 1_000) as f64)
}

/// An entity tag, with its quotes.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// The content of an object on its way to a caller.
pub(super) struct ContentSource {
    pub reader: ObjectReader,
    pub length: u64,
}

impl BodySource for ContentSource {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        self.reader.read(bytes).map_err(|error| WireError::from_engine(&error))
    }
}
