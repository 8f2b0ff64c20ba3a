//! An execution as bytes: small while it waits, and the same execution when read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::branch::{Branch, Branches, Children, Phase, TaskPhase};
use super::{Execution, Identity, Status};
use crate::payload::Payload;
use crate::program::{Program, ScopeId, StateId};
use crate::stimulus::{TaskId, TimerId};
use crate::value::{Value, parse};

/// The version of the format, the first byte.
const VERSION: u8 = 1;

/// Bytes that are no execution of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedExecution {
    /// What was not there.
    pub wanted: &'static str,
}

impl std::fmt::Display for MalformedExecution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the bytes of an execution lack {}", self.wanted)
    }
}

impl std::error::Error for MalformedExecution {}

impl Execution {
    /// The execution as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer { bytes: vec![VERSION], payloads: HashMap::new() };
        let identity = &self.identity;
        for text in [
            &identity.execution_arn,
            &identity.name,
            &identity.role_arn,
            &identity.machine_arn,
            &identity.machine_name,
            &identity.region,
        ] {
            out.text(text);
        }
        out.optional_text(identity.version_arn.as_ref());
        out.optional_text(identity.alias_arn.as_ref());
        out.number(u64::from(identity.express));
        out.number(u64::from(self.scope.0));
        out.number(self.status as u64);
        out.payload(&self.input);
        for number in
            [self.started_ms, self.redrives, self.redriven_ms, self.next_event, self.next_id]
        {
            out.number(number);
        }
        out.timer(self.time_out);
        out.number(self.branches.slots.len() as u64);
        for slot in &self.branches.slots {
            out.number(u64::from(slot.is_some()));
            if let Some(branch) = slot {
                out.branch(branch);
            }
        }
        out.bytes
    }

    /// The execution that these bytes are. The program has to be the one it was encoded with.
    pub fn decode(program: &Program, bytes: &[u8]) -> Result<Execution, MalformedExecution> {
        let mut input = Reader { rest: bytes, payloads: Vec::new(), program };
        if input.byte()? != VERSION {
            return Err(MalformedExecution { wanted: "a version that is known" });
        }
        let identity = Identity {
            execution_arn: input.text()?,
            name: input.text()?,
            role_arn: input.text()?,
            machine_arn: input.text()?,
            machine_name: input.text()?,
            region: input.text()?,
            version_arn: input.optional_text()?,
            alias_arn: input.optional_text()?,
            express: input.number()? == 1,
        };
        let scope = ScopeId(input.index("a scope of the program", program.scopes.len())?);
        let status = status(input.number()?)?;
        let execution = Execution {
            identity,
            scope,
            status,
            input: input.payload()?,
            started_ms: input.number()?,
            redrives: input.number()?,
            redriven_ms: input.number()?,
            next_event: input.number()?,
            next_id: input.number()?,
            time_out: input.timer()?,
            branches: input.branches()?,
            first: None,
        };
        if !input.rest.is_empty() {
            return Err(MalformedExecution { wanted: "their end" });
        }
        Ok(execution)
    }
}

fn status(number: u64) -> Result<Status, MalformedExecution> {
    Ok(match number {
        0 => Status::New,
        1 => Status::Running,
        2 => Status::Succeeded,
        3 => Status::Failed,
        4 => Status::TimedOut,
        5 => Status::Aborted,
        _ => return Err(MalformedExecution { wanted: "a status" }),
    })
}

struct Writer {
    bytes: Vec<u8>,
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
    /// A number in seven bits a byte, low bits first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn optional_text(&mut self, text: Option<&Arc<str>>) {
        self.number(u64::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn payload(&mut self, payload: &Payload) {
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

    fn value(&mut self, value: &Value) {
        self.payload(&Payload::from(value.clone()));
    }

    fn timer(&mut self, timer: Option<TimerId>) {
        self.number(timer.map_or(0, |timer| timer.0));
    }

    fn branch(&mut self, branch: &Branch) {
        self.number(branch.parent.map_or(0, |parent| u64::from(parent) + 1));
        self.number(branch.index);
        self.number(u64::from(branch.state.0));
        self.payload(&branch.input);
        for number in [branch.previous, branch.entered, branch.entered_previous, branch.entered_ms]
        {
            self.number(number);
        }
        self.number(u64::from(branch.retry_count));
        self.number(branch.retries.len() as u64);
        for made in &branch.retries {
            self.number(u64::from(*made));
        }
        self.number(branch.variables.len() as u64);
        for (name, value) in &branch.variables {
            self.text(name);
            self.value(value);
        }
        self.phase(&branch.phase);
    }

    fn phase(&mut self, phase: &Phase) {
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
            Phase::MapRun { task } => {
                self.number(7);
                self.number(task.0);
            }
            Phase::Failed => self.number(8),
        }
    }

    fn children(&mut self, children: &Children) {
        self.value(&children.items);
        self.number(children.next);
        self.number(children.done);
        self.number(children.running.len() as u64);
        for running in &children.running {
            self.number(u64::from(*running));
        }
        self.number(children.results.len() as u64);
        for result in &children.results {
            self.number(u64::from(result.is_some()));
            if let Some(result) = result {
                self.value(result);
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    payloads: Vec<Payload>,
    program: &'a Program,
}

type Read<T> = Result<T, MalformedExecution>;

impl Reader<'_> {
    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(lacks("a byte"))?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(lacks("the end of a number"))
    }

    fn flag(&mut self) -> Read<bool> {
        Ok(self.number()? == 1)
    }

    /// A number below `bound`.
    fn index(&mut self, wanted: &'static str, bound: usize) -> Read<u32> {
        let number = self.number()?;
        let fits = number < bound as u64;
        u32::try_from(number).ok().filter(|_| fits).ok_or(lacks(wanted))
    }

    /// A number of things that follow, each of a byte at least.
    fn count(&mut self) -> Read<usize> {
        let count = self.number()?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.rest.len())
            .ok_or(lacks("as many parts as they say"))
    }

    fn text(&mut self) -> Read<Arc<str>> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(text).map(Arc::from).map_err(|_| lacks("text in UTF-8"))
    }

    fn optional_text(&mut self) -> Read<Option<Arc<str>>> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }

    fn payload(&mut self) -> Read<Payload> {
        let at = self.number()?;
        if at > 0 {
            let known = usize::try_from(at - 1).ok().and_then(|at| self.payloads.get(at));
            return known.cloned().ok_or(lacks("a payload that they name"));
        }
        let payload = Payload::trusted(&self.text()?);
        self.payloads.push(payload.clone());
        Ok(payload)
    }

    fn value(&mut self) -> Read<Value> {
        let payload = self.payload()?;
        parse(payload.text()).map_err(|_| lacks("a value that is JSON"))
    }

    fn timer(&mut self) -> Read<Option<TimerId>> {
        let timer = self.number()?;
        Ok((timer > 0).then_some(TimerId(timer)))
    }

    fn branches(&mut self) -> Read<Branches> {
        let count = self.count()?;
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(if self.flag()? { Some(Box::new(self.branch()?)) } else { None });
        }
        Ok(Branches { slots })
    }

    fn branch(&mut self) -> Read<Branch> {
        let parent = self.number()?;
        let parent = parent.checked_sub(1).and_then(|parent| u32::try_from(parent).ok());
        let index = self.number()?;
        let state = StateId(self.index("a state of the program", self.program.states.len())?);
        let input = self.payload()?;
        let (previous, entered) = (self.number()?, self.number()?);
        let (entered_previous, entered_ms) = (self.number()?, self.number()?);
        let retry_count = self.small()?;
        let count = self.count()?;
        let retries = (0..count).map(|_| self.small()).collect::<Read<_>>()?;
        let count = self.count()?;
        let variables =
            (0..count).map(|_| Ok((self.text()?, self.value()?))).collect::<Read<_>>()?;
        let phase = self.phase()?;
        Ok(Branch {
            parent,
            index,
            state,
            input,
            previous,
            entered,
            entered_previous,
            entered_ms,
            retries,
            retry_count,
            variables,
            phase,
        })
    }

    fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| lacks("a number of 32 bits"))
    }

    fn phase(&mut self) -> Read<Phase> {
        Ok(match self.number()? {
            0 => Phase::Enter,
            1 => Phase::Work,
            2 => Phase::Waiting { timer: TimerId(self.number()?) },
            3 => Phase::Retrying { timer: TimerId(self.number()?) },
            4 => Phase::Paused { timer: TimerId(self.number()?) },
            5 => Phase::Task(TaskPhase {
                task: TaskId(self.number()?),
                started: self.flag()?,
                time_out: self.timer()?,
                heartbeat: self.timer()?,
                heartbeat_seconds: self.number()?,
            }),
            6 => Phase::Children(self.children()?),
            7 => Phase::MapRun { task: TaskId(self.number()?) },
            8 => Phase::Failed,
            _ => return Err(lacks("a phase")),
        })
    }

    fn children(&mut self) -> Read<Children> {
        let items = self.value()?;
        let (next, done) = (self.number()?, self.number()?);
        let count = self.count()?;
        let running = (0..count).map(|_| self.small()).collect::<Read<_>>()?;
        let count = self.count()?;
        let mut results = Vec::with_capacity(count);
        for _ in 0..count {
            results.push(if self.flag()? { Some(self.value()?) } else { None });
        }
        Ok(Children { results, running, items, next, done })
    }
}

fn lacks(wanted: &'static str) -> MalformedExecution {
    MalformedExecution { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_once_and_texts_with_equal_ends_are_two() {
        let of = |middle: char| format!("\"{}{middle}{}\"", "a".repeat(40), "z".repeat(40));
        let mut out = Writer { bytes: Vec::new(), payloads: HashMap::new() };
        let texts = [of('1'), of('2'), of('1'), of('2')];
        let ends = texts.map(|text| {
            out.payload(&Payload::trusted(&text));
            out.bytes.len()
        });
        assert_eq!(&out.bytes[ends[1]..], [1, 2]);
        assert!(ends[1] - ends[0] > 80);
    }
}
