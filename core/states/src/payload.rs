//! A JSON document with its text: each is made from the other when it is first asked for.

use std::sync::{Arc, OnceLock};

use crate::value::{self, MalformedJson, Value};

/// A JSON document: its text, as it was given, and its value. A clone shares both.
#[derive(Clone)]
pub struct Payload(Arc<Inner>);

#[derive(Default)]
struct Inner {
    text: OnceLock<Arc<str>>,
    value: OnceLock<Value>,
    quoted: OnceLock<Box<str>>,
}

impl Payload {
    /// The document of this text, which is kept as it is.
    pub fn parse(text: &str) -> Result<Payload, MalformedJson> {
        let value = value::parse(text)?;
        let inner = Inner::default();
        let _ = inner.text.set(Arc::from(text));
        let _ = inner.value.set(value);
        Ok(Payload(Arc::new(inner)))
    }

    /// The document of text that was parsed before; it is parsed again when its value is needed.
    pub(crate) fn trusted(text: &str) -> Payload {
        let inner = Inner::default();
        let _ = inner.text.set(Arc::from(text));
        Payload(Arc::new(inner))
    }

    /// Whether both are the same document in the same memory; equal ones need not be.
    pub(crate) fn is_same(&self, other: &Payload) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The text of the document.
    pub fn text(&self) -> &Arc<str> {
        self.0.text.get_or_init(|| {
            let mut text = String::with_capacity(256);
            self.value().write(&mut text);
            Arc::from(text)
        })
    }

    /// The text as a JSON string. The output of a state is the input of the next one, so that both
    /// of their events quote it once.
    pub(crate) fn quoted(&self) -> &str {
        self.0.quoted.get_or_init(|| {
            let mut out = String::with_capacity(self.text().len() * 5 / 4);
            value::write_string(self.text(), &mut out);
            out.into_boxed_str()
        })
    }

    /// The value of the document.
    pub fn value(&self) -> &Value {
        self.0.value.get_or_init(|| {
            let text = self.0.text.get().map_or("null", |text| text);
            value::parse(text).unwrap_or(Value::Null)
        })
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Payload {
        let inner = Inner::default();
        let _ = inner.value.set(value);
        Payload(Arc::new(inner))
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text()
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Payload({})", self.text())
    }
}
