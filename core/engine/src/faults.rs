//! Faults on purpose. Off unless asked for, at the price of one relaxed load a verb.
//!
//! A rule names a verb, optionally a queue, and what happens there, for a number of times.

use std::time::Duration;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Sending, one or many.
    Send,
    /// Receiving.
    Receive,
    /// Deleting.
    Delete,
    /// Changing a lease.
    Extend,
    /// Waiting for the disk.
    Commit,
}

/// What happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The verb fails with `InjectedFault` before it does anything.
    Fail(String),
    /// The verb starts this much later.
    Delay(Duration),
    /// Receive: the messages are delivered, and stay visible to be delivered again.
    Duplicate,
    /// The process ends as by `kill -9`, before the verb does anything.
    Crash,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The verb it strikes.
    pub verb: Verb,
    /// The name of the queue; `None` strikes every queue.
    pub queue: Option<String>,
    /// What happens.
    pub effect: Effect,
    /// How many matching calls pass first.
    pub after: u64,
    /// How often it strikes; `None` for always.
    pub times: Option<u64>,
}

/// What a door has to do before it carries out a verb.
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

    /// Whether there are rules at all; a door that reads `false` need not ask [`Faults::before`].
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Asked by the doors before `verb` on `queue`: an error, a crash, or what to do first.
    pub fn before(&self, verb: Verb, queue: &str) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        if !self.is_active() {
            return Ok(verdict);
        }
        for rule in lock(&self.rules).iter_mut() {
            if !rule.strikes(verb, queue) {
                continue;
            }
            match &rule.effect {
                Effect::Fail(message) => {
                    return Err(Error::new(Code::InjectedFault, message.clone()));
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
    fn strikes(&mut self, verb: Verb, queue: &str) -> bool {
        let named = self.queue.as_deref().is_none_or(|name| name == queue);
        if self.verb != verb || !named || self.times == Some(0) {
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

    #[test]
    fn a_rule_strikes_its_verb_and_queue_after_and_for_as_often_as_it_says() {
        let faults = Faults::default();
        assert_eq!(faults.before(Verb::Send, "q"), Ok(Verdict::default()));
        let effect = Effect::Fail("no".into());
        let queue = Some("q".to_owned());
        faults.add(Rule { verb: Verb::Send, queue, effect, after: 1, times: Some(1) });
        assert!(faults.before(Verb::Send, "q").is_ok());
        assert!(faults.before(Verb::Send, "other").is_ok());
        assert!(faults.before(Verb::Receive, "q").is_ok());
        let error = faults.before(Verb::Send, "q").expect_err("the second call is struck");
        assert_eq!((error.code(), error.message()), (Code::InjectedFault, "no"));
        assert!(faults.before(Verb::Send, "q").is_ok());
        assert!(faults.rules().is_empty());
    }
}
