//! The items in an object that an `ItemReader` names: CSV, JSON and JSON lines.

use std::sync::Arc;

use super::csv::Records;
use super::document::Document;
use super::failure::{NOT_UTF8, ReaderFailed, failed};
use crate::value::{Members, Value, parse};

/// Reads the items of an object, whose bytes come in parts.
#[derive(Debug)]
pub struct ItemReader {
    format: Format,
    /// Items that may still come.
    left: u64,
}

#[derive(Debug)]
enum Format {
    Csv { records: Records, headers: Option<Vec<Arc<str>>> },
    Lines { line: Vec<u8> },
    Json { document: Document },
}

impl ItemReader {
    /// A reader for a `ReaderConfig`; null is that of `s3:listObjectsV2`, which needs none.
    pub fn new(config: &Value) -> Result<ItemReader, ReaderFailed> {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let format = match text("InputType").unwrap_or("JSON") {
            "CSV" => Format::Csv {
                records: Records::new(delimiter(text("CSVDelimiter"))?),
                headers: given_headers(config)?,
            },
            "JSONL" => Format::Lines { line: Vec::new() },
            "JSON" => Format::Json { document: Document::new(text("ItemsPointer")) },
            other => return failed(format!("The InputType {other} is not supported.")),
        };
        let left = match config.get("MaxItems") {
            None => u64::MAX,
            Some(most) => match most.as_i64() {
                Some(0) => u64::MAX,
                Some(most) if most > 0 => most.unsigned_abs(),
                _ => return failed("field MaxItems must be positive"),
            },
        };
        Ok(ItemReader { format, left })
    }

    /// Whether no more items are wanted: `MaxItems` were read.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Reads the next bytes, and appends the items that end in them.
    pub fn feed(&mut self, bytes: &[u8], items: &mut Vec<Value>) -> Result<(), ReaderFailed> {
        let left = &mut self.left;
        match &mut self.format {
            Format::Csv { records, headers } => {
                records.feed(bytes, &mut |record| take_record(record, headers, left, items))?;
                if records.is_malformed() { failed(NOT_UTF8) } else { Ok(()) }
            }
            Format::Lines { line } => {
                for byte in bytes {
                    match byte {
                        b'\n' => take_line(line, left, items)?,
                        other => line.push(*other),
                    }
                }
                Ok(())
            }
            Format::Json { document } => document.feed(bytes, &mut |item| {
                if *left > 0 {
                    *left -= 1;
                    items.push(item);
                }
            }),
        }
    }

    /// Ends the object, and appends the last items.
    pub fn finish(mut self, items: &mut Vec<Value>) -> Result<(), ReaderFailed> {
        match self.format {
            Format::Csv { mut records, mut headers } => match records.finish() {
                _ if records.is_malformed() => failed(NOT_UTF8),
                Some(record) => take_record(record, &mut headers, &mut self.left, items),
                None => Ok(()),
            },
            Format::Lines { mut line } => take_line(&mut line, &mut self.left, items),
            // The rest of a document was not read if no more items are wanted.
            Format::Json { .. } if self.left == 0 => Ok(()),
            Format::Json { document } => document.finish(),
        }
    }
}

fn delimiter(name: Option<&str>) -> Result<u8, ReaderFailed> {
    Ok(match name {
        None | Some("COMMA") => b',',
        Some("PIPE") => b'|',
        Some("SEMICOLON") => b';',
        Some("SPACE") => b' ',
        Some("TAB") => b'\t',
        Some(other) => return failed(format!("The CSVDelimiter {other} is not supported.")),
    })
}

/// The headers that the configuration gives; none if the first row holds them.
fn given_headers(config: &Value) -> Result<Option<Vec<Arc<str>>>, ReaderFailed> {
    let place = config.get("CSVHeaderLocation").and_then(Value::as_str);
    match place {
        Some("FIRST_ROW") => Ok(None),
        Some("GIVEN") => {
            let names = config.get("CSVHeaders").and_then(Value::as_array).unwrap_or(&[]);
            let names = names.iter().filter_map(Value::as_str).map(Arc::from).collect();
            unique(names).map(Some)
        }
        _ => failed("CSVHeaderLocation has to be FIRST_ROW or GIVEN."),
    }
}

fn unique(names: Vec<Arc<str>>) -> Result<Vec<Arc<str>>, ReaderFailed> {
    let mut seen = std::collections::HashSet::new();
    if names.iter().all(|name| seen.insert(Arc::clone(name))) {
        return Ok(names);
    }
    failed("CSV headers cannot contain duplicates.")
}

fn take_record(
    record: Vec<String>,
    headers: &mut Option<Vec<Arc<str>>>,
    left: &mut u64,
    items: &mut Vec<Value>,
) -> Result<(), ReaderFailed> {
    let Some(names) = headers else {
        *headers = Some(unique(record.iter().map(|name| Arc::from(name.as_str())).collect())?);
        return Ok(());
    };
    if *left == 0 {
        return Ok(());
    }
    *left -= 1;
    // Fields without a header are left out; headers without a field are empty.
    let mut fields = record.into_iter();
    let members: Members = names
        .iter()
        .map(|name| (Arc::clone(name), Value::string(fields.next().unwrap_or_default())))
        .collect();
    items.push(Value::Object(Arc::new(members)));
    Ok(())
}

fn take_line(
    line: &mut Vec<u8>,
    left: &mut u64,
    items: &mut Vec<Value>,
) -> Result<(), ReaderFailed> {
    let bytes = std::mem::take(line);
    let Ok(text) = String::from_utf8(bytes) else { return failed(NOT_UTF8) };
    if text.trim().is_empty() || *left == 0 {
        return Ok(());
    }
    *left -= 1;
    match parse(&text) {
        Ok(item) => items.push(item),
        Err(error) => return failed(format!("A line is not JSON: {}", error.message)),
    }
    Ok(())
}
