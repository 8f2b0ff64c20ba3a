//! What a topic notes in the trace, while it is on: which subscriptions a message is for, why
//! others do not get it, and which targets refuse it.

use trunkline_host::{Note, Subject, What};
use trunkline_pattern::Event as PatternEvent;
use trunkline_types::{Error, MessageId, ResourceId, Result};

use super::Topic;
use super::publish::Publishing;
use super::table::{Entry, Selected, given};
use crate::attributes;

/// Most subscriptions that are named for one message: those that get it, and those that do not.
const MATCHED_MAX: usize = 100;
const UNMATCHED_MAX: usize = 20;

impl Topic {
    /// A message was accepted, and its subscriptions were selected.
    #[cold]
    pub(super) fn trace_publish(&self, publishing: &Publishing<'_>, body: &[u8], block: &[u8]) {
        let id = publishing.message_id;
        if publishing.is_duplicate() {
            let dedup_id = publishing.dedup_id().unwrap_or_default();
            let why = format!("another message with the deduplication id {dedup_id} was published");
            return self.trace(id, What::Duplicate, &why);
        }
        let (resource, at) = (&self.name, self.host.now());
        let note = Note {
            subject: Subject::Id(id.0),
            what: What::Accepted,
            resource,
            at,
            detail: format_args!(""),
        };
        self.host.trace.begin(&note, None);
        let selected = &publishing.selected;
        for one in selected.iter().take(MATCHED_MAX) {
            let detail = format!("{}, for {}", self.label(one.id), self.target_name(one));
            self.trace(id, What::Matched, &detail);
        }
        if selected.len() > MATCHED_MAX {
            let more = selected.len() - MATCHED_MAX;
            self.trace(id, What::Matched, &format!("{more} more subscriptions"));
        }
        let (unmatched, more) = self.subscriptions.unmatched(selected, UNMATCHED_MAX);
        for (other, entry) in unmatched {
            let why = explain(&entry, body, block)
                .unwrap_or_else(|error| Some(error.message().to_owned()))
                .unwrap_or_default();
            self.trace(id, What::Unmatched, &format!("{}: {why}", self.label(other)));
        }
        if more > 0 {
            self.trace(id, What::Unmatched, &format!("{more} more subscriptions"));
        }
    }

    /// A target did not take a message, or its dead-letter queue.
    #[cold]
    pub(crate) fn trace_refused(&self, id: MessageId, selected: &Selected, error: &Error) {
        let why = format!("{}: {}", self.label(selected.id), error.message());
        self.trace(id, What::Failed, &why);
    }

    fn label(&self, id: ResourceId) -> String {
        let entry = self.subscriptions.get(id);
        match entry.as_ref().and_then(|entry| entry.name.as_deref()) {
            Some(name) => format!("subscription {name}"),
            None => match entry {
                Some(entry) if !entry.endpoint.is_empty() => {
                    format!("subscription of {}", without_secrets(&entry.endpoint))
                }
                _ => format!("subscription {}", id.0),
            },
        }
    }

    fn target_name(&self, selected: &Selected) -> String {
        match self.host.directory.any(selected.target) {
            Some(found) if selected.is_owned => format!("destination {}", found.name().name),
            Some(found) => format!("{} {}", found.name().kind, found.name().name),
            None => "a target that is gone".to_owned(),
        }
    }

    fn trace(&self, id: MessageId, what: What, detail: &str) {
        let (subject, at) = (Subject::Id(id.0), self.host.now());
        let detail = format_args!("{detail}");
        self.host.trace.note(&Note { subject, what, resource: &self.name, at, detail });
    }
}

/// An endpoint as it may be shown: the query of a URL may be secret, and who logs in.
fn without_secrets(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return endpoint.to_owned() };
    let shown = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = shown.split_at(shown.find('/').unwrap_or(shown.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Why the filter of a subscription does not let a message pass.
fn explain(entry: &Entry, body: &[u8], block: &[u8]) -> Result<Option<String>> {
    let Some(pattern) = entry.pattern()? else { return Ok(None) };
    let explained = match entry.filters_body {
        true => pattern.explain(PatternEvent::new(body)),
        false => pattern.explain_attributes(&given(&attributes::decode(block)?)?),
    };
    Ok(Some(match explained {
        Ok(explained) => explained.to_string(),
        Err(problem) => format!("The message is not valid: {problem}."),
    }))
}
