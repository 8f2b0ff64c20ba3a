//! `Publish`: checks a message, and hands it to its topic.

use std::sync::Arc;

use trunkline_engine::{
    Admission, Admitted, Engine, Held, Publication, ResourceName, Ticket, Topic, sequence_number,
};

use super::checked::{Checked, check};
use super::errors::{from_engine, invalid, no_such_topic};
use super::input::PublishInput;
use super::place::Place;
use super::{access, direct, target};
use crate::codec::object::Object;
use crate::error::Result;
use crate::service::{Call, Finished, Input, Outcome};

/// The topic of an admitted call, or what holds the call up.
pub(super) enum Lookup {
    Ready(Arc<Topic>, Admitted),
    Held(Held),
}

pub(super) fn one(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let mut input: PublishInput<'_> = input.read()?;
    let given = [&input.topic_arn, &input.target_arn, &input.phone_number];
    match given.iter().filter(|target| target.is_some()).count() {
        0 => {
            return Err(invalid(
                "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
            ));
        }
        1 => {}
        _ => {
            return Err(invalid(
                "Invalid parameter: TopicArn Reason: Only one of TopicArn, TargetArn and \
                 PhoneNumber may be specified",
            ));
        }
    }
    if let Some(number) = input.phone_number.take() {
        let checked = check(&mut input, call, Place::Alone)?;
        return direct::to_phone(call, &number, &checked);
    }
    let (arn, parameter) = match (input.topic_arn.take(), input.target_arn.take()) {
        (Some(arn), _) => (arn, "TopicArn"),
        (None, Some(arn)) => (arn, "TargetArn"),
        (None, None) => return Err(invalid("Invalid parameter: TopicArn")),
    };
    let parsed = target::parse(&arn, parameter)?;
    if parameter == "TargetArn" && parsed.rest.starts_with("endpoint/") {
        let checked = check(&mut input, call, Place::Alone)?;
        return direct::to_endpoint(call, &arn, &checked);
    }
    let name = name_of(call, &parsed, parameter)?;
    let (topic, admitted) = match find(call, &name, "Publish")? {
        Lookup::Ready(topic, admitted) => (topic, admitted),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let mut checked = check(&mut input, call, Place::Alone)?;
    checked.protect(call, &topic)?;
    let published = publish(call.engine, &topic, &admitted, &checked)?;
    let mut out = Vec::with_capacity(120);
    let mut object = Object::open(&mut out);
    write(&mut object, &published);
    object.close();
    finish(call.engine, &topic, published.ticket, out)
}

/// The name of the topic that an ARN names in the region that is called.
pub(super) fn name_of(
    call: &Call<'_>,
    arn: &target::Arn<'_>,
    parameter: &str,
) -> Result<ResourceName> {
    if arn.region != call.region {
        return Err(invalid(format!("Invalid parameter: {parameter}")));
    }
    Ok(arn.topic())
}

/// The topic of this name, once the engine admits the call.
pub(super) fn find(call: &Call<'_>, name: &ResourceName, operation: &str) -> Result<Lookup> {
    let topic = call.engine.find_topic(name).map_err(|error| from_engine(&error))?;
    let topic = topic.ok_or_else(no_such_topic)?;
    if let Some(right) = call.access {
        access::check(right, call.account, operation, &topic)?;
    }
    let admission = call.engine.try_admit_publish(&topic, call.held);
    Ok(match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => Lookup::Ready(topic, admitted),
        Admission::Held(held) => Lookup::Held(*held),
    })
}

/// Publishes a message to a topic.
pub(super) fn publish(
    engine: &Engine,
    topic: &Topic,
    admitted: &Admitted,
    checked: &Checked<'_>,
) -> Result<Publication> {
    let published = engine.publish_admitted(topic, admitted, &checked.notification());
    let mut published = published.map_err(|error| from_engine(&error))?;
    audit(engine, topic, checked, &mut published);
    Ok(published)
}

/// Publishes messages to a topic, in order; each succeeds or fails for itself.
pub(super) fn publish_all(
    engine: &Arc<Engine>,
    topic: &Topic,
    admitted: &Admitted,
    messages: &[&Checked<'_>],
) -> Vec<Result<Publication>> {
    let notifications: Vec<_> = messages.iter().map(|message| message.notification()).collect();
    let published = engine.publish_batch_admitted(topic, admitted, &notifications);
    let told = messages.iter().zip(published).map(|(message, published)| {
        let mut published = published.map_err(|error| from_engine(&error))?;
        audit(engine, topic, message, &mut published);
        Ok(published)
    });
    told.collect()
}

fn audit(engine: &Engine, topic: &Topic, checked: &Checked<'_>, published: &mut Publication) {
    if let Some(audit) = &checked.audit
        && !published.duplicate
    {
        // The record stands behind the message: with it, the message is durable.
        let told = audit.tell(engine, topic, published.message_id);
        published.ticket = told.or(published.ticket);
    }
}

/// Writes what became of a message.
pub(super) fn write(object: &mut Object<'_>, published: &Publication) {
    object.plain("MessageId", published.message_id.to_string().as_bytes());
    if let Some(seq) = published.seq {
        object.plain("SequenceNumber", sequence_number(seq).as_bytes());
    }
}

/// The output once `ticket` is durable.
pub(super) fn finish(
    engine: &Engine,
    topic: &Topic,
    ticket: Option<Ticket>,
    body: Vec<u8>,
) -> Result<Outcome> {
    let settling = engine.host().begin_settle(topic.name(), ticket, engine.durability());
    let settling = settling.map_err(|error| from_engine(&error))?;
    Ok(Outcome::Done(Finished { output: body.into(), settling }))
}
