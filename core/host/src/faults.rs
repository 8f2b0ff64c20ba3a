//! Faults on purpose. Off unless asked for, at the price of one relaxed load a verb.
//!
//! A rule names an operation, the resources, and what happens there, for a number of times.

use std::time::Duration;

use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, ResourceKind, ResourceName, Result};

use crate::operation::Operation;

/// Which resources a rule strikes: each part that is given must be the resource's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePattern {
    /// The kind.
    pub kind: Option<ResourceKind>,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The name.
    pub name: Option<String>,
}

impl ResourcePattern {
    /// The pattern of exactly one resource.
    pub fn of(name: ResourceName) -> Self {
        let ResourceName { kind, account, region, name } = name;
        Self { kind: Some(kind), account: Some(account), region: Some(region), name: Some(name) }
    }

    /// Whether the resource of this name is meant.
    pub fn matches(&self, name: &ResourceName) -> bool {
        let is = |own: &Option<String>, other: &str| own.as_deref().is_none_or(|own| own == other);
        self.kind.is_none_or(|kind| kind == name.kind)
            && is(&self.account, &name.account)
            && is(&self.region, &name.region)
            && is(&self.name, &name.name)
    }
}

/// What happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The operation fails with `InjectedFault` before it does anything.
    Fail(String),
    /// The operation starts this much later.
    Delay(Duration),
    /// Receive: the messages are delivered, and stay visible to be delivered again.
    Duplicate,
    /// The process ends as by `kill -9`, before the operation does anything.
    Crash,
}

impl Effect {
    /// The effect of this name: an error says `reason`, a delay lasts `delay`.
    pub fn named(name: &str, reason: &str, delay: Duration) -> Option<Self> {
        Some(match name {
            "error" => Self::Fail(reason.to_owned()),
            "delay" => Self::Delay(delay),
            "duplicate" => Self::Duplicate,
            "crash" => Self::Crash,
            _ => return None,
        })
    }

    /// The name, which every surface uses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fail(_) => "error",
            Self::Delay(_) => "delay",
            Self::Duplicate => "duplicate",
            Self::Crash => "crash",
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The operation it strikes.
    pub operation: Operation,
    /// The resources it strikes.
    pub resource: ResourcePattern,
    /// What happens.
    pub effect: Effect,
    /// How many matching calls pass first.
    pub after: u64,
    /// How often it strikes; `None` for always.
    pub times: Option<u64>,
}

/// What has to be done before an operation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Wait this long, without holding anything, before the verb starts.
    pub delay: Duration,
    /// Leave received messages visible.
    pub duplicate: bool,
}

/// The rules of one engine.
#[derive(Default)]
pub struct Faults {
    active: AtomicBool,
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    /// Adds a rule.
    pub fn add(&self, rule: Rule) {
        lock(&self.rules).push(rule);
        self.active.store(true, Ordering::Release);
    }

    /// Removes every rule.
    pub fn clear(&self) {
        self.active.store(false, Ordering::Release);
        lock(&self.rules).clear();
    }

    /// The rules that can still strike.
    pub fn rules(&self) -> Vec<Rule> {
        lock(&self.rules).iter().filter(|rule| rule.times != Some(0)).cloned().collect()
    }

    /// Whether there are rules at all; a caller that reads `false` need not call
    /// [`Faults::check`].
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Applies the rules to one call of `operation` on a resource: an error, a crash, or what to
    /// do first. Rules count calls, so admission and the wait for durability ask once a call.
    pub fn check(&self, operation: Operation, resource: &ResourceName) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        if !self.is_active() {
            return Ok(verdict);
        }
        for rule in lock(&self.rules).iter_mut() {
            if !rule.strikes(operation, resource) {
                continue;
            }
            match &rule.effect {
                Effect::Fail(reason) => {
                    return Err(Error::new(Code::InjectedFault, reason.clone()));
                }
                Effect::Delay(delay) => verdict.delay += *delay,
                Effect::Duplicate => verdict.duplicate = true,
                Effect::Crash => crash(),
            }
        }
        Ok(verdict)
    }
}

impl Rule {
    fn strikes(&mut self, operation: Operation, resource: &ResourceName) -> bool {
        let meant = self.operation == operation && self.resource.matches(resource);
        if !meant || self.times == Some(0) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// Ends the process at once: no destructors, no flush, as if it had been killed.
fn crash() -> ! {
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: Operation = Operation::adds("send");
    const QUEUE: ResourceKind = ResourceKind("queue");

    fn fail(resource: ResourcePattern) -> Rule {
        let effect = Effect::Fail("no".into());
        Rule { operation: SEND, resource, effect, after: 1, times: Some(1) }
    }

    #[test]
    fn a_rule_strikes_its_operation_and_resource_after_and_for_as_often_as_it_says() {
        let faults = Faults::default();
        let (q, other) = (ResourceName::local(QUEUE, "q"), ResourceName::local(QUEUE, "other"));
        assert_eq!(faults.check(SEND, &q), Ok(Verdict::default()));
        faults.add(fail(ResourcePattern::of(q.clone())));
        assert!(faults.check(SEND, &q).is_ok());
        assert!(faults.check(SEND, &other).is_ok());
        assert!(faults.check(Operation::COMMIT, &q).is_ok());
        let error = faults.check(SEND, &q).expect_err("the second call is struck");
        assert_eq!((error.code(), error.message()), (Code::InjectedFault, "no"));
        assert!(faults.check(SEND, &q).is_ok());
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn a_rule_stays_in_its_region_and_account_unless_it_names_none() {
        let here = ResourceName::local(QUEUE, "q");
        let there = ResourceName { region: "eu-west-1".into(), ..here.clone() };
        let theirs = ResourceName { account: "111111111111".into(), ..here.clone() };
        let of_here = ResourcePattern::of(here.clone());
        assert!(of_here.matches(&here) && !of_here.matches(&there) && !of_here.matches(&theirs));
        let everywhere = ResourcePattern { name: Some("q".into()), ..ResourcePattern::default() };
        assert!([here, there, theirs].iter().all(|name| everywhere.matches(name)));
    }
}
