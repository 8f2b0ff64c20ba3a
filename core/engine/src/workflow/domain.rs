//! Verbs of a domain as a whole, and how a verb's changes are appended.

use std::sync::Arc;

use trunkline_host::{Awaited, Logs, TimerKey};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Durability, Error, Millis, Result};
use trunkline_workflow::{Command, Fault, FaultKind};

use super::lists::{TaskList, Wakes};
use super::record::{Record, What, body};
use super::rows::DomainSettings;
use super::table::{Kept, Table};
use super::transaction::{Change, Changes, Transaction};
use super::{Domain, Failure, Outcome, history};

/// How long a timer waits that a full disk refused.
const RETRY: Millis = 1_000;
/// More bytes than a record has beside what is counted.
const HEAD_BYTES: usize = 64;

impl Domain {
    /// What is kept of it.
    pub fn settings(&self) -> Outcome<DomainSettings> {
        self.check_readable()?;
        Ok(lock(&self.table).settings.clone())
    }

    /// Replaces what is kept of it, by what `change` makes of it.
    pub fn configure(
        &self,
        change: impl FnOnce(&mut DomainSettings) -> std::result::Result<(), Fault>,
    ) -> Outcome<Option<Ticket>> {
        self.check_writable()?;
        let mut table = lock(&self.table);
        let mut settings = table.settings.clone();
        change(&mut settings)?;
        self.keep_settings(&mut table, settings)
    }

    fn keep_settings(
        &self,
        table: &mut Table,
        settings: DomainSettings,
    ) -> Outcome<Option<Ticket>> {
        let mut log = self.host.append()?;
        let body = body(&settings);
        let record = self.definition(table.log, &body);
        table.defined_at = log.append_live(&record, table.defined_at);
        table.settings = settings;
        Ok(log.ticket())
    }

    /// Deprecates the domain with all its types: nothing new starts in it.
    pub fn deprecate(&self) -> Outcome<Option<Ticket>> {
        self.check_writable()?;
        let now = self.host.now();
        let mut table = lock(&self.table);
        table.check_registered(&self.name.name)?;
        let mut log = self.host.append_at(now)?;
        let mut settings = table.settings.clone();
        settings.deprecated = Some(now);
        let text = body(&settings);
        let record = self.definition(table.log, &text);
        table.defined_at = log.append_live(&record, table.defined_at);
        table.settings = settings;
        for kept in table.types.values_mut().filter(|kept| kept.row.deprecated.is_none()) {
            kept.row.deprecated = Some(now);
            let body = body(&kept.row);
            let record = Record::Type { id: self.id, number: kept.number, body: &body };
            kept.at = log.append_live(&record, kept.at);
        }
        Ok(log.ticket())
    }

    /// Lets the domain be used again. Its types stay deprecated.
    pub fn undeprecate(&self) -> Outcome<Option<Ticket>> {
        let name = self.name.name.to_string();
        self.configure(|settings| match settings.deprecated.take() {
            Some(_) => Ok(()),
            None => Err(Fault::new(FaultKind::DomainAlreadyExists, name)),
        })
    }

    /// Decides by `decide`, and appends what has changed in one step of the journal.
    pub(super) fn change<T>(
        &self,
        decide: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>,
    ) -> Outcome<(T, Option<Ticket>)> {
        self.check_writable()?;
        let now = self.host.now();
        self.host.sweep_if_due(now);
        let mut wakes = Wakes::new();
        let done = {
            let mut table = lock(&self.table);
            self.change_in(&mut table, now, &mut wakes, decide)?
        };
        self.wake(wakes);
        Ok(done)
    }

    /// The same with the lock of the table held: the lists that got tasks are added to `wakes`.
    pub(super) fn change_in<T>(
        &self,
        table: &mut Table,
        now: Millis,
        wakes: &mut Wakes,
        decide: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>,
    ) -> Outcome<(T, Option<Ticket>)> {
        let mut transaction = Transaction::new(table, self.id, &self.host, now);
        let value = decide(&mut transaction)?;
        let changes = transaction.finish();
        let ticket = self.commit(table, changes, now, wakes)?;
        Ok((value, ticket))
    }

    fn commit(
        &self,
        table: &mut Table,
        changes: Changes,
        now: Millis,
        wakes: &mut Wakes,
    ) -> Result<Option<Ticket>> {
        let logs = self.logs()?;
        let history = logs.get_or_create(table.log);
        let entry = |(number, change): (u32, Change)| {
            let before = table.executions.get(&number).map_or(0, |kept| kept.newest);
            let entry = history::encode(number, before, &change.events);
            let body = body(&change.execution);
            (number, change, before, entry, body)
        };
        let steps: Vec<_> = changes.into_iter().map(entry).collect();
        let bytes = steps.iter().map(|(.., entry, body)| entry.len() + body.len() + 2 * HEAD_BYTES);
        let bytes = bytes.sum();
        self.host.refuse_if_scarce()?;
        let mut log = self.host.append_at(now)?;
        if !log.reserve(2 * steps.len(), bytes) {
            return Err(too_much());
        }
        for (number, change, before, entry, body) in steps {
            let newest = match change.events.is_empty() {
                true => before,
                false => history.append(&mut log, now, &[&entry])? + 1,
            };
            let record = Record::Execution { id: self.id, number, newest, body: &body };
            let old = table.executions.get(&number);
            let armed = old.and_then(|kept| kept.armed);
            let at = log.append_live(&record, old.and_then(|kept| kept.at));
            let execution = change.execution;
            let kept = Kept { execution, newest, at, armed, is_restored: false };
            table.install(number, kept, wakes);
            self.arm(table, number);
        }
        let ticket = log.ticket();
        drop(log);
        logs.on_append(&history);
        self.tick();
        Ok(ticket)
    }

    /// Has the host's timers call when the execution has something to do.
    pub(super) fn arm(&self, table: &mut Table, number: u32) {
        let due = table.due(number, &self.host);
        let Some(kept) = table.executions.get_mut(&number) else { return };
        if let Some(at) = due.filter(|_| due != kept.armed) {
            self.host.arm(TimerKey { owner: self.id, slot: number }, at);
        }
        kept.armed = due;
    }

    /// Wakes workers for tasks that came. To be called with every lock released.
    pub(super) fn wake(&self, wakes: Wakes) {
        for (list, count) in wakes {
            list.waiters().wake(count);
        }
    }

    /// How many executions are open, and how many are closed and still kept.
    pub fn execution_counts(&self) -> [u64; 2] {
        let table = lock(&self.table);
        let open = table.open.len();
        [open as u64, (table.executions.len() - open) as u64]
    }

    pub(super) fn lists(&self) -> Vec<Arc<TaskList>> {
        lock(&self.table).lists.all()
    }

    /// An execution may have something to do: a job of the host.
    pub(super) fn run_due(&self, number: u32, now: Millis) -> Result<()> {
        let done = self.carry_out_due(number, now);
        if done.is_err() {
            // There may be space later: a timer is never lost.
            let key = TimerKey { owner: self.id, slot: number };
            self.host.arm(key, now.saturating_add(RETRY));
        }
        done?;
        // Written in time although no caller waits for it.
        self.host.flush_in_background(self.host.durability.max(Durability::Os))
    }

    fn carry_out_due(&self, number: u32, now: Millis) -> Result<()> {
        let mut wakes = Wakes::new();
        let is_expired = {
            let mut table = lock(&self.table);
            let due = table.due(number, &self.host);
            let Some(kept) = table.executions.get_mut(&number) else { return Ok(()) };
            kept.armed = None;
            let is_open = kept.execution.is_open();
            match due {
                Some(due) if due <= now && is_open => {
                    let due = |transaction: &mut Transaction<'_>| {
                        Ok(transaction.apply(number, Command::Due)?)
                    };
                    // An execution that is closed has nothing due.
                    let changed = self.change_in(&mut table, now, &mut wakes, due);
                    changed.map(drop).or_else(|failure| match failure {
                        super::Failure::Engine(error) => Err(error),
                        Failure::Fault(_) => Ok(()),
                    })?;
                    false
                }
                Some(due) if due <= now => {
                    self.forget(&mut table, number)?;
                    true
                }
                _ => {
                    self.arm(&mut table, number);
                    false
                }
            }
        };
        self.wake(wakes);
        if is_expired { self.expire_histories(now) } else { Ok(()) }
    }

    fn forget(&self, table: &mut Table, number: u32) -> Result<()> {
        let mut log = self.host.append()?;
        log.append(&Record::Gone { id: self.id, what: What::Execution, number });
        let taken = table.take(number).and_then(|kept| kept.at);
        taken.into_iter().for_each(|at| log.release(at));
        Ok(())
    }

    /// Forgets the histories that nothing shows any more. To be called without the table's lock:
    /// it waits for compaction, which takes it.
    fn expire_histories(&self, now: Millis) -> Result<()> {
        let (history, first) = {
            let table = lock(&self.table);
            // Numbers grow with the time of the start.
            (table.log, table.executions.values().next().map(|kept| kept.execution.started))
        };
        let first = first.map(|started| self.host.came(started));
        let logs = self.logs()?;
        let history = logs.get_or_create(history);
        logs.expire(&history, first.unwrap_or(now)).map(drop)
    }

    pub(super) fn logs(&self) -> Result<Arc<Logs>> {
        self.host.component().ok_or_else(closed)
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
            let text = format!("Domain {} was removed. Register it again.", self.name.name);
            return Err(Error::new(Code::ResourceNotFoundException, text));
        }
        Ok(())
    }
}

#[cold]
pub(super) fn closed() -> Error {
    Error::new(Code::EngineClosed, "The engine is closed. Open a new one to use it.")
}

#[cold]
fn too_much() -> Error {
    Error::new(
        Code::OverLimit,
        "One decision changes more executions than fit into one step of the journal. Decide in \
         several decision tasks.",
    )
}
