//! Reference paths: they name exactly one place, which need not be there yet.

use std::sync::Arc;

use super::{Path, Step};
use crate::value::{Members, Value};

/// A path of names and indexes only.
#[derive(Clone, Debug)]
pub(crate) struct ReferencePath(Path);

impl ReferencePath {
    /// Parses a reference path. `None`: it is none.
    pub fn parse(text: &str) -> Option<ReferencePath> {
        let path = Path::parse(text)?;
        let plain = path.steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)));
        plain.then_some(ReferencePath(path))
    }

    /// The text of the path.
    pub fn source(&self) -> &Arc<str> {
        self.0.source()
    }

    /// Whether the path names the whole document.
    pub fn is_root(&self) -> bool {
        self.0.is_root()
    }

    /// `document` with `value` at this place. `None`: something that is no object, or no item of
    /// an array, is in the way.
    pub fn set(&self, document: &Value, value: Value) -> Option<Value> {
        put(&self.0.steps, document, value)
    }
}

fn put(steps: &[Step], document: &Value, value: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match (step, document) {
        (Step::Key(key), Value::Object(members)) => {
            let inner = match members.get(key) {
                Some(inner) => put(rest, inner, value)?,
                None => put(rest, &fresh(rest), value)?,
            };
            let mut members: Members = (**members).clone();
            members.insert(Arc::clone(key), inner);
            Some(Value::Object(Arc::new(members)))
        }
        (Step::Index(at), Value::Array(items)) => {
            let at = usize::try_from(*at).ok()?;
            let mut items: Vec<Value> = (**items).clone();
            let inner = put(rest, items.get(at)?, value)?;
            items[at] = inner;
            Some(Value::array(items))
        }
        _ => None,
    }
}

/// What is made where nothing was.
fn fresh(rest: &[Step]) -> Value {
    match rest.first() {
        Some(Step::Index(_)) => Value::Null,
        _ => Value::empty_object(),
    }
}
