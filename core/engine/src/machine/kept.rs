//! An execution between two stimuli, and how it is written: of one with much state, a step writes
//! what it changed, not the whole again.
//!
//! The whole of an execution is one record. Records of changes follow it, each of which needs those
//! before it, until together they are as long as the whole; then the whole is written again. So
//! the bytes of all steps of a Map state are linear in its items. All of these records are live.

use std::sync::Arc;

use trunkline_host::{Append, Encode, Location, Waiters};
use trunkline_states as asl;
use trunkline_types::sync::Mutex;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::entries::Entries;
use super::execution::{Compiled, ExecutionStatus, Row};
use super::record::{Change, Record};

/// A state of fewer bytes is written whole at each step.
const LARGE: usize = 4 * 1024;

/// An execution in memory.
pub(super) struct Execution {
    pub number: u32,
    pub program: Arc<Compiled>,
    pub kept: Mutex<Kept>,
    /// Those who wait for its end.
    pub waiters: Waiters,
}

/// What changes of an execution.
pub(super) struct Kept {
    pub row: Row,
    /// Where the record of its whole lies.
    pub at: Option<Location>,
    /// What steps have changed since.
    pub changes: Changes,
    /// When the host's timer calls.
    pub armed: Option<Millis>,
    /// Whether it stands as it was read at the opening.
    pub is_restored: bool,
    /// Where the events of its history are, once it was asked for.
    pub entries: Entries,
    /// Whether it was forgotten: nothing happens to it any more.
    pub is_gone: bool,
}

impl Execution {
    pub fn new(number: u32, program: Arc<Compiled>, kept: Kept) -> Self {
        Self { number, program, kept: Mutex::new(kept), waiters: Waiters::default() }
    }

    pub fn status_of(&self, row: &Row) -> ExecutionStatus {
        ExecutionStatus {
            number: self.number,
            name: row.name.clone(),
            status: row.status,
            started: row.started,
            stopped: row.stopped,
            redrives: row.redrives,
            redriven: row.redriven,
            program: row.program,
            events: row.events,
            document: row.document.clone(),
        }
    }
}

/// What has changed since the whole of an execution was written.
#[derive(Default)]
pub(super) struct Changes {
    /// How many changes were written.
    pub count: u32,
    /// Their bytes.
    bytes: usize,
    /// Where they lie.
    pub at: Vec<Location>,
    /// Those that were read from the journal and are not in `live` yet.
    unread: Vec<Box<[u8]>>,
    /// The bytes of the state when it was written whole.
    whole: usize,
    /// The execution as it stands. Then its row has no state.
    live: Option<Box<asl::Execution>>,
}

/// How a step is to be written.
pub(super) enum Written {
    /// All of the execution.
    Whole,
    /// What it changed.
    Change(Vec<u8>),
}

impl Kept {
    /// An execution of which only its row is known.
    pub fn new(row: Row, at: Option<Location>) -> Self {
        let changes = Changes { whole: row.state.len(), ..Changes::default() };
        let (entries, is_restored) = (Entries::default(), at.is_some());
        Self { row, at, changes, armed: None, is_restored, entries, is_gone: false }
    }

    /// The execution as it stands.
    pub fn execution(&self, program: &Compiled) -> Result<asl::Execution> {
        if let Some(live) = &self.changes.live {
            return Ok((**live).clone());
        }
        let program = program.program.as_ref().map_err(Error::clone)?;
        let mut execution = asl::Execution::decode(program, &self.row.state);
        // Of those that a checkpoint has taken into the whole, nothing is left.
        for change in self.changes.unread.iter().filter(|change| !change.is_empty()) {
            execution = execution.and_then(|execution| execution.changed(program, change));
        }
        execution.map_err(|problem| {
            let name = &self.row.name;
            let text = format!("The state of execution {name} cannot be read: {problem}");
            Error::new(Code::CorruptJournal, text)
        })
    }

    /// The row with the whole state.
    pub fn whole(&self, program: &Compiled) -> Result<Row> {
        let mut row = self.row.clone();
        if self.changes.live.is_some() || !self.changes.unread.is_empty() {
            row.state = self.execution(program)?.encode().into();
        }
        Ok(row)
    }

    /// Whether steps write what they change.
    pub fn is_large(&self) -> bool {
        self.changes.whole >= LARGE
    }

    /// The row without its state, which a step makes anew.
    pub fn head(&self) -> Row {
        Row {
            name: self.row.name.clone(),
            options: self.row.options.clone(),
            document: self.row.document.clone(),
            timers: self.row.timers.clone(),
            tasks: self.row.tasks.clone(),
            state: Box::default(),
            ..self.row
        }
    }

    /// How a step that led from `before` is to be written.
    pub fn form(&self, before: &asl::Execution, after: &asl::Execution) -> Written {
        let changes = &self.changes;
        match after.encode_since(before) {
            Some(change) if changes.bytes + change.len() <= changes.whole => {
                Written::Change(change)
            }
            _ => Written::Whole,
        }
    }

    /// Appends the whole of the execution, in place of all records of it. `row` has the state, and
    /// `execution` is that state where it is at hand.
    pub fn append_whole(
        &mut self,
        append: &mut Append<'_>,
        (machine, number): (ResourceId, u32),
        mut row: Row,
        execution: Option<asl::Execution>,
    ) {
        let record = Record::Execution { id: machine, number, row: &row, change: None };
        let at = append.append_live(&record, self.at);
        self.release_changes(append);
        self.at = at;
        let whole = row.state.len();
        let live = execution.filter(|_| whole >= LARGE && row.status.is_running()).map(Box::new);
        if live.is_some() {
            row.state = Box::default();
        }
        self.changes = Changes { whole, live, ..Changes::default() };
        self.row = row;
    }

    /// Appends what a step changed. `row` has no state.
    pub fn append_change(
        &mut self,
        append: &mut Append<'_>,
        (machine, number): (ResourceId, u32),
        row: Row,
        bytes: &[u8],
        execution: asl::Execution,
    ) {
        let changes = &mut self.changes;
        let change = Some(Change { place: changes.count + 1, bytes });
        let record = Record::Execution { id: machine, number, row: &row, change };
        changes.at.extend(append.append_live(&record, None));
        changes.count += 1;
        changes.bytes += bytes.len();
        changes.unread.clear();
        changes.live = Some(Box::new(execution));
        self.row = row;
    }

    /// Takes in a change that was read from the journal, with the row that it left.
    pub fn read_change(&mut self, row: Row, change: &Change<'_>, at: Location) {
        let changes = &mut self.changes;
        if change.place <= changes.count {
            // The whole, read for a checkpoint, has it already.
            return;
        }
        changes.count = change.place;
        changes.bytes += change.bytes.len();
        changes.at.push(at);
        changes.unread.push(change.bytes.into());
        self.row = Row { state: std::mem::take(&mut self.row.state), ..row };
    }

    /// None of its records lives any longer.
    pub fn release(&mut self, append: &mut Append<'_>) {
        self.at.take().into_iter().for_each(|location| append.release(location));
        self.release_changes(append);
    }

    fn release_changes(&mut self, append: &mut Append<'_>) {
        self.changes.at.drain(..).for_each(|location| append.release(location));
    }

    /// Whether a record of it lies in `segment`.
    pub fn lies_in(&self, segment: u32) -> bool {
        self.locations().any(|at| at.segment() == segment)
    }

    /// Where its records lie.
    pub fn locations(&self) -> impl Iterator<Item = Location> {
        self.at.into_iter().chain(self.changes.at.iter().copied())
    }

    /// The records that lead to how the execution stands, each with its place in the journal.
    pub fn records(&self, machine: ResourceId, number: u32, program: &Compiled) -> Records {
        let changes = &self.changes;
        let (row, bytes): (_, Vec<Box<[u8]>>) = match self.whole(program) {
            // The whole holds what the changes would say.
            Ok(row) => (row, vec![Box::default(); changes.at.len()]),
            // No version of the program can be run: what was written is handed on as it is.
            Err(_) => (self.row.clone(), changes.unread.clone()),
        };
        let changes = (1..).zip(bytes).zip(&changes.at);
        let changes = changes.map(|((place, bytes), at)| (place, bytes, *at)).collect();
        Records { machine, number, at: self.at, row, changes }
    }
}

/// The records of one execution.
pub(super) struct Records {
    machine: ResourceId,
    number: u32,
    at: Option<Location>,
    row: Row,
    changes: Vec<(u32, Box<[u8]>, Location)>,
}

impl Records {
    /// Hands all of them out, in their order.
    pub fn each(
        mut self,
        mut sink: impl FnMut(Option<Location>, &dyn Encode) -> Result<()>,
    ) -> Result<()> {
        let (id, number) = (self.machine, self.number);
        sink(self.at, &Record::Execution { id, number, row: &self.row, change: None })?;
        self.row.state = Box::default();
        for (place, bytes, at) in &self.changes {
            let change = Some(Change { place: *place, bytes });
            sink(Some(*at), &Record::Execution { id, number, row: &self.row, change })?;
        }
        Ok(())
    }
}
