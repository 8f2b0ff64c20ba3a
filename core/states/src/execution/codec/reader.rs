//! Reads the parts of executions.

use std::sync::Arc;

use super::{Read, lacks};
use crate::execution::branch::{Branch, Branches, Children, MapRunPhase, Phase, TaskPhase};
use crate::payload::Payload;
use crate::program::{Program, StateId};
use crate::stimulus::{TaskId, TimerId};
use crate::value::{Value, parse};

pub(in crate::execution) struct Reader<'a> {
    rest: &'a [u8],
    payloads: Vec<Payload>,
    program: &'a Program,
}

impl<'a> Reader<'a> {
    pub fn new(program: &'a Program, bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, payloads: Vec::new(), program }
    }
}

impl Reader<'_> {
    /// Fails unless all bytes were read.
    pub fn end(&self) -> Read<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(lacks("their end")) }
    }

    pub fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(lacks("a byte"))?;
        self.rest = rest;
        Ok(*first)
    }

    pub fn number(&mut self) -> Read<u64> {
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

    pub fn flag(&mut self) -> Read<bool> {
        Ok(self.number()? == 1)
    }

    /// A number below `bound`.
    pub fn index(&mut self, wanted: &'static str, bound: usize) -> Read<u32> {
        let number = self.number()?;
        let fits = number < bound as u64;
        u32::try_from(number).ok().filter(|_| fits).ok_or(lacks(wanted))
    }

    /// A number of things that follow, each of a byte at least.
    pub fn count(&mut self) -> Read<usize> {
        let count = self.number()?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.rest.len())
            .ok_or(lacks("as many parts as they say"))
    }

    pub fn text(&mut self) -> Read<Arc<str>> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(text).map(Arc::from).map_err(|_| lacks("text in UTF-8"))
    }

    pub fn optional_text(&mut self) -> Read<Option<Arc<str>>> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }

    pub fn payload(&mut self) -> Read<Payload> {
        let at = self.number()?;
        if at > 0 {
            let known = usize::try_from(at - 1).ok().and_then(|at| self.payloads.get(at));
            return known.cloned().ok_or(lacks("a payload that they name"));
        }
        let payload = Payload::trusted(&self.text()?);
        self.payloads.push(payload.clone());
        Ok(payload)
    }

    pub fn value(&mut self) -> Read<Value> {
        let payload = self.payload()?;
        parse(payload.text()).map_err(|_| lacks("a value that is JSON"))
    }

    pub fn timer(&mut self) -> Read<Option<TimerId>> {
        let timer = self.number()?;
        Ok((timer > 0).then_some(TimerId(timer)))
    }

    pub fn branches(&mut self) -> Read<Branches> {
        let count = self.count()?;
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(if self.flag()? { Some(Box::new(self.branch()?)) } else { None });
        }
        Ok(Branches { slots })
    }

    pub fn branch(&mut self) -> Read<Branch> {
        let parent = self.number()?;
        let parent = parent.checked_sub(1).and_then(|parent| u32::try_from(parent).ok());
        let index = self.number()?;
        let state = StateId(self.state()?);
        let input = self.payload()?;
        let (previous, entered) = (self.number()?, self.number()?);
        let (entered_previous, entered_ms) = (self.number()?, self.number()?);
        let (retry_count, retries) = self.retries()?;
        let variables = self.variables()?;
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

    /// The number of a state.
    pub fn state(&mut self) -> Read<u32> {
        self.index("a state of the program", self.program.states.len())
    }

    pub fn retries(&mut self) -> Read<(u32, Vec<u32>)> {
        let retry_count = self.small()?;
        let count = self.count()?;
        Ok((retry_count, (0..count).map(|_| self.small()).collect::<Read<_>>()?))
    }

    pub fn variables(&mut self) -> Read<Vec<(Arc<str>, Value)>> {
        let count = self.count()?;
        (0..count).map(|_| Ok((self.text()?, self.value()?))).collect()
    }

    pub fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| lacks("a number of 32 bits"))
    }

    pub fn phase(&mut self) -> Read<Phase> {
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
            // Of a version that did not redrive map runs: its redrive starts one anew.
            7 => {
                let run = MapRunPhase { arn: Arc::from(""), redrives: 0 };
                Phase::MapRun { task: TaskId(self.number()?), run }
            }
            8 => Phase::Failed,
            9 => Phase::MapRun { task: TaskId(self.number()?), run: self.map_run()? },
            10 => Phase::MapRunEnded(self.map_run()?),
            _ => return Err(lacks("a phase")),
        })
    }

    fn map_run(&mut self) -> Read<MapRunPhase> {
        Ok(MapRunPhase { arn: self.text()?, redrives: self.number()? })
    }

    pub fn children(&mut self) -> Read<Children> {
        let items = self.value()?;
        let (next, done, running) = self.progress()?;
        let count = self.count()?;
        let mut results = Vec::with_capacity(count);
        for _ in 0..count {
            results.push(self.result()?);
        }
        Ok(Children { results, running, items, next, done })
    }

    pub fn progress(&mut self) -> Read<(u64, u64, Vec<u32>)> {
        let (next, done) = (self.number()?, self.number()?);
        let count = self.count()?;
        Ok((next, done, (0..count).map(|_| self.small()).collect::<Read<_>>()?))
    }

    pub fn result(&mut self) -> Read<Option<Value>> {
        Ok(if self.flag()? { Some(self.value()?) } else { None })
    }
}
