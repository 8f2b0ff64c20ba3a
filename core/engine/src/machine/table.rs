//! The programs and the executions of one state machine, by number and by name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trunkline_host::Location;
use trunkline_journal::Ticket;
use trunkline_states::{
    Execution as State, Identity, Limits, MachineType, Payload, Program, Stimulus,
    invalid_definition,
};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::execution::{Compiled, ExecutionStatus, Options, Row, Status};
use super::kept::{Execution, Kept};
use super::record::{Record, StoredProgram};
use super::{Machine, history, no_such_execution, no_such_machine};

/// What a state machine has.
pub(super) struct Table {
    pub log: ResourceId,
    pub programs: BTreeMap<u32, Arc<Compiled>>,
    pub executions: BTreeMap<u32, Arc<Execution>>,
    pub names: HashMap<Arc<str>, u32>,
    pub next_program: u32,
    pub next_execution: u32,
    pub defined_at: Option<Location>,
}

impl Table {
    pub fn new(log: ResourceId) -> Self {
        Self {
            log,
            programs: BTreeMap::new(),
            executions: BTreeMap::new(),
            names: HashMap::new(),
            next_program: 1,
            next_execution: 1,
            defined_at: None,
        }
    }
}

/// An execution that is to start.
#[derive(Debug, Clone, Default)]
pub struct StartRequest<'a> {
    /// Its name: unique in its state machine.
    pub name: &'a str,
    /// The program, of [`Machine::add_program`].
    pub program: u32,
    /// The input, a JSON text.
    pub input: &'a str,
    /// What its context object and its history say.
    pub identity: Identity,
    /// Whatever the starter wants to keep with it.
    pub document: &'a [u8],
    /// Whether the destination of the tasks is told of its end.
    pub tells_end: bool,
    /// Whether it is told of the new events of each step.
    pub tells_events: bool,
    /// What waits for its end: told with the notice of it.
    pub parent: Option<&'a str>,
    /// The scope of a Map state that it runs as the child execution of a map run, if it is one.
    pub scope: Option<u32>,
}

/// An execution that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// How it stands.
    pub status: ExecutionStatus,
    /// Whether it was there already, with the same input, and runs.
    pub existed: bool,
    /// What to wait for.
    pub ticket: Option<Ticket>,
}

impl Compiled {
    pub fn new(number: u32, stored: StoredProgram, at: Option<Location>) -> Self {
        let StoredProgram { express, text, document } = stored;
        let kind = if express { MachineType::Express } else { MachineType::Standard };
        let program = Program::compile(&text, kind, &Limits::default()).map_err(|findings| {
            Error::new(Code::ValidationException, invalid_definition(&findings))
        });
        Self { number, text, document, express, program, at: Mutex::new(at) }
    }
}

impl Machine {
    /// The number of the program with this definition and this document, which is added if it is
    /// not there yet.
    pub fn add_program(&self, text: &str, express: bool, document: &[u8]) -> Result<u32> {
        self.check_writable()?;
        let mut table = lock(&self.table);
        let same = table.programs.values().rev().find(|program| {
            &*program.text == text && program.express == express && *program.document == *document
        });
        if let Some(program) = same {
            return Ok(program.number);
        }
        self.host().refuse_if_full()?;
        let number = table.next_program;
        let stored = StoredProgram { express, text: text.into(), document: document.into() };
        let compiled = Compiled::new(number, stored, None);
        if let Err(error) = &compiled.program {
            return Err(error.clone());
        }
        let mut log = self.host().append()?;
        let record = Record::Program { id: self.id(), number, express, text, document };
        *lock(&compiled.at) = log.append_live(&record, None);
        table.programs.insert(number, Arc::new(compiled));
        table.next_program += 1;
        Ok(number)
    }

    /// The number of the newest program of durable executions whose definition and document are as
    /// `is_it` wants them.
    pub fn find_program(&self, is_it: impl Fn(&str, &[u8]) -> bool) -> Option<u32> {
        let table = lock(&self.table);
        let durable = table.programs.values().rev().filter(|program| !program.express);
        let mut found = durable.filter(|program| is_it(&program.text, &program.document));
        found.next().map(|program| program.number)
    }

    /// The definition of a program, and its document.
    pub fn program(&self, number: u32) -> Result<(Arc<str>, Arc<[u8]>)> {
        self.check_readable()?;
        let table = lock(&self.table);
        let program =
            table.programs.get(&number).ok_or_else(|| no_such_machine(&self.name.name))?;
        Ok((program.text.clone(), program.document.clone()))
    }

    /// Starts an execution: it runs until it waits. One of the same name that runs with the same
    /// input is the same one; any other of this name is an error.
    pub fn start(&self, request: &StartRequest<'_>) -> Result<Started> {
        self.check_writable()?;
        let host = self.host();
        host.refuse_if_full()?;
        let now = host.now();
        host.sweep_if_due(now);
        let input = Payload::parse(request.input)
            .map_err(|problem| Error::new(Code::ValidationException, problem.to_string()))?;
        let execution = {
            let mut table = lock(&self.table);
            if let Some(number) = table.names.get(request.name) {
                let found = table.executions.get(number).cloned();
                drop(table);
                return self.started_before(request, found);
            }
            let program = table.programs.get(&request.program).cloned();
            let program = program.ok_or_else(|| no_such_machine(&self.name.name))?;
            let number = table.next_execution;
            let row = self.first_row(request, &program, now)?;
            let kept = Kept::new(row, None);
            let execution = Arc::new(Execution::new(number, program, kept));
            table.next_execution += 1;
            table.names.insert(request.name.into(), number);
            table.executions.insert(number, execution.clone());
            execution
        };
        let advanced = {
            let mut kept = lock(&execution.kept);
            let advanced =
                self.advance(&execution, &mut kept, vec![(now, Stimulus::Start { input })], now);
            advanced.map(|advanced| (advanced, execution.status_of(&kept.row)))
        };
        match advanced {
            Ok((advanced, status)) => {
                execution.wake(&advanced);
                self.tick();
                Ok(Started { status, existed: false, ticket: advanced.ticket })
            }
            Err(error) => {
                let mut table = lock(&self.table);
                table.names.remove(request.name);
                table.executions.remove(&execution.number);
                Err(error)
            }
        }
    }

    fn first_row(
        &self,
        request: &StartRequest<'_>,
        program: &Compiled,
        now: Millis,
    ) -> Result<Row> {
        let compiled = program.program.as_ref().map_err(Error::clone)?;
        let identity = request.identity.clone();
        let state = match request.scope {
            Some(scope) => {
                let scope = compiled.scope_of(scope).ok_or_else(|| no_such_scope(scope))?;
                State::child(compiled, scope, identity)
            }
            None => State::new(compiled, identity),
        };
        Ok(Row {
            name: request.name.into(),
            status: Status::Running,
            program: program.number,
            started: now,
            stepped: now,
            stopped: None,
            redrives: 0,
            redriven: None,
            input: self.digest(request.input),
            events: 0,
            newest: 0,
            oldest: 0,
            options: Options {
                tells_end: request.tells_end,
                tells_events: request.tells_events,
                parent: request.parent.map(Arc::from),
                is_child: request.scope.is_some(),
            },
            document: request.document.into(),
            timers: Vec::new(),
            tasks: Vec::new(),
            state: state.encode().into(),
        })
    }

    fn digest(&self, input: &str) -> u128 {
        self.host.key.digest(&[input.as_bytes()])
    }

    fn started_before(
        &self,
        request: &StartRequest<'_>,
        found: Option<Arc<Execution>>,
    ) -> Result<Started> {
        if let Some(execution) = found {
            let kept = lock(&execution.kept);
            if kept.row.status.is_running() && kept.row.input == self.digest(request.input) {
                let status = execution.status_of(&kept.row);
                return Ok(Started { status, existed: true, ticket: self.host.unwritten() });
            }
        }
        let text = format!("Execution {} already exists.", request.name);
        Err(Error::new(Code::ConflictException, text))
    }

    pub(super) fn find_number(&self, number: u32) -> Option<Arc<Execution>> {
        lock(&self.table).executions.get(&number).cloned()
    }

    pub(super) fn find(&self, name: &str) -> Result<Arc<Execution>> {
        self.check_readable()?;
        let table = lock(&self.table);
        let number = table.names.get(name).ok_or_else(|| no_such_execution(name))?;
        table.executions.get(number).cloned().ok_or_else(|| no_such_execution(name))
    }

    /// How the execution of this name stands.
    pub fn status(&self, name: &str) -> Result<ExecutionStatus> {
        self.host.sweep_if_due(self.host.now());
        let execution = self.find(name)?;
        let kept = lock(&execution.kept);
        Ok(execution.status_of(&kept.row))
    }

    /// Up to `limit` executions with a number below `before` (`None`: all) and this status, the
    /// newest first.
    pub fn executions(
        &self,
        status: Option<Status>,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<ExecutionStatus>> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        let below: Vec<_> = {
            let table = lock(&self.table);
            table
                .executions
                .range(..before.unwrap_or(u32::MAX))
                .map(|(_, one)| one.clone())
                .collect()
        };
        let stands = |execution: &Arc<Execution>| {
            let kept = lock(&execution.kept);
            let wanted = status.is_none_or(|status| kept.row.status == status);
            wanted.then(|| execution.status_of(&kept.row))
        };
        Ok(below.iter().rev().filter_map(stands).take(limit).collect())
    }

    /// Forgets an execution that has ended, with its history. Whether there was one.
    pub fn forget_ended(&self, name: &str) -> Result<bool> {
        self.check_writable()?;
        let Ok(execution) = self.find(name) else { return Ok(false) };
        self.forget(&execution, |kept| !kept.row.status.is_running())?;
        Ok(true)
    }

    /// Up to `most` events of a history as JSON texts, the newest first.
    pub fn history(&self, name: &str, most: usize) -> Result<Vec<String>> {
        let execution = self.find(name)?;
        let newest = lock(&execution.kept).row.newest;
        self.read_history(execution.number, newest, most)
    }

    /// The first events of a history, which tell its input, the newest of them first.
    pub fn first_events(&self, name: &str) -> Result<Vec<String>> {
        let execution = self.find(name)?;
        let oldest = lock(&execution.kept).row.oldest;
        self.read_history(execution.number, oldest, usize::MAX)
    }

    fn read_history(&self, number: u32, newest: u64, most: usize) -> Result<Vec<String>> {
        let log = self.logs()?.get_or_create(lock(&self.table).log);
        history::read(&log, number, newest, most)
    }

    pub(super) fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    fn check_present(&self) -> Result<()> {
        if self.removed.load(Ordering::Acquire) {
            return Err(no_such_machine(&self.name.name));
        }
        Ok(())
    }
}

#[cold]
fn no_such_scope(scope: u32) -> Error {
    Error::new(Code::ValidationException, format!("The definition has no scope {scope}."))
}
