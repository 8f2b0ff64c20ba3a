//! What steps changed of an execution, as bytes: an execution with a Map state of many items does
//! not write its items and its results again at each step.

use std::mem;

use super::branch::{Branch, Branches, Children, Phase};
use super::codec::{MalformedExecution, Read, Reader, Writer, lacks, status};
use super::{Execution, Status};
use crate::program::{Program, StateId};
use crate::value::Value;

/// The version of the format, the first byte.
const VERSION: u8 = 1;
/// What stands before each slot of the branches.
const FREE: u64 = 0;
const WHOLE: u64 = 1;
/// The branch was there before, with the same input.
const KEPT: u64 = 2;

impl Execution {
    /// What makes this execution of `before`, which steps led from, as bytes. `None` where that is
    /// no shorter than the execution, because it has only just started.
    pub fn encode_since(&self, before: &Execution) -> Option<Vec<u8>> {
        if before.status == Status::New {
            return None;
        }
        let mut out = Writer::new(VERSION);
        out.number(self.status as u64);
        for number in [self.redrives, self.redriven_ms, self.next_event, self.next_id] {
            out.number(number);
        }
        out.timer(self.time_out);
        out.number(self.branches.slots.len() as u64);
        for (at, slot) in self.branches.slots.iter().enumerate() {
            let old = before.branches.slots.get(at).and_then(Option::as_deref);
            match (slot.as_deref(), old) {
                (None, _) => out.number(FREE),
                (Some(branch), Some(old)) if continues(branch, old) => {
                    out.number(KEPT);
                    kept(&mut out, branch, old);
                }
                (Some(branch), _) => {
                    out.number(WHOLE);
                    out.branch(branch);
                }
            }
        }
        Some(out.bytes)
    }

    /// The execution that a change makes of this one.
    pub fn changed(self, program: &Program, change: &[u8]) -> Result<Self, MalformedExecution> {
        let mut input = Reader::new(program, change);
        if input.byte()? != VERSION {
            return Err(lacks("a version of changes that is known"));
        }
        let changed = Execution {
            status: status(input.number()?)?,
            redrives: input.number()?,
            redriven_ms: input.number()?,
            next_event: input.number()?,
            next_id: input.number()?,
            time_out: input.timer()?,
            branches: branches(&mut input, self.branches)?,
            ..self
        };
        input.end()?;
        Ok(changed)
    }
}

/// Whether a branch is the one that was in its slot before, with the input that it had.
fn continues(branch: &Branch, old: &Branch) -> bool {
    (branch.parent, branch.index) == (old.parent, old.index) && branch.input.is_same(&old.input)
}

fn kept(out: &mut Writer, branch: &Branch, old: &Branch) {
    out.number(u64::from(branch.state.0));
    for number in [branch.previous, branch.entered, branch.entered_previous, branch.entered_ms] {
        out.number(number);
    }
    out.retries(branch);
    let variables = || branch.variables.iter().zip(&old.variables);
    let is_same = branch.variables.len() == old.variables.len()
        && variables().all(|((name, value), (before, old))| name == before && same(value, old));
    out.number(u64::from(is_same));
    if !is_same {
        out.variables(branch);
    }
    match (&branch.phase, &old.phase) {
        (Phase::Children(children), Phase::Children(before)) if goes_on(children, before) => {
            out.number(1);
            ended(out, children, before);
        }
        (phase, _) => {
            out.number(0);
            out.phase(phase);
        }
    }
}

/// Whether these are the branches of the same entry of a state, some more of which have ended.
fn goes_on(children: &Children, before: &Children) -> bool {
    let is_same = |both: (&Value, &Value)| same(both.0, both.1);
    children.results.len() == before.results.len() && is_same((&children.items, &before.items))
}

fn ended(out: &mut Writer, children: &Children, before: &Children) {
    out.progress(children);
    let pairs = || children.results.iter().zip(&before.results).enumerate();
    let changed = || {
        pairs().filter(|(_, (now, old))| match (now, old) {
            (Some(now), Some(old)) => !same(now, old),
            (now, old) => now.is_some() || old.is_some(),
        })
    };
    out.number(changed().count() as u64);
    for (at, (now, _)) in changed() {
        out.number(at as u64);
        out.result(now.as_ref());
    }
}

/// Whether both are one value: in the same memory, or small and equal.
fn same(one: &Value, other: &Value) -> bool {
    match one {
        Value::Null | Value::Bool(_) | Value::Number(_) => one == other,
        _ => one.is_same(other),
    }
}

fn branches(input: &mut Reader<'_>, before: Branches) -> Read<Branches> {
    let mut old = before.slots.into_iter();
    let count = input.count()?;
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        let old = old.next().flatten();
        slots.push(match input.number()? {
            FREE => None,
            WHOLE => Some(Box::new(input.branch()?)),
            KEPT => {
                let mut branch = old.ok_or(lacks("a branch that was there before"))?;
                go_on(input, &mut branch)?;
                Some(branch)
            }
            _ => return Err(lacks("what became of a branch")),
        });
    }
    Ok(Branches { slots })
}

fn go_on(input: &mut Reader<'_>, branch: &mut Branch) -> Read<()> {
    branch.state = StateId(input.state()?);
    branch.previous = input.number()?;
    branch.entered = input.number()?;
    branch.entered_previous = input.number()?;
    branch.entered_ms = input.number()?;
    (branch.retry_count, branch.retries) = input.retries()?;
    if !input.flag()? {
        branch.variables = input.variables()?;
    }
    if !input.flag()? {
        branch.phase = input.phase()?;
        return Ok(());
    }
    let Phase::Children(children) = &mut branch.phase else {
        return Err(lacks("branches that ran before"));
    };
    (children.next, children.done, children.running) = input.progress()?;
    for _ in 0..input.count()? {
        let at = input.index("a result of the state", children.results.len())?;
        let result = input.result()?;
        drop(mem::replace(&mut children.results[at as usize], result));
    }
    Ok(())
}
