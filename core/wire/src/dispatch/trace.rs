//! `/_trunkline/trace`: what happened to messages and events, and the switch of the trace.

use serde_json::{Value, json};
use trunkline_engine::{Trace, TracedEntry};

use super::read_object;
use crate::codec::uri;
use crate::error::{Result, WireError};

/// The id that a path asks for.
pub(super) fn id_of(path: &str) -> Option<String> {
    let id = path.strip_prefix("/_trunkline/trace/")?;
    Some(String::from_utf8_lossy(&uri::decode(id.as_bytes(), false)).into_owned())
}

/// Switches the trace as a body says: `{"mode": "on"}`, `"off"`, or the part that is followed.
pub(super) fn switch(body: &[u8], trace: &Trace) -> Result<()> {
    let object = read_object(body, &["mode", "max_bytes"])?;
    let rate = match object.get("mode") {
        Some(Value::String(mode)) if mode == "on" => Some(1.0),
        Some(Value::String(mode)) if mode == "off" => Some(0.0),
        Some(mode) => mode.as_f64().filter(|rate| (0.0..=1.0).contains(rate)),
        None => None,
    };
    let rate = rate.ok_or_else(|| refused("mode must be 'on', 'off', or a number from 0 to 1."))?;
    if let Some(bytes_max) = object.get("max_bytes") {
        let bytes_max = bytes_max.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
        let wanted = bytes_max.filter(|bytes| *bytes > 0);
        trace.set_bytes_max(
            wanted
                .ok_or_else(|| refused("max_bytes must be a whole number of bytes, 1 or more."))?,
        );
    }
    trace.set_rate(rate);
    Ok(())
}

/// How the trace stands, as JSON.
pub(super) fn statistics(trace: &Trace) -> String {
    let now = trace.statistics();
    json!({
        "rate": now.rate,
        "entries": now.entries,
        "dropped": now.dropped,
        "bytes": now.bytes,
        "max_bytes": now.bytes_max,
    })
    .to_string()
}

/// What happened to one id, as JSON.
pub(super) fn write(trace: &Trace, id: &str) -> String {
    let traced = trace.of(id);
    let entries: Vec<Value> = traced.entries.iter().map(entry).collect();
    json!({
        "id": id,
        "entries": entries,
        "left_out": traced.left_out,
        "dropped": traced.dropped,
    })
    .to_string()
}

fn entry(entry: &TracedEntry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at as f64 / 1000.0,
        "what": entry.what.name(),
        "kind": entry.kind,
        "name": entry.name,
        "account": entry.account,
        "region": entry.region,
        "detail": entry.detail,
        "cause": entry.from,
    })
}

fn refused(message: &str) -> WireError {
    WireError::new("InvalidRequest", 400, message)
}
