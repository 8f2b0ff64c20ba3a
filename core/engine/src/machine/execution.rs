//! One execution: what is kept of it between two stimuli.

use std::sync::Arc;

use trunkline_host::{Location, Put, Take, damaged};
use trunkline_states as states;
use trunkline_states::Program;
use trunkline_types::sync::Mutex;
use trunkline_types::{Millis, Result};

/// How an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It runs, or waits.
    Running,
    /// It ended well.
    Succeeded,
    /// A state failed.
    Failed,
    /// It took longer than its definition allows.
    TimedOut,
    /// It was stopped.
    Aborted,
}

/// In the byte of the status: the record holds a change.
const CHANGED: u8 = 0x80;

/// In the byte of the options: the time of the last step is there.
const HAS_STEPPED: u8 = 8;

const STATUSES: [Status; 5] =
    [Status::Running, Status::Succeeded, Status::Failed, Status::TimedOut, Status::Aborted];

impl Status {
    /// As DescribeExecution names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }

    pub(super) fn of(status: states::Status) -> Self {
        match status {
            states::Status::New | states::Status::Running => Self::Running,
            states::Status::Succeeded => Self::Succeeded,
            states::Status::Failed => Self::Failed,
            states::Status::TimedOut => Self::TimedOut,
            states::Status::Aborted => Self::Aborted,
        }
    }

    pub(super) fn is_running(self) -> bool {
        self == Self::Running
    }
}

/// What is told of an execution; its input and its output are in its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionStatus {
    /// Its number in its state machine.
    pub number: u32,
    /// Its name.
    pub name: Arc<str>,
    /// How it stands.
    pub status: Status,
    /// When it started.
    pub started: Millis,
    /// When it ended.
    pub stopped: Option<Millis>,
    /// How often it was redriven.
    pub redrives: u32,
    /// When it was redriven last.
    pub redriven: Option<Millis>,
    /// The program that it runs.
    pub program: u32,
    /// Events of its history.
    pub events: u64,
    /// What the starter keeps with it.
    pub document: Arc<[u8]>,
}

/// A timer that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timer {
    pub id: u64,
    /// When it fires.
    pub at: Millis,
    /// Whether the definition names this time, and not a time from now.
    pub is_fixed: bool,
}

/// In the time of a timer that is fixed: no time is that large.
const FIXED: u64 = 1 << 59;

impl Timer {
    /// When it fires by a clock that lags behind the one that set it.
    pub fn due(&self, lag: Millis) -> Millis {
        if self.is_fixed { self.at } else { self.at.saturating_sub(lag) }
    }

    fn decode(take: &mut Take<'_>) -> Result<Self> {
        let (id, at) = (take.u64()?, take.u64()?);
        Ok(Self { id, at: at & !FIXED, is_fixed: at & FIXED != 0 })
    }
}

/// What the record of an execution holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub name: Arc<str>,
    pub status: Status,
    pub program: u32,
    pub started: Millis,
    /// When its last step was. 0 where a version wrote it that did not say.
    pub stepped: Millis,
    pub stopped: Option<Millis>,
    pub redrives: u32,
    pub redriven: Option<Millis>,
    /// Stands for the input, for a second start of the same name.
    pub input: u128,
    /// Events of the history.
    pub events: u64,
    /// One more than the number of the log's entry with the newest events; 0 for none.
    pub newest: u64,
    /// The same for the oldest.
    pub oldest: u64,
    pub options: Options,
    pub document: Arc<[u8]>,
    pub timers: Vec<Timer>,
    /// The tasks whose end is awaited.
    pub tasks: Vec<u64>,
    /// The state of the execution, as `trunkline-states` writes it; empty once it cannot go on.
    pub state: Box<[u8]>,
}

/// What the starter wants to be told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// A delivery tells the destination of the tasks that the execution has ended.
    pub tells_end: bool,
    /// A delivery tells it of the new events of each step.
    pub tells_events: bool,
    /// What waits for the end of this one: a task of another execution, or a map run.
    pub parent: Option<Arc<str>>,
    /// It is the child execution of a map run.
    pub is_child: bool,
}

impl Row {
    /// Writes it; in a record of a change, what follows stands in the place of its state.
    pub fn encode(&self, is_change: bool, out: &mut Vec<u8>) {
        let options = &self.options;
        out.put_u8(self.status as u8 | if is_change { CHANGED } else { 0 });
        let flags = [options.tells_end, options.tells_events, options.is_child, true];
        out.put_u8(flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
        for number in [self.program, self.redrives] {
            out.put_u32(number);
        }
        let times = [self.started, self.stopped.unwrap_or(0), self.redriven.unwrap_or(0)];
        let numbers = [self.events, self.newest, self.oldest, self.stepped];
        for number in times.into_iter().chain(numbers) {
            out.put_u64(number);
        }
        out.put_u128(self.input);
        out.put_bytes(self.name.as_bytes());
        out.put_bytes(options.parent.as_deref().unwrap_or_default().as_bytes());
        out.put_bytes(&self.document);
        out.put_u32(self.timers.len() as u32);
        for Timer { id, at, is_fixed } in &self.timers {
            out.put_u64(*id);
            out.put_u64(at | if *is_fixed { FIXED } else { 0 });
        }
        out.put_u32(self.tasks.len() as u32);
        for task in &self.tasks {
            out.put_u64(*task);
        }
        out.extend_from_slice(&self.state);
    }

    /// At least as many bytes as it is written in.
    pub fn bytes_max(&self) -> usize {
        const NUMBERS: usize = 128;
        let parent = self.options.parent.as_deref().unwrap_or_default();
        let texts = self.name.len() + parent.len() + self.document.len() + self.state.len();
        NUMBERS + texts + 16 * self.timers.len() + 8 * self.tasks.len()
    }

    /// Reads it, and whether it is of a record of a change.
    pub fn decode(take: &mut Take<'_>) -> Result<(Self, bool)> {
        let status = take.u8()?;
        let is_change = status & CHANGED != 0;
        let status = *STATUSES
            .get(usize::from(status & !CHANGED))
            .ok_or_else(|| damaged("a status of an execution that does not exist"))?;
        let flags = take.u8()?;
        let (program, redrives) = (take.u32()?, take.u32()?);
        let (started, stopped, redriven) = (take.u64()?, take.u64()?, take.u64()?);
        let (events, newest, oldest) = (take.u64()?, take.u64()?, take.u64()?);
        let stepped = if flags & HAS_STEPPED != 0 { take.u64()? } else { 0 };
        let input = take.u128()?;
        let name = take.text()?.into();
        let parent = Some(take.text()?).filter(|text| !text.is_empty()).map(Arc::from);
        let document = take.bytes()?.into();
        let timers = (0..take.u32()?).map(|_| Timer::decode(take)).collect::<Result<_>>()?;
        let tasks = (0..take.u32()?).map(|_| take.u64()).collect::<Result<_>>()?;
        let (tells_end, tells_events) = (flags & 1 != 0, flags & 2 != 0);
        let options = Options { tells_end, tells_events, parent, is_child: flags & 4 != 0 };
        let some = |time: Millis| Some(time).filter(|time| *time > 0);
        let row = Self {
            name,
            status,
            program,
            started,
            stepped,
            stopped: some(stopped),
            redrives,
            redriven: some(redriven),
            input,
            events,
            newest,
            oldest,
            options,
            document,
            timers,
            tasks,
            state: take.0.into(),
        };
        Ok((row, is_change))
    }
}

/// A program with what is kept of it.
pub(super) struct Compiled {
    pub number: u32,
    pub text: Arc<str>,
    pub document: Arc<[u8]>,
    pub express: bool,
    /// An error where a definition that was taken is none any more, for this version.
    pub program: Result<Program>,
    pub at: Mutex<Option<Location>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_back() {
        let row = Row {
            name: "one".into(),
            status: Status::TimedOut,
            program: 3,
            started: 5,
            stepped: 7,
            stopped: Some(9),
            redrives: 2,
            redriven: None,
            input: u128::MAX,
            events: 8,
            newest: 7,
            oldest: 6,
            options: Options {
                tells_end: true,
                tells_events: false,
                parent: Some("t".into()),
                is_child: true,
            },
            document: b"{}".as_slice().into(),
            timers: vec![
                Timer { id: 1, at: 2, is_fixed: false },
                Timer { id: 3, at: 4, is_fixed: true },
            ],
            tasks: vec![8],
            state: b"state".as_slice().into(),
        };
        for is_change in [false, true] {
            let mut bytes = Vec::new();
            row.encode(is_change, &mut bytes);
            assert!(bytes.len() <= row.bytes_max());
            assert_eq!(Row::decode(&mut Take(&bytes)).unwrap(), (row.clone(), is_change));
            for length in 0..bytes.len() - row.state.len() {
                assert!(Row::decode(&mut Take(&bytes[..length])).is_err());
            }
        }
    }
}
