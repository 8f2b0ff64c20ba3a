//! State machines as a kind of resource: how they are created, relocated, copied and removed.

use std::sync::Arc;

use trunkline_host::{
    CheckpointSink, Component, Encode, Host, Location, Logs, ResourceReport, Ticker,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::advance::closed;
use super::delivery::{MachineDelivery, Slot};
use super::execution::Compiled;
use super::kept::{Execution, Kept};
use super::record::{MACHINE_ITSELF, Record};
use super::table::Table;
use super::token::TaskToken;
use super::{Ended, MACHINE, Machine, Status, TaskEnd, no_such_machine};

/// What all machines of an engine share.
#[derive(Default)]
pub(super) struct Shared {
    pub delivery: Slot,
    /// Whether time passes for executions although no verb is called.
    ticking: AtomicBool,
}

/// All state machines of an engine.
pub struct Machines {
    host: Arc<Host>,
    shared: Arc<Shared>,
    /// Held while a machine is created, so that a name is given once.
    creating: Mutex<()>,
}

impl Machines {
    pub(super) fn new(host: Arc<Host>, shared: Arc<Shared>) -> Self {
        Self { host, shared, creating: Mutex::new(()) }
    }

    /// Connects the machines with what carries their tasks out of the engine.
    pub(crate) fn attach(&self, delivery: Arc<dyn MachineDelivery>) {
        self.shared.delivery.set(delivery);
    }

    /// The state machine of this name, which is created if there is none. It is applied when this
    /// returns, and durable with any later ticket.
    pub fn get_or_create(&self, name: ResourceName) -> Result<Arc<Machine>> {
        let host = &self.host;
        host.check_writable()?;
        let _creating = lock(&self.creating);
        if let Some(found) = host.directory.find::<Machine>(&name) {
            return Ok(found);
        }
        host.refuse_if_full()?;
        let logs = host.component::<Logs>().ok_or_else(closed)?;
        let table = Table::new(logs.create()?.id());
        let machine =
            Arc::new(Machine::new(host.clone(), self.shared.clone(), host.next_id(), name, table));
        let mut log = host.append()?;
        let mut table = lock(&machine.table);
        table.defined_at = log.append_live(&machine.definition(table.log), None);
        drop(table);
        host.directory.add(machine.clone());
        Ok(machine)
    }

    /// Reports something of the task that a token is of. `None`: the execution is gone.
    pub fn report(
        &self,
        token: &str,
        end: &TaskEnd<'_>,
    ) -> Result<Option<(Ended, Option<Ticket>)>> {
        self.report_since(token, None, end)
    }

    /// Reports the end of a task that was taken over at the time `begun`, if that was not reported
    /// yet: both are one step.
    pub fn report_since(
        &self,
        token: &str,
        begun: Option<Millis>,
        end: &TaskEnd<'_>,
    ) -> Result<Option<(Ended, Option<Ticket>)>> {
        self.host.check_writable()?;
        let TaskToken { machine, execution, task } = TaskToken::decode(token, self.host.key)?;
        let Some(machine) = self.host.directory.get::<Machine>(machine) else { return Ok(None) };
        machine.report(execution, task, begun, end).map(Some)
    }

    /// Whether an execution waits for the end of the task that a token is of.
    pub fn awaits(&self, token: &str) -> Result<bool> {
        self.host.check_writable()?;
        let TaskToken { machine, execution, task } = TaskToken::decode(token, self.host.key)?;
        let machine = self.host.directory.get::<Machine>(machine);
        Ok(machine.is_some_and(|machine| machine.awaits(execution, task)))
    }

    /// The machines of an account and region whose name starts with `prefix`, by name.
    pub fn list(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Vec<Arc<Machine>> {
        self.host.directory.list(MACHINE, account, region, prefix)
    }

    /// Has time pass for executions without verbs, if any runs.
    pub(crate) fn start(&self) {
        let runs = |machine: &Arc<Machine>| {
            let executions = machine.all();
            executions.iter().any(|one| lock(&one.kept).row.status.is_running())
        };
        if let Some(machine) = self.all().iter().find(|machine| runs(machine)) {
            machine.tick();
        }
    }

    fn all(&self) -> Vec<Arc<Machine>> {
        self.host.directory.all()
    }
}

impl Machine {
    pub(super) fn new(
        host: Arc<Host>,
        shared: Arc<Shared>,
        id: ResourceId,
        name: ResourceName,
        table: Table,
    ) -> Self {
        let (table, removed) = (Mutex::new(table), AtomicBool::new(false));
        Self { host, id, name, shared, table, removed }
    }

    pub(super) fn tick(&self) {
        if !self.shared.ticking.swap(true, Ordering::AcqRel) {
            Ticker::enter(self.host());
        }
    }

    fn definition(&self, log: ResourceId) -> Record<'_> {
        Record::Defined { id: self.id, name: &self.name, log }
    }

    fn program_record<'a>(&self, program: &'a Compiled) -> Record<'a> {
        let Compiled { number, express, text, document, .. } = program;
        Record::Program { id: self.id, number: *number, express: *express, text, document }
    }

    /// Its executions, by number.
    pub(super) fn all(&self) -> Vec<Arc<Execution>> {
        lock(&self.table).executions.values().cloned().collect()
    }

    fn programs(&self) -> Vec<Arc<Compiled>> {
        lock(&self.table).programs.values().cloned().collect()
    }

    /// Removes it with its executions and their histories; those that run end without a word.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        self.host.check_writable()?;
        if self.removed.swap(true, Ordering::AcqRel) {
            return Err(no_such_machine(&self.name.name));
        }
        let now = self.host.now();
        // One after the other, each behind the step that it is in.
        for execution in self.all() {
            self.forget(&execution, |_| true)?;
        }
        let history = lock(&self.table).log;
        self.logs()?.remove(history)?;
        let mut log = self.host.append_at(now)?;
        log.append(&Record::Gone { id: self.id, number: MACHINE_ITSELF });
        let mut table = lock(&self.table);
        let programs = std::mem::take(&mut table.programs);
        let of_programs = programs.values().filter_map(|program| lock(&program.at).take());
        for location in of_programs.chain(table.defined_at.take()) {
            log.release(location);
        }
        self.host.directory.remove(self, now);
        let ticket = log.ticket();
        drop(table);
        drop(log);
        Ok(ticket)
    }

    /// Forgets one execution, if it stands as `wanted` says.
    pub(super) fn forget(
        &self,
        execution: &Execution,
        wanted: impl Fn(&Kept) -> bool,
    ) -> Result<()> {
        let name = {
            let mut kept = lock(&execution.kept);
            if kept.is_gone || !wanted(&kept) {
                return Ok(());
            }
            let mut log = self.host.append()?;
            log.append(&Record::Gone { id: self.id, number: execution.number });
            kept.release(&mut log);
            kept.row.timers.clear();
            kept.row.tasks.clear();
            if kept.row.status.is_running() {
                kept.row.status = Status::Aborted;
            }
            kept.is_gone = true;
            kept.row.name.clone()
        };
        let mut table = lock(&self.table);
        table.executions.remove(&execution.number);
        table.names.remove(&name);
        drop(table);
        execution.waiters.wake_all();
        Ok(())
    }

    /// Appends again what lies in `segment`.
    fn relocate(&self, segment: u32) -> Result<()> {
        let lies = |at: &Option<Location>| at.is_some_and(|at| at.segment() == segment);
        {
            let mut table = lock(&self.table);
            if lies(&table.defined_at) {
                let mut log = self.host.append()?;
                let record = self.definition(table.log);
                table.defined_at = log.append_live(&record, table.defined_at);
            }
        }
        for program in self.programs() {
            let mut at = lock(&program.at);
            if lies(&at) {
                let mut log = self.host.append()?;
                *at = log.append_live(&self.program_record(&program), *at);
            }
        }
        for execution in self.all() {
            let mut kept = lock(&execution.kept);
            if !kept.lies_in(segment) {
                continue;
            }
            // What no version of its program can read stays where it is.
            let Ok(row) = kept.whole(&execution.program) else { continue };
            let mut log = self.host.append()?;
            kept.append_whole(&mut log, (self.id, execution.number), row, None);
        }
        Ok(())
    }
}

/// The counters of a report: how many executions stand how.
pub(super) fn counters(
    programs: usize,
    statuses: impl Iterator<Item = Status>,
) -> Vec<(&'static str, u64)> {
    let (mut running, mut closed) = (0, 0);
    for status in statuses {
        if status.is_running() { running += 1 } else { closed += 1 }
    }
    vec![("programs", programs as u64), ("running", running), ("closed", closed)]
}

impl Component for Machines {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|machine| machine.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut write = |record: &dyn Encode| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        for machine in self.all() {
            let history = lock(&machine.table).log;
            write(&machine.definition(history))?;
            for program in machine.programs() {
                write(&machine.program_record(&program))?;
            }
            for execution in machine.all() {
                let kept = lock(&execution.kept);
                let records = kept.records(machine.id, execution.number, &execution.program);
                drop(kept);
                records.each(|_, record| write(record))?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for machine in self.all() {
            let (history, defined_at) = {
                let table = lock(&machine.table);
                (table.log, table.defined_at)
            };
            // Without one it is being created or removed, by a record behind the checkpoint.
            let Some(defined_at) = defined_at else { continue };
            sink.record(defined_at, &machine.definition(history))?;
            for program in machine.programs() {
                let at = *lock(&program.at);
                at.map_or(Ok(()), |at| sink.record(at, &machine.program_record(&program)))?;
            }
            for execution in machine.all() {
                let kept = lock(&execution.kept);
                let records = kept.records(machine.id, execution.number, &execution.program);
                drop(kept);
                records.each(|at, record| at.map_or(Ok(()), |at| sink.record(at, record)))?;
            }
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |machine: &Arc<Machine>| {
            let executions = machine.all();
            let statuses = executions.iter().map(|one| lock(&one.kept).row.status);
            let counters = counters(machine.programs().len(), statuses);
            ResourceReport { name: machine.name.clone(), counters }
        };
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|machine| machine.remove().map(drop))
    }

    fn close(&self) {
        if self.shared.ticking.swap(false, Ordering::AcqRel) {
            Ticker::leave(&self.host);
        }
    }
}
