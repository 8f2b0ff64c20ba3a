//! What is to be done for an event: the rules that match it on every bus that it comes to, their
//! targets, and the archives that keep it.
//!
//! An event does not change on its way through buses, so one that comes back to a bus would go
//! around for ever: it is refused as a whole, before anything is delivered. So is one that comes to
//! buses by so many ways that it would not end in time.

use std::sync::Arc;

use trunkline_host::{HOPS_MAX, WAYS_MAX, too_many_hops, too_many_ways};
use trunkline_types::{Code, Error, ResourceId, Result};

use super::Bus;
use super::archive::Archive;
use super::event::Event;
use super::rules::{Rule, Target};

/// What is to be done for an event.
#[derive(Default)]
pub(super) struct Plan {
    /// The rules that match, on every bus that the event comes to.
    pub rules: Vec<Arc<Rule>>,
    pub deliveries: Vec<Planned>,
    /// The archives that keep it.
    pub archives: Vec<Arc<Archive>>,
    /// The rules of the first bus that may match; `None` for all.
    pub only: Option<Vec<ResourceId>>,
    /// It comes from an archive.
    pub is_replayed: bool,
    /// How often the event has come to a bus.
    pub ways: u32,
}

/// One delivery of the plan.
pub(super) struct Planned {
    pub bus: Arc<Bus>,
    pub rule: Arc<Rule>,
    /// Which target of the rule.
    target: usize,
}

impl Planned {
    pub fn target(&self) -> &Target {
        &self.rule.targets[self.target]
    }
}

impl Bus {
    /// Adds the deliveries of this bus, and of the buses behind it. `path` has the buses that the
    /// event came through.
    pub(super) fn plan(
        self: &Arc<Self>,
        event: &Event,
        hops: u32,
        path: &mut Vec<ResourceId>,
        plan: &mut Plan,
    ) -> Result<()> {
        if hops >= HOPS_MAX {
            return Err(too_many_hops());
        }
        if path.contains(&self.id) {
            return Err(self.comes_back());
        }
        plan.ways += 1;
        if plan.ways > WAYS_MAX {
            return Err(too_many_ways());
        }
        path.push(self.id);
        if !plan.is_replayed {
            for archive in self.archives().iter() {
                if archive.takes(event)? {
                    plan.archives.push(archive.clone());
                }
            }
        }
        let mut rules = Vec::new();
        self.rules.matches(&event.text, &mut rules)?;
        if let (Some(only), 1) = (&plan.only, path.len()) {
            rules.retain(|rule| only.contains(&rule.id));
        }
        if self.host.trace.is_on() {
            self.trace_match(event, &rules, plan.only.is_none());
        }
        for rule in rules {
            for (index, target) in rule.targets.iter().enumerate() {
                let other = self.host.directory.get::<Bus>(target.definition.resource);
                match other {
                    Some(other) if self.forwards(&other, path) => {
                        other.plan(event, hops + 1, path, plan)?;
                    }
                    Some(_) => {}
                    None => plan.deliveries.push(Planned {
                        bus: self.clone(),
                        rule: rule.clone(),
                        target: index,
                    }),
                }
            }
            plan.rules.push(rule);
        }
        path.pop();
        Ok(())
    }

    /// Whether an event that came along `path` goes on to `other`. As on AWS, one that came from
    /// another account goes to no third account.
    fn forwards(&self, other: &Bus, path: &[ResourceId]) -> bool {
        let (here, there) = (&self.name.account, &other.name.account);
        let first = path.first().and_then(|id| self.host.directory.get::<Bus>(*id));
        here == there || first.is_none_or(|first| first.name.account == *here)
    }

    #[cold]
    fn comes_back(&self) -> Error {
        Error::new(
            Code::UnsupportedOperation,
            format!(
                "The event comes back to the event bus {}: its rules form a loop. Nothing was \
                 delivered. Remove one of the rules that lead back, or give it a pattern that does \
                 not match.",
                self.name.name
            ),
        )
    }
}
