//! The functions of a topic: create, find, subscribe, publish.

#![allow(unsafe_code)] // Only the attribute of exported names, and promises about layouts.

use std::ffi::c_char;
use std::mem::size_of;

use trunkline_engine::{
    Code, Error, NewSubscription, Notification, Publication, Result, TargetResource, TopicConfig,
    sequence_number, topic_name,
};
use trunkline_types::sync::lock;

use crate::border::{Bytes, Growing, In, Out, Text};
use crate::check::{self, invalid};
use crate::failure::guard;
use crate::handle::{EngineHandle, OpenEngine, OpenTopic, QueueHandle, TopicHandle};
use crate::options::{UNSET, characters, growing};
use crate::status::Status;

/// The rules of a topic. A new topic gets the value named here for a field that is not set.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TopicOptions {
    /// Set by TRUNKLINE_TOPIC_OPTIONS_INIT.
    pub size: usize,
    /// FIFO: 1 if the SHA-256 of the body stands in for an absent deduplication id; 0.
    pub content_based_dedup: i64,
    /// FIFO: a trunkline_dedup_scope, where QUEUE stands for the whole topic; the whole topic.
    pub dedup_scope: i64,
}

/// How a queue is subscribed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SubscribeOptions {
    /// Set by TRUNKLINE_SUBSCRIBE_OPTIONS_INIT.
    pub size: usize,
    /// The filter policy as JSON; NULL for every message.
    pub filter: Text,
    /// 1 if the filter is matched against the body instead of the attributes; 0.
    pub filters_body: i64,
    /// 0 if messages come in the JSON envelope of Amazon SNS instead of as they were published; 1.
    pub raw: i64,
    /// A name of its own, unique in the topic, or NULL.
    pub name: Text,
}

/// How a message is published.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PublishOptions {
    /// Set by TRUNKLINE_PUBLISH_OPTIONS_INIT.
    pub size: usize,
    /// The subject in envelopes, or NULL.
    pub subject: Text,
    /// FIFO: the group, required. Standard: the tenant in fair queues, or NULL.
    pub group: Text,
    /// FIFO: what tells a repeated message from a new one, or NULL where the body does.
    pub dedup_id: Text,
}

/// A message that was published.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Published {
    /// Set by TRUNKLINE_PUBLISHED_INIT.
    pub size: usize,
    /// The id of the message, 36 characters.
    pub message_id: [c_char; 40],
    /// FIFO: 20 digits that grow as text; "" for a standard topic.
    pub sequence_number: [c_char; 24],
    /// How many subscriptions it was for.
    pub matched: u64,
    /// How many of their targets took it.
    pub delivered: u64,
    /// 1 if an earlier message stands for this one and nothing was added, else 0.
    pub duplicate: i64,
}

growing!(TopicOptions { content_based_dedup: UNSET, dedup_scope: UNSET });
growing!(SubscribeOptions {
    filter: Text::NULL,
    filters_body: UNSET,
    raw: UNSET,
    name: Text::NULL
});
growing!(PublishOptions { subject: Text::NULL, group: Text::NULL, dedup_id: Text::NULL });
growing!(Published {
    message_id: [0; 40],
    sequence_number: [0; 24],
    matched: 0,
    delivered: 0,
    duplicate: 0,
});

/// Creates the topic `name`; a name that ends in ".fifo" is a FIFO topic's. A topic that exists
/// already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION. `options` may be NULL. The handle is given back
/// with trunkline_topic_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_topic_create(
    engine: EngineHandle,
    name: Text,
    options: In<TopicOptions>,
    topic: Out<TopicHandle>,
) -> Status {
    topic.put(TopicHandle::NULL);
    guard(|| {
        topic.check("topic")?;
        let open = engine.get()?;
        let created = create(&open, name.get("name")?, &options.get("options")?)?;
        topic.put(TopicHandle::new(OpenTopic::new(open, created))?);
        Ok(())
    })
}

/// Finds the topic `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION. The
/// handle is given back with trunkline_topic_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_topic_find(
    engine: EngineHandle,
    name: Text,
    topic: Out<TopicHandle>,
) -> Status {
    topic.put(TopicHandle::NULL);
    guard(|| {
        topic.check("topic")?;
        let (open, name) = (engine.get()?, name.get("name")?);
        let found = open.engine.find_topic(&topic_name(name))?;
        let found = found.ok_or_else(|| missing("topic", name, "trunkline_topic_create"))?;
        topic.put(TopicHandle::new(OpenTopic::new(open, found))?);
        Ok(())
    })
}

/// Gives the handle back; the topic itself stays. NULL, and a handle that was given back, do
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_topic_free(topic: TopicHandle) {
    guard(|| {
        topic.free();
        Ok(())
    });
}

/// Removes the topic and its subscriptions. The handle stays to be given back.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_topic_remove(topic: TopicHandle) -> Status {
    guard(|| {
        let topic = topic.get()?;
        let ticket = topic.owner.engine.remove_topic(&topic.topic)?;
        topic.settle(ticket)
    })
}

/// Subscribes a queue of the same engine to the topic. A queue that is subscribed in the same way
/// already stays subscribed. `options` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_subscribe(
    topic: TopicHandle,
    queue: QueueHandle,
    options: In<SubscribeOptions>,
) -> Status {
    guard(|| {
        let (topic, queue) = (topic.get()?, queue.get()?);
        topic.owner.check_same(&queue.owner, "queue")?;
        let options = options.get("options")?;
        let subscription = NewSubscription {
            is_pending: false,
            protocol: trunkline_engine::Protocol::Default,
            target: TargetResource::Resource(queue.queue.id()),
            is_raw: check::flag(options.raw, "raw")?.unwrap_or(true),
            filter: options.filter.optional("filter")?,
            filters_body: check::flag(options.filters_body, "filters_body")?.unwrap_or(false),
            dead_letter: None,
            retry: None,
            endpoint: "",
            name: options.name.optional("name")?,
        };
        let (_, ticket) = topic.owner.engine.subscribe(&topic.topic, &subscription)?;
        topic.settle(ticket)
    })
}

/// Publishes a message to every subscription whose filter lets it pass, in one step: a crash leaves
/// it in all of their queues or in none. `options` may be NULL for a standard topic; `published`
/// may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_publish(
    topic: TopicHandle,
    body: Bytes,
    body_length: usize,
    options: In<PublishOptions>,
    published: Out<Published>,
) -> Status {
    guard(|| {
        let size =
            if published.is_null() { None } else { Some(published.check_sized("published")?) };
        let topic = topic.get()?;
        let options = options.get("options")?;
        let limits = topic.owner.engine.limits();
        let message = Notification {
            is_structured: false,
            body: body.get(body_length, "body")?,
            attributes: b"",
            subject: options.subject.optional("subject")?,
            group: check::id(options.group.optional("group")?, "group", limits)?,
            dedup_id: check::id(options.dedup_id.optional("dedup_id")?, "dedup_id", limits)?,
            is_withheld: false,
        };
        let publication = topic.owner.engine.publish(&topic.topic, &message)?;
        topic.settle(publication.ticket)?;
        if let Some(size) = size {
            published.put_sized(Published { size, ..describe(&publication) }, size);
        }
        Ok(())
    })
}

fn create(
    open: &OpenEngine,
    name: &str,
    options: &TopicOptions,
) -> Result<std::sync::Arc<trunkline_engine::Topic>> {
    let _defining = lock(&open.defining);
    if open.engine.find_topic(&topic_name(name))?.is_some() {
        return Err(exists("topic", name, "trunkline_topic_find"));
    }
    let by_content = check::flag(options.content_based_dedup, "content_based_dedup")?;
    let scope = check::number(options.dedup_scope, "dedup_scope", 0, 1)?;
    let config = TopicConfig {
        is_fifo: name.ends_with(".fifo"),
        content_based_dedup: by_content.unwrap_or(false),
        dedup_by_group: scope == Some(1),
    };
    if !config.is_fifo && (by_content.is_some() || scope.is_some()) {
        let reason = "content_based_dedup and dedup_scope apply only to a FIFO topic, whose name \
                      ends in .fifo.";
        return Err(invalid(name, "options", reason));
    }
    let (topic, _) = open.engine.topic(topic_name(name), Some(config), b"")?;
    open.engine.acknowledge()?;
    Ok(topic)
}

fn describe(publication: &Publication) -> Published {
    let number = publication.seq.map(sequence_number).unwrap_or_default();
    Published {
        message_id: characters(&publication.message_id.to_string()),
        sequence_number: characters(&number),
        matched: publication.matched as u64,
        delivered: publication.delivered as u64,
        duplicate: publication.duplicate.into(),
        ..Published::UNSET
    }
}

/// The error for a name that nothing has.
#[cold]
pub(crate) fn missing(kind: &str, name: &str, create: &str) -> Error {
    let text = format!("The {kind} {name:.256} does not exist; create it with {create}.");
    Error::new(Code::ResourceNotFoundException, text)
}

/// The error for a name that is taken.
#[cold]
pub(crate) fn exists(kind: &str, name: &str, find: &str) -> Error {
    let text = format!("The {kind} {name:.256} exists already; find it with {find}.");
    Error::new(Code::ResourceInUseException, text)
}
