//! `PublishBatch`: what does not fit one entry refuses the whole batch, as in AWS.

use super::checked::{Checked, check};
use super::errors::{invalid, missing};
use super::input::{BatchInput, PublishInput};
use super::place::Place;
use super::publish::{self, Lookup, find, finish, name_of};
use super::target;
use crate::codec::object::Object;
use crate::error::{Result, WireError};
use crate::limits::{BATCH_ID_CHARS_MAX, PUBLISH_BYTES_MAX};
use crate::service::{Call, Input, Outcome};

pub(super) fn start(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: BatchInput<'_> = input.read()?;
    let arn = input.topic_arn.ok_or_else(|| {
        invalid("Invalid parameter: TopicArn Reason: no value for required parameter")
    })?;
    let name = name_of(call, &target::parse(&arn, "TopicArn")?, "TopicArn")?;
    let mut entries = input.publish_batch_request_entries.unwrap_or_default();
    check_entries(&entries, call.engine.limits().batch_entries_max as usize)?;
    let (topic, admitted) = match find(call, &name, "PublishBatch")? {
        Lookup::Ready(topic, admitted) => (topic, admitted),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let ids: Vec<_> = entries.iter_mut().map(|entry| entry.id.take()).collect();
    let mut checked: Vec<Checked<'_>> = entries
        .iter_mut()
        .enumerate()
        .map(|(place, entry)| check(entry, call, Place::Entry(place)))
        .collect::<Result<_>>()?;
    if checked.iter().map(Checked::size).sum::<usize>() > PUBLISH_BYTES_MAX {
        let message = "The length of all the messages put together is more than the limit.";
        return Err(WireError::new("BatchRequestTooLong", 400, message));
    }
    for message in &checked {
        topic.check_publish(&message.notification()).map_err(|e| super::errors::from_engine(&e))?;
    }
    let protected: Vec<Result<()>> =
        checked.iter_mut().map(|message| message.protect(call, &topic)).collect();
    let allowed = checked.iter().zip(&protected).filter(|(_, protected)| protected.is_ok());
    let messages: Vec<_> = allowed.map(|(message, _)| message).collect();
    let mut published = publish::publish_all(call.engine, &topic, &admitted, &messages).into_iter();
    let (mut successful, mut failed, mut ticket) = (Vec::new(), Vec::new(), None);
    for (id, protected) in ids.iter().zip(protected) {
        let left_out = || Err(WireError::internal("A message was left out."));
        match protected.and_then(|()| published.next().unwrap_or_else(left_out)) {
            Ok(published) => {
                let mut entry = open(&mut successful, id.as_deref());
                publish::write(&mut entry, &published);
                entry.close();
                ticket = published.ticket.max(ticket);
            }
            Err(error) => {
                let mut entry = open(&mut failed, id.as_deref());
                entry.text("Code", error.query_code());
                entry.text("Message", error.message());
                let is_sender = if error.is_sender() { &b"true"[..] } else { b"false" };
                entry.key("SenderFault").extend_from_slice(is_sender);
                entry.close();
            }
        }
    }
    let mut out = Vec::with_capacity(successful.len() + failed.len() + 40);
    let mut object = Object::open(&mut out);
    for (name, list) in [("Successful", &successful), ("Failed", &failed)] {
        let out = object.key(name);
        out.push(b'[');
        out.extend_from_slice(list);
        out.push(b']');
    }
    object.close();
    finish(call.engine, &topic, ticket, out)
}

fn open<'a>(list: &'a mut Vec<u8>, id: Option<&str>) -> Object<'a> {
    if !list.is_empty() {
        list.push(b',');
    }
    let mut entry = Object::open(list);
    entry.text("Id", id.unwrap_or_default());
    entry
}

fn check_entries(entries: &[PublishInput<'_>], max: usize) -> Result<()> {
    let refused = |code: &'static str, message: String| Err(WireError::new(code, 400, message));
    if entries.is_empty() {
        let message = "The batch request doesn't contain any entries.";
        return refused("EmptyBatchRequest", message.to_owned());
    }
    if entries.len() > max {
        let message = "The batch request contains more entries than permissible.";
        return refused("TooManyEntriesInBatchRequest", message.to_owned());
    }
    for (place, entry) in entries.iter().enumerate() {
        let path = || Place::Entry(place).of("id");
        let id = entry.id.as_deref().ok_or_else(|| missing(&path()))?;
        let of_id = "The Id of a batch entry in the batch request";
        if id.len() > BATCH_ID_CHARS_MAX {
            return refused("InvalidBatchEntryId", format!("{of_id} is too long: {id}"));
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if id.is_empty() || !id.bytes().all(is_allowed) {
            let message = format!("{of_id} contains an impermissible character: {id}");
            return refused("InvalidBatchEntryId", message);
        }
        if entries[..place].iter().any(|other| other.id.as_deref() == Some(id)) {
            let message = "Two or more batch entries in the request have the same Id.";
            return refused("BatchEntryIdsNotDistinct", message.to_owned());
        }
    }
    Ok(())
}
