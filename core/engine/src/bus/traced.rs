//! What a bus notes in the trace, while it is on: which rules match an event, why others do not,
//! what archives keep, and what targets refuse.

use std::sync::Arc;

use trunkline_host::{Entered, Note, Subject, What};

use super::Bus;
use super::archive::Archive;
use super::event::Event;
use super::plan::Planned;
use super::rules::Rule;

/// Most rules that are named for one event of one bus: those that match, and those that do not.
const MATCHED_MAX: usize = 100;
const UNMATCHED_MAX: usize = 20;

impl Bus {
    /// An event begins. What is delivered until the result is dropped comes from it.
    pub(super) fn trace_put(&self, event: &Event, is_replayed: bool) -> Entered {
        if self.host.trace.is_on() {
            let subject = Subject::named(&event.id);
            let (resource, at) = (&self.name, self.host.now());
            let detail = format_args!("{}", if is_replayed { "by a replay" } else { "" });
            let note = Note { subject, what: What::Accepted, resource, at, detail };
            self.host.trace.begin(&note, None);
        }
        self.host.trace.enter_named(&event.id)
    }

    /// The rules of this bus that match an event, and why others do not, unless only some rules
    /// were asked.
    #[cold]
    pub(super) fn trace_match(&self, event: &Event, matched: &[Arc<Rule>], asks_all: bool) {
        for rule in matched.iter().take(MATCHED_MAX) {
            let targets: Vec<String> = rule.targets.iter().map(|to| self.target_name(to)).collect();
            let targets = match targets.is_empty() {
                true => "it has no targets".to_owned(),
                false => format!("for {}", targets.join(", ")),
            };
            self.trace(event, What::Matched, &format!("rule {}, {targets}", rule.name));
        }
        if matched.len() > MATCHED_MAX {
            let more = matched.len() - MATCHED_MAX;
            self.trace(event, What::Matched, &format!("{more} more rules"));
        }
        if !asks_all {
            return;
        }
        let (unmatched, more) = self.rules.unmatched(matched, UNMATCHED_MAX);
        for rule in unmatched {
            let why = match rule.is_enabled {
                false => "It is disabled.".to_owned(),
                true => rule.explain(&event.text).map_or_else(
                    |error| error.message().to_owned(),
                    |explained| explained.to_string(),
                ),
            };
            self.trace(event, What::Unmatched, &format!("rule {}: {why}", rule.name));
        }
        if more > 0 {
            self.trace(event, What::Unmatched, &format!("{more} more rules"));
        }
    }

    /// Archives that keep an event.
    pub(super) fn trace_kept(&self, event: &Event, archives: &[Arc<Archive>]) {
        if self.host.trace.is_on() {
            for archive in archives {
                self.trace(event, What::Archived, &format!("archive {}", archive.name()));
            }
        }
    }

    /// A target did not take an event.
    #[cold]
    pub(super) fn trace_refused(&self, event: &Event, planned: &Planned, why: &str) {
        let (rule, to) = (&planned.rule, planned.target());
        let next = match to.definition.dead_letter {
            Some(_) => "; it goes to the dead-letter queue",
            None => "",
        };
        let target = self.target_name(to);
        self.trace(event, What::Failed, &format!("rule {}, {target}: {why}{next}", rule.name));
    }

    fn target_name(&self, target: &super::rules::Target) -> String {
        if target.definition.is_owned {
            return format!("target {}", target.definition.id);
        }
        match self.host.directory.any(target.definition.resource) {
            Some(found) => format!("{} {}", found.name().kind, found.name().name),
            None => format!("target {}, which is gone", target.definition.id),
        }
    }

    fn trace(&self, event: &Event, what: What, detail: &str) {
        let (subject, at) = (Subject::named(&event.id), self.host.now());
        let detail = format_args!("{detail}");
        self.host.trace.note(&Note { subject, what, resource: &self.name, at, detail });
    }
}
