//! How the rules of a bus change.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::sync::{MutexGuard, lock};
use trunkline_types::{Code, Error, Result};

use super::event::invalid;
use super::record::{Record, RuleRecord, Subject};
use super::rules::{Rule, compile};
use super::target::TargetDefinition;
use super::{Bus, RULE_NAME_MAX, TARGETS_MAX, check_name};

impl Bus {
    /// Excludes other changes of rules, from the reading of the old rule to the writing of the new
    /// one. Taken before every other lock.
    pub(crate) fn begin_change(&self) -> MutexGuard<'_, ()> {
        lock(&self.changes)
    }

    /// Creates a rule, or replaces the one of this name with everything it has. Applied when this
    /// returns, and durable with the ticket.
    pub(crate) fn put_rule(
        &self,
        name: &str,
        pattern: &str,
        is_enabled: bool,
        targets: Vec<TargetDefinition>,
        document: &[u8],
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        check_name("rule", name, RULE_NAME_MAX)?;
        if targets.len() > TARGETS_MAX {
            return Err(too_many_targets(targets.len()));
        }
        let compiled = compile(pattern)?;
        let mut names = self.rules.change();
        // A bus that is being removed empties its rules under the same lock.
        self.check_writable()?;
        let old = names.get(name).and_then(|id| self.rules.get(*id));
        let id = old.as_ref().map_or_else(|| self.host.next_id(), |old| old.id);
        let counters = old.as_ref().map(|old| old.counters.clone()).unwrap_or_default();
        let record = RuleRecord { id, bus: self.id, name, pattern, is_enabled, targets, document };
        let rule = Arc::new(Rule::new(&record, compiled, counters)?);
        let mut log = self.host.append()?;
        let replaced = old.as_ref().and_then(|old| *lock(&old.location));
        *lock(&rule.location) = log.append_live(&Record::Rule(record), replaced);
        let ticket = log.ticket();
        drop(log);
        if let Some(old) = &old {
            self.rules.forget_targets(old);
        }
        self.rules.put(&mut names, vec![rule]);
        Ok(ticket)
    }

    /// Has a rule matched, or not matched any more.
    pub fn enable_rule(&self, name: &str, is_enabled: bool) -> Result<Option<Ticket>> {
        let _change = self.begin_change();
        let rule = self.rule(name)?;
        self.put_rule(name, &rule.pattern, is_enabled, rule.targets, &rule.document)
    }

    /// Removes a rule; returns its targets. A rule that is gone is a success.
    pub(crate) fn remove_rule(
        &self,
        name: &str,
    ) -> Result<(Vec<TargetDefinition>, Option<Ticket>)> {
        self.check_writable()?;
        let mut names = self.rules.change();
        let old = names.get(name).and_then(|id| self.rules.get(*id));
        let mut log = self.host.append()?;
        let Some(rule) = old else { return Ok((Vec::new(), log.ticket())) };
        log.append(&Record::Gone(Subject::Rule, rule.id));
        lock(&rule.location).take().into_iter().for_each(|location| log.release(location));
        self.rules.remove(&mut names, &rule);
        Ok((rule.record().targets, log.ticket()))
    }
}

/// Checks the ids of targets that are put together: each is well formed, and no two are equal.
pub(crate) fn check_target_ids(ids: &[&str]) -> Result<()> {
    for (index, id) in ids.iter().enumerate() {
        check_name("target", id, RULE_NAME_MAX)?;
        if ids[..index].contains(id) {
            return Err(invalid(format!("Two targets of the rule have the id {id}.")));
        }
    }
    Ok(())
}

#[cold]
fn too_many_targets(count: usize) -> Error {
    let text = format!("The rule has {count} targets; at most {TARGETS_MAX}.");
    Error::new(Code::OverLimit, text)
}
