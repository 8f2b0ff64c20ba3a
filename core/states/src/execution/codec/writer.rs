//! Writes the parts of executions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::execution::branch::{Branch, Children, MapRunPhase, Phase};
use crate::payload::Payload;
use crate::stimulus::TimerId;
use crate::value::Value;

pub(in crate::execution) struct Writer {
    pub bytes: Vec<u8>,
    /// The texts that were written, by their numbers; each one is written once.
    payloads: HashMap<Text, u64>,
}

/// A text to be found again by its length and its ends: those of a map may be thousands, and a text
/// may be long.
#[derive(PartialEq, Eq)]
struct Text(Arc<str>);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        const END: usize = 32;
        let bytes = self.0.as_bytes();
        state.write_usize(bytes.len());
        state.write(&bytes[..bytes.len().min(END)]);
        state.write(&bytes[bytes.len().saturating_sub(END)..]);
    }
}

impl Writer {
    /// Bytes of a format of this version.
    pub fn new(version: u8) -> Writer {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(version);
        Writer { bytes, payloads: HashMap::new() }
    }

    /// A number in seven bits a byte, low bits first.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub fn optional_text(&mut self, text: Option<&Arc<str>>) {
        self.number(u64::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub fn payload(&mut self, payload: &Payload) {
        let text = payload.text();
        let next = self.payloads.len() as u64 + 1;
        match self.payloads.entry(Text(Arc::clone(text))) {
            Entry::Occupied(known) => {
                let at = *known.get();
                self.number(at);
            }
            Entry::Vacant(new) => {
                new.insert(next);
                self.number(0);
                self.text(text);
            }
        }
    }

    pub fn value(&mut self, value: &Value) {
        self.payload(&Payload::from(value.clone()));
    }

    pub fn timer(&mut self, timer: Option<TimerId>) {
        self.number(timer.map_or(0, |timer| timer.0));
    }

    pub fn branch(&mut self, branch: &Branch) {
        self.number(branch.parent.map_or(0, |parent| u64::from(parent) + 1));
        self.number(branch.index);
        self.number(u64::from(branch.state.0));
        self.payload(&branch.input);
        for number in [branch.previous, branch.entered, branch.entered_previous, branch.entered_ms]
        {
            self.number(number);
        }
        self.retries(branch);
        self.variables(branch);
        self.phase(&branch.phase);
    }

    pub fn retries(&mut self, branch: &Branch) {
        self.number(u64::from(branch.retry_count));
        self.number(branch.retries.len() as u64);
        for made in &branch.retries {
            self.number(u64::from(*made));
        }
    }

    pub fn variables(&mut self, branch: &Branch) {
        self.number(branch.variables.len() as u64);
        for (name, value) in &branch.variables {
            self.text(name);
            self.value(value);
        }
    }

    pub fn phase(&mut self, phase: &Phase) {
        match phase {
            Phase::Enter => self.number(0),
            Phase::Work => self.number(1),
            Phase::Waiting { timer } => {
                self.number(2);
                self.number(timer.0);
            }
            Phase::Retrying { timer } => {
                self.number(3);
                self.number(timer.0);
            }
            Phase::Paused { timer } => {
                self.number(4);
                self.number(timer.0);
            }
            Phase::Task(task) => {
                self.number(5);
                self.number(task.task.0);
                self.number(u64::from(task.started));
                self.timer(task.time_out);
                self.timer(task.heartbeat);
                self.number(task.heartbeat_seconds);
            }
            Phase::Children(children) => {
                self.number(6);
                self.children(children);
            }
            Phase::MapRun { task, run } => {
                self.number(9);
                self.number(task.0);
                self.map_run(run);
            }
            Phase::MapRunEnded(run) => {
                self.number(10);
                self.map_run(run);
            }
            Phase::Failed => self.number(8),
        }
    }

    fn map_run(&mut self, run: &MapRunPhase) {
        self.text(&run.arn);
        self.number(run.redrives);
    }

    pub fn children(&mut self, children: &Children) {
        self.value(&children.items);
        self.progress(children);
        self.number(children.results.len() as u64);
        for result in &children.results {
            self.result(result.as_ref());
        }
    }

    pub fn progress(&mut self, children: &Children) {
        self.number(children.next);
        self.number(children.done);
        self.number(children.running.len() as u64);
        for running in &children.running {
            self.number(u64::from(*running));
        }
    }

    pub fn result(&mut self, result: Option<&Value>) {
        self.number(u64::from(result.is_some()));
        if let Some(result) = result {
            self.value(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_once_and_texts_with_equal_ends_are_two() {
        let of = |middle: char| format!("\"{}{middle}{}\"", "a".repeat(40), "z".repeat(40));
        let mut out = Writer::new(1);
        let texts = [of('1'), of('2'), of('1'), of('2')];
        let ends = texts.map(|text| {
            out.payload(&Payload::trusted(&text));
            out.bytes.len()
        });
        assert_eq!(&out.bytes[ends[1]..], [1, 2]);
        assert!(ends[1] - ends[0] > 80);
    }
}
