//! A column that grows by values of JSON, and takes the type that they have.

use std::sync::Arc;

use crate::table::{Column, Validity};

/// Some object has no place in columns of one type each, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotColumns;

/// Where a number is a float for its digits alone: they need more than 64 bits.
const INTEGER: &[u8] = b"-0123456789";

/// The values so far. A null is a zero, or no text, of which `valid` says that it is none.
#[derive(Default)]
pub(crate) struct Builder {
    values: Values,
    valid: Vec<bool>,
}

#[derive(Default)]
enum Values {
    /// Only nulls.
    #[default]
    Unknown,
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Truths(Vec<bool>),
    Texts {
        ends: Vec<i32>,
        bytes: Vec<u8>,
    },
}

impl Builder {
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Adds nulls until there are `rows` values.
    pub fn fill(&mut self, rows: usize) {
        self.valid.resize(rows, false);
        match &mut self.values {
            Values::Unknown => {}
            Values::Integers(values) => values.resize(rows, 0),
            Values::Floats(values) => values.resize(rows, 0.0),
            Values::Truths(values) => values.resize(rows, false),
            Values::Texts { ends, .. } => {
                let last = ends.last().copied().unwrap_or(0);
                ends.resize(rows + 1, last);
            }
        }
    }

    /// Adds a value by its JSON text, which is valid.
    pub fn push(&mut self, json: &str) -> Result<(), NotColumns> {
        let row = self.len();
        match json.as_bytes().first() {
            Some(b'n') => {
                self.fill(row + 1);
                return Ok(());
            }
            Some(b'"') => self.push_text(json, row)?,
            Some(b't' | b'f') => {
                let Values::Truths(values) = self.of_type(|| Values::Truths(vec![false; row]))
                else {
                    return Err(NotColumns);
                };
                values.push(json.starts_with('t'));
            }
            Some(b'-' | b'0'..=b'9') => self.push_number(json, row)?,
            _ => return Err(NotColumns),
        }
        self.valid.push(true);
        Ok(())
    }

    /// The values, of a type that is chosen now if none was.
    fn of_type(&mut self, chosen: impl FnOnce() -> Values) -> &mut Values {
        if matches!(self.values, Values::Unknown) {
            self.values = chosen();
        }
        &mut self.values
    }

    fn push_number(&mut self, json: &str, row: usize) -> Result<(), NotColumns> {
        let integer = json.bytes().all(|byte| INTEGER.contains(&byte)).then(|| json.parse().ok());
        if let Some(Some(integer)) = integer {
            match self.of_type(|| Values::Integers(vec![0; row])) {
                Values::Integers(values) => values.push(integer),
                // Its text may round otherwise than the integer does.
                Values::Floats(values) => values.push(json.parse().map_err(|_| NotColumns)?),
                _ => return Err(NotColumns),
            }
            return Ok(());
        }
        let float: f64 = json.parse().map_err(|_| NotColumns)?;
        if !float.is_finite() {
            return Err(NotColumns);
        }
        if let Values::Integers(values) = &self.values {
            self.values = Values::Floats(values.iter().map(|value| *value as f64).collect());
        }
        let Values::Floats(values) = self.of_type(|| Values::Floats(vec![0.0; row])) else {
            return Err(NotColumns);
        };
        values.push(float);
        Ok(())
    }

    fn push_text(&mut self, json: &str, row: usize) -> Result<(), NotColumns> {
        let Values::Texts { ends, bytes } =
            self.of_type(|| Values::Texts { ends: vec![0; row + 1], bytes: Vec::new() })
        else {
            return Err(NotColumns);
        };
        let inner = json.get(1..json.len() - 1).ok_or(NotColumns)?;
        if inner.contains('\\') {
            let text: String = serde_json::from_str(json).map_err(|_| NotColumns)?;
            bytes.extend_from_slice(text.as_bytes());
        } else {
            bytes.extend_from_slice(inner.as_bytes());
        }
        ends.push(i32::try_from(bytes.len()).map_err(|_| NotColumns)?);
        Ok(())
    }

    /// The column, and which of its values are null.
    pub fn finish(self) -> (Column, Option<Validity>) {
        let rows = self.len();
        let column = match self.values {
            Values::Unknown => return (Column::Nulls(rows), None),
            Values::Integers(values) => Column::Integers(Arc::new(values)),
            Values::Floats(values) => Column::Floats(Arc::new(values)),
            Values::Truths(values) => Column::Truths { bits: Arc::new(bits(&values)), rows },
            Values::Texts { ends, bytes } => {
                Column::Text { offsets: Arc::new(ends), bytes: Arc::new(bytes) }
            }
        };
        let nulls = self.valid.iter().filter(|valid| !**valid).count();
        (column, Some(Validity { bits: Arc::new(bits(&self.valid)), nulls }))
    }
}

/// A bit each, the lowest first.
fn bits(values: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| {
        eight.iter().enumerate().fold(0, |byte, (place, set)| byte | u8::from(*set) << place)
    };
    values.chunks(8).map(byte).collect()
}
