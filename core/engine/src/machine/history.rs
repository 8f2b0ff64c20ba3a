//! Histories: entries of the retained log of a state machine. An entry has the events of one step,
//! and the number of the entry before it of the same execution; the newest is in the execution.

use trunkline_host::{Log, Put, Take, damaged};
use trunkline_states::Event;
use trunkline_types::Result;

/// The bytes of an entry: the events as JSON, each as GetExecutionHistory tells it.
pub(super) fn encode(number: u32, before: u64, events: &[Event]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + 256 * events.len());
    out.put_u32(number);
    out.put_u64(before);
    let mut text = String::with_capacity(512);
    for event in events {
        text.clear();
        event.write(true, &mut text);
        out.put_bytes(text.as_bytes());
    }
    out
}

/// The JSON texts of the events of an entry, and the entry before it.
fn decode(bytes: &[u8], number: u32) -> Result<(u64, Vec<String>)> {
    let mut take = Take(bytes);
    if take.u32()? != number {
        return Err(damaged("an entry of the history of another execution"));
    }
    let before = take.u64()?;
    let mut events = Vec::new();
    while !take.0.is_empty() {
        events.push(take.text()?.to_owned());
    }
    Ok((before, events))
}

/// An entry of an execution: the one before it, and its events as JSON texts. `at` is one more than
/// its number. `None`: it expired, being of a time that is not kept.
pub(super) fn entry(log: &Log, number: u32, at: u64) -> Result<Option<(u64, Vec<String>)>> {
    let mut entry = None;
    log.read(at - 1, &mut |read| {
        entry = (read.sequence == at - 1).then(|| decode(read.payload, number));
        false
    })?;
    entry.transpose()
}

/// Up to `most` events of an execution, the newest first. `newest` is one more than the number of
/// the newest entry.
pub(super) fn read(log: &Log, number: u32, newest: u64, most: usize) -> Result<Vec<String>> {
    let (mut next, mut found) = (newest, Vec::new());
    while next > 0 && found.len() < most {
        let Some((before, mut events)) = entry(log, number, next)? else { break };
        found.extend(events.drain(..).rev());
        next = before;
    }
    found.truncate(most);
    Ok(found)
}
