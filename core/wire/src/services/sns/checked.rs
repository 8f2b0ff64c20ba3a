//! A message as its input tells of it, checked.

use std::borrow::Cow;

use trunkline_engine::{Notification, Topic, is_id};

use super::attributes::{Prepared, prepare};
use super::audit::Audit;
use super::errors::{invalid, missing};
use super::input::PublishInput;
use super::place::Place;
use super::protection::{self, Verdict};
use crate::codec::text::Text;
use crate::error::Result;
use crate::limits::{PUBLISH_BYTES_MAX, SUBJECT_CHARS_MAX};
use crate::service::Call;

/// A message that may be published as far as its input tells.
pub(super) struct Checked<'a> {
    pub message: Cow<'a, str>,
    /// Whether its topic's data protection policy lets no subscription have it.
    pub is_withheld: bool,
    pub subject: Option<&'a str>,
    pub is_structured: bool,
    pub attributes: Prepared,
    /// What is to be told of it once it is published.
    pub audit: Option<Audit>,
    group: Option<&'a str>,
    dedup_id: Option<&'a str>,
}

impl Checked<'_> {
    /// Applies the data protection policy of the topic.
    pub fn protect(&mut self, call: &Call<'_>, topic: &Topic) -> Result<()> {
        let Some((policy, streams)) = protection::of(topic)? else { return Ok(()) };
        let account = call.account;
        let root = format!("arn:aws:iam::{account}:root");
        let principals = [&*root, account];
        self.audit = policy.audit(&self.message, &principals, &streams);
        match policy.apply(&self.message, &principals) {
            Verdict::Denied => Err(protection::denied()),
            Verdict::Publish { text, is_withheld } => {
                self.is_withheld = is_withheld;
                if let Cow::Owned(changed) = text {
                    self.message = Cow::Owned(changed);
                }
                Ok(())
            }
        }
    }

    pub fn notification(&self) -> Notification<'_> {
        Notification {
            body: self.message.as_bytes(),
            attributes: &self.attributes.block,
            is_structured: self.is_structured,
            subject: self.subject,
            group: self.group,
            dedup_id: self.dedup_id,
            is_withheld: self.is_withheld,
        }
    }

    /// What counts of it against the bounds of SNS.
    pub fn size(&self) -> usize {
        self.message.len() + self.attributes.size
    }
}

/// Checks a message.
pub(super) fn check<'a>(
    input: &'a mut PublishInput<'_>,
    call: &Call<'_>,
    place: Place,
) -> Result<Checked<'a>> {
    let trace = call.request.header("x-amzn-trace-id").filter(|trace| !trace.is_empty());
    let attributes = prepare(input.message_attributes.take(), trace, place)?;
    let input = &*input;
    let message = input.message.as_deref().ok_or_else(|| missing(&place.of("message")))?;
    if message.is_empty() {
        return Err(invalid("Invalid parameter: Empty message"));
    }
    let subject = input.subject.as_deref();
    if subject.is_some_and(|subject| !is_subject(subject)) {
        return Err(invalid("Invalid parameter: Subject"));
    }
    let is_structured = match input.message_structure.as_deref() {
        None | Some("") => false,
        Some("json") => true,
        Some(_) => return Err(invalid("Invalid parameter: MessageStructure")),
    };
    let limits = call.engine.limits();
    let id = |id: &'a Option<Text<'_>>, parameter: &str| match id.as_deref() {
        Some(id) if !is_id(id, limits) => Err(invalid(format!(
            "Invalid parameter: {parameter} Reason: {parameter} can only include alphanumeric and \
             punctuation characters, 1 to {} in length",
            limits.id_chars_max
        ))),
        id => Ok(id),
    };
    let group = id(&input.message_group_id, "MessageGroupId")?;
    let dedup_id = id(&input.message_deduplication_id, "MessageDeduplicationId")?;
    let checked = Checked {
        message: message.into(),
        is_withheld: false,
        subject,
        is_structured,
        attributes,
        audit: None,
        group,
        dedup_id,
    };
    if place == Place::Alone && checked.size() > PUBLISH_BYTES_MAX {
        return Err(invalid("Invalid parameter: Message too long"));
    }
    Ok(checked)
}

fn is_subject(subject: &str) -> bool {
    let begins = subject.bytes().next().is_some_and(|byte| byte.is_ascii_graphic());
    let is_plain = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    begins && is_plain && subject.len() <= SUBJECT_CHARS_MAX
}
