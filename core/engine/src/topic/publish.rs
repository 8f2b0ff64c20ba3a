//! Publishing: which subscriptions get a message, its place in the order of a FIFO topic, and what
//! is recorded of it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use sha2::{Digest, Sha256};
use trunkline_host::{Also, Append, Renderer, Subject};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{MutexGuard, lock};
use trunkline_types::{Code, Error, MessageId, Millis, ResourceId, Result, Seq};

use super::accept::Replayed;
use super::archive::ArchiveEntry;
use super::envelope::{Context, renderer, replayed};
use super::message::{Notification, Publication};
use super::record::{PUBLISHED_BYTES, Published, Record};
use super::structure::{Protocol, Structure};
use super::table::Selected;
use super::window::Window;
use super::{Topic, invalid};
use crate::archive::logs;
use crate::attributes;

/// Longest subject, in characters: SNS's.
const SUBJECT_MAX: usize = 100;
/// Ids of messages of standard topics come from numbers behind those of FIFO topics.
const STANDARD_NUMBERS: u64 = 1 << 63;

/// A publish in progress. That of a FIFO topic excludes others until it is dropped.
pub(crate) struct Publishing<'a> {
    topic: &'a Topic,
    message: Notification<'a>,
    pub now: Millis,
    pub message_id: MessageId,
    /// When the message was published; before `now` if it comes from the archive.
    published: Millis,
    order: Option<Order<'a>>,
    entry: Option<ArchiveEntry<'a>>,
    /// For a message of the archive: what notes how far its replay has come.
    progress: Option<&'a dyn Also>,
    /// The subscriptions that get it; none for a duplicate.
    pub selected: Vec<Selected>,
}

/// The place of a message in a FIFO topic.
struct Order<'a> {
    /// Held from the number on until the message is on record; a replay needs no number.
    window: Option<RefCell<MutexGuard<'a, Window>>>,
    seq: Seq,
    key: u128,
    dedup_id: Cow<'a, str>,
    is_duplicate: bool,
}

impl Topic {
    /// Checks a message and selects its subscriptions.
    pub(crate) fn begin_publish<'a>(
        &'a self,
        message: Notification<'a>,
        now: Millis,
    ) -> Result<Publishing<'a>> {
        let publishing = self.prepare_publish(message, now)?;
        publishing.trace();
        Ok(publishing)
    }

    /// The same for a publish that may not take place: the trace is not told of it.
    pub(crate) fn prepare_publish<'a>(
        &'a self,
        message: Notification<'a>,
        now: Millis,
    ) -> Result<Publishing<'a>> {
        self.check_present()?;
        self.check(&message)?;
        let structure = message.is_structured.then(|| Structure::read(message.body)).transpose()?;
        // Filters over bodies see what a queue gets.
        let text = match &structure {
            Some(structure) => structure.text(Protocol::Queue).as_bytes(),
            None => message.body,
        };
        let order = match self.config().is_fifo {
            true => Some(self.order(&message, now)?),
            false => None,
        };
        let message_id = match &order {
            Some(order) => self.host.key.message_id(self.id, order.seq),
            None => self.next_message_id(),
        };
        let selected = match &order {
            Some(order) if order.is_duplicate => Vec::new(),
            _ if message.is_withheld => Vec::new(),
            _ => self.subscriptions.select(text, message.attributes)?,
        };
        if selected.iter().any(|one| !one.is_raw) && std::str::from_utf8(message.body).is_err() {
            return Err(invalid(
                "The body is no UTF-8 text, and a subscription wants it in an envelope, which is \
                 text. Send text, or subscribe with raw=True."
                    .to_owned(),
            ));
        }
        let mut publishing = Publishing {
            topic: self,
            message,
            now,
            message_id,
            published: now,
            order,
            entry: None,
            progress: None,
            selected,
        };
        let is_new = publishing.order.as_ref().is_some_and(|order| !order.is_duplicate);
        if is_new && !message.is_withheld {
            publishing.entry = self.archive_entry(&publishing);
        }
        Ok(publishing)
    }

    /// The id of the next message of a standard topic.
    pub(super) fn next_message_id(&self) -> MessageId {
        let number = self.numbered.fetch_add(1, Ordering::Relaxed);
        let opening = u64::from(self.host.incarnation) << 32;
        let number = STANDARD_NUMBERS | opening | u64::from(number);
        self.host.key.message_id(self.id, number)
    }

    /// What the archive gets of a message, if there is one. Its time never goes back, whatever the
    /// order in which publishes read the clock.
    fn archive_entry<'a>(&self, publishing: &Publishing<'a>) -> Option<ArchiveEntry<'a>> {
        let archive = self.current_archive()?;
        let at = publishing.order.as_ref()?.not_before(publishing.now);
        Some(ArchiveEntry::new(archive, &publishing.message, &publishing.context(), at))
    }

    /// Begins to deliver a message of the archive to one subscription.
    pub(crate) fn begin_replay<'a>(&'a self, replayed: &'a Replayed<'a>) -> Publishing<'a> {
        let context = &replayed.archived.context;
        let order = Order {
            window: None,
            seq: context.seq.unwrap_or(0),
            key: 0,
            dedup_id: replayed.message.dedup_id.unwrap_or_default().into(),
            is_duplicate: false,
        };
        Publishing {
            topic: self,
            message: replayed.message,
            now: replayed.now,
            message_id: context.message_id,
            published: context.published,
            order: Some(order),
            entry: None,
            progress: Some(replayed.progress),
            selected: vec![replayed.selected],
        }
    }

    /// Checks all that can be known of a message before it is published.
    pub fn check_publish(&self, message: &Notification<'_>) -> Result<()> {
        self.check(message)?;
        if message.is_structured {
            Structure::read(message.body)?;
        }
        if self.config().is_fifo {
            self.order_id(message)?;
        }
        Ok(())
    }

    pub(super) fn check(&self, message: &Notification<'_>) -> Result<()> {
        if message.body.is_empty() {
            return Err(invalid("Invalid parameter: Empty message".to_owned()));
        }
        let max = self.host.limits.message_bytes_max as usize;
        if message.body.len() + attributes::size(message.attributes)? > max {
            return Err(invalid(format!(
                "Invalid parameter: Message too long. Body and attributes may have {max} bytes."
            )));
        }
        if let Some(subject) = message.subject {
            let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
            let begins = subject.bytes().next().is_some_and(|byte| byte.is_ascii_graphic());
            if !begins || subject.len() > SUBJECT_MAX || !subject.bytes().all(is_plain) {
                return Err(invalid(format!(
                    "Invalid parameter: Subject. It has 1 to {SUBJECT_MAX} printable ASCII \
                     characters and begins with no space."
                )));
            }
        }
        if message.dedup_id.is_some() && !self.config().is_fifo {
            return Err(invalid(
                "Invalid parameter: MessageDeduplicationId Reason: The request includes \
                 MessageDeduplicationId parameter that is not valid for this topic type"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The group and the deduplication id of a message of a FIFO topic.
    fn order_id<'a>(&self, message: &Notification<'a>) -> Result<(&'a str, Cow<'a, str>)> {
        let group = message.group.filter(|group| !group.is_empty()).ok_or_else(|| {
            Error::new(
                Code::MissingParameter,
                "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
            )
        })?;
        match message.dedup_id {
            Some(id) => Ok((group, id.into())),
            None if self.config().content_based_dedup => {
                Ok((group, sha256_hex(message.body).into()))
            }
            None => Err(invalid(
                "Invalid parameter: The topic should either have ContentBasedDeduplication \
                 enabled or MessageDeduplicationId provided explicitly"
                    .to_owned(),
            )),
        }
    }

    fn order<'a>(&'a self, message: &Notification<'a>, now: Millis) -> Result<Order<'a>> {
        let config = self.config();
        let (group, dedup_id) = self.order_id(message)?;
        let id = dedup_id.as_bytes();
        let key = match config.dedup_by_group {
            true => self.host.key.digest(&[id, group.as_bytes()]),
            false => self.host.key.digest(&[id]),
        };
        let window = lock(&self.window);
        // A topic that is being removed says so under the same lock.
        self.check_present()?;
        let first = window.find(key, now, self.host.limits.dedup_window);
        let seq = first.unwrap_or_else(|| window.next_seq());
        let is_duplicate = first.is_some();
        Ok(Order { window: Some(RefCell::new(window)), seq, key, dedup_id, is_duplicate })
    }
}

impl Order<'_> {
    /// The time, or that of the newest message if it is later.
    fn not_before(&self, now: Millis) -> Millis {
        let newest = self.window.as_ref().and_then(|window| window.borrow().newest_at());
        newest.map_or(now, |newest| newest.max(now))
    }
}

impl Publishing<'_> {
    /// Who renders the message for a subscription.
    pub fn renderer(&self, id: ResourceId, is_raw: bool, protocol: Protocol) -> Renderer {
        let renderer = renderer(id, is_raw, protocol);
        if self.progress.is_some() { replayed(renderer) } else { renderer }
    }

    /// Whether an earlier message stands for this one.
    pub fn is_duplicate(&self) -> bool {
        self.order.as_ref().is_some_and(|order| order.is_duplicate)
    }

    /// What the message is called in a FIFO queue.
    pub fn dedup_id(&self) -> Option<&str> {
        self.order.as_ref().map(|order| &*order.dedup_id)
    }

    /// The topic.
    pub fn topic(&self) -> &Topic {
        self.topic
    }

    /// Whether the topic is FIFO.
    pub fn is_fifo(&self) -> bool {
        self.order.is_some()
    }

    /// The message, for the trace.
    pub fn subject(&self) -> Subject<'_> {
        Subject::Id(self.message_id.0)
    }

    /// Tells the trace of the publish.
    pub fn trace(&self) {
        let (topic, message) = (self.topic, &self.message);
        if topic.host.trace.is_on() {
            topic.trace_publish(self, message.body, message.attributes);
        }
    }

    /// A target did not take the message.
    pub fn trace_refused(&self, selected: &Selected, error: &Error) {
        if self.topic.host.trace.is_on() {
            self.topic.trace_refused(self.message_id, selected, error);
        }
    }

    /// What the publish says of the message, for who renders it.
    pub fn context(&self) -> Vec<u8> {
        let name = &self.topic.name;
        let context = Context {
            message_id: self.message_id,
            published: self.published,
            seq: self.order.as_ref().map(|order| order.seq),
            account: &name.account,
            region: &name.region,
            topic: &name.name,
            subject: self.message.subject,
            is_structured: self.message.is_structured,
        };
        context.encode()
    }

    /// What is recorded in the step of the deliveries: the number of the message and its entry in
    /// the archive, or how far its replay has come.
    pub fn participants(&self) -> impl Iterator<Item = &dyn Also> {
        let is_numbered = self.order.as_ref().is_some_and(|order| order.window.is_some());
        let number = is_numbered.then_some(self as &dyn Also);
        let entry = self.entry.as_ref().map(|entry| entry as &dyn Also);
        number.into_iter().chain(entry).chain(self.progress)
    }

    /// The publish is over: counts what became of it.
    pub fn end(
        self,
        delivered: usize,
        dead_lettered: usize,
        failed: usize,
        ticket: Option<Ticket>,
    ) -> Publication {
        let add = |counter: &AtomicU64, by: usize| {
            counter.fetch_add(by as u64, Ordering::Relaxed);
        };
        let (counters, duplicate) = (&self.topic.counters, self.is_duplicate());
        if let Some(entry) = &self.entry {
            self.topic.on_archived(entry, self.now);
        }
        add(&counters.published, usize::from(!duplicate && self.progress.is_none()));
        add(&counters.delivered, delivered);
        add(&counters.dead_lettered, dead_lettered);
        add(&counters.failed, failed);
        Publication {
            message_id: self.message_id,
            seq: self.order.as_ref().map(|order| order.seq),
            matched: self.selected.len(),
            delivered,
            duplicate,
            ticket,
        }
    }
}

impl fmt::Debug for Publishing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a publish of {}", self.topic.name.name)
    }
}

impl Also for Publishing<'_> {
    fn bytes(&self) -> usize {
        PUBLISHED_BYTES as usize
    }

    fn append(&self, log: &mut Append<'_>) {
        let Some(order) = &self.order else { return };
        let published =
            Published { topic: self.topic.id, seq: order.seq, key: order.key, at: self.now };
        let Some(window) = &order.window else { return };
        let mut window = window.borrow_mut();
        let location = log.append_live(&Record::Published(published), window.newest());
        window.note(published, location, self.topic.host.limits.dedup_window);
    }
}

impl Topic {
    /// The archive has a message more.
    fn on_archived(&self, entry: &ArchiveEntry<'_>, now: Millis) {
        if let Ok(logs) = logs(&self.host) {
            logs.on_append(entry.log());
        }
        self.wake_waiting_replays(now);
    }
}

fn sha256_hex(body: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Engine, OpenOptions, topic_name};

    #[test]
    fn a_publish_that_waited_while_its_topic_was_removed_is_refused() {
        let engine = Engine::open(OpenOptions::memory()).unwrap();
        let (topic, _) = engine.topic(topic_name("orders.fifo"), None, b"").unwrap();
        let message = Notification {
            body: b"one",
            group: Some("g"),
            dedup_id: Some("1"),
            ..Notification::default()
        };
        assert!(topic.order(&message, 0).is_ok());
        engine.remove_topic(&topic).unwrap();
        // The call had seen the topic before it waited for the window.
        let refused = topic.order(&message, 0).err().unwrap();
        assert_eq!(refused.code(), Code::ResourceNotFoundException);
    }
}
