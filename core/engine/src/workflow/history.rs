//! Histories: entries of the retained log of a domain. An entry has the events of one step, and the
//! number of the entry before it of the same execution; the newest is in the execution's record.

use trunkline_host::{Log, Put, Take, damaged};
use trunkline_types::Result;
use trunkline_workflow::Event;

/// The bytes of an entry: the events as JSON, each as GetWorkflowExecutionHistory tells it.
pub(super) fn encode(number: u32, before: u64, events: &[Event]) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 + 256 * events.len());
    out.put_u32(number);
    out.put_u64(before);
    out.put_u64(events.first().map_or(0, |event| event.id));
    for event in events {
        out.put_bytes(event.to_json().to_string().as_bytes());
    }
    out
}

/// The entry before one, and the JSON texts of the events with their ids.
fn decode(bytes: &[u8], number: u32) -> Result<(u64, Vec<(u64, String)>)> {
    let mut take = Take(bytes);
    if take.u32()? != number {
        return Err(damaged("an entry of the history of another execution"));
    }
    let (before, mut id) = (take.u64()?, take.u64()?);
    let mut events = Vec::new();
    while !take.0.is_empty() {
        events.push((id, take.text()?.to_owned()));
        id += 1;
    }
    Ok((before, events))
}

/// The events from `first` to `last` of an execution, the newest first, as JSON texts. `newest` is
/// one more than the number of its newest entry.
pub(super) fn read(
    log: &Log,
    number: u32,
    newest: u64,
    (first, last): (u64, u64),
) -> Result<Vec<String>> {
    let (mut next, mut found) = (newest, Vec::new());
    while next > 0 {
        let mut entry = None;
        log.read(next - 1, &mut |read| {
            entry = (read.sequence == next - 1).then(|| decode(read.payload, number));
            false
        })?;
        // An entry that expired is of a time that is not kept.
        let Some(entry) = entry else { break };
        let (before, events) = entry?;
        let is_end = events.first().is_none_or(|(id, _)| *id <= first);
        let wanted = |(id, text): (u64, String)| (first..=last).contains(&id).then_some(text);
        found.extend(events.into_iter().rev().filter_map(wanted));
        if is_end {
            break;
        }
        next = before;
    }
    Ok(found)
}
