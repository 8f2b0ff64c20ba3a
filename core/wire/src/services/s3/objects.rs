//! Putting and deleting objects.

use trunkline_engine::{Bucket, Condition, Object, VersionRef, Versioning};
use trunkline_types::Code;

use super::access;
use super::answer::{Answer, quoted};
use super::content::{self, Received};
use super::context::Context;
use super::list::structure;
use super::{errors, headers};
use crate::error::Result;
use crate::limits::DELETE_KEYS_MAX;
use crate::value::Value;

/// The condition of a write.
pub(super) fn condition(context: &Context) -> Result<Condition> {
    match (context.header("if-none-match"), context.header("if-match")) {
        (None, None) => Ok(Condition::None),
        (Some("*"), None) => Ok(Condition::Absent),
        (None, Some(etag)) => Ok(Condition::Matches(etag.trim_matches('"').to_owned())),
        _ => Err(errors::not_implemented("If-None-Match")),
    }
}

/// A condition that failed, named as the caller gave it.
pub(super) fn failed(context: &Context, error: &trunkline_types::Error) -> crate::error::WireError {
    if error.code() == Code::PreconditionFailed && context.headers.contains_key("if-none-match") {
        return errors::precondition_failed("If-None-Match");
    }
    context.failed(error)
}

pub(super) fn put_object(context: &Context, received: Received) -> Result<Answer> {
    let bucket = context.bucket()?;
    let mut attributes = headers::attributes(context)?;
    attributes.headers.extend(content::of_object(received.checksums.clone()));
    let condition = condition(context)?;
    let cause = context.cause("ObjectCreated:Put");
    let put = bucket.put(context.key(), received.content, attributes, &condition, &cause);
    let put = put.map_err(|error| failed(context, &error))?;
    let mut answer = Answer::empty().after(put.ticket).with("etag", quoted(&put.object.etag));
    for (name, value) in content::of_object(received.checksums) {
        answer = answer.with(&name, value);
    }
    Ok(with_version(answer, &bucket, &put.object))
}

/// The same answer with the id of a version, where there are any.
pub(super) fn with_version(answer: Answer, bucket: &Bucket, object: &Object) -> Answer {
    match bucket.config().versioning {
        Versioning::Off => answer,
        _ => answer.with("x-amz-version-id", bucket.version_id(object)),
    }
}

/// The event of a deletion.
fn event(bucket: &Bucket, version: Option<&VersionRef>) -> &'static str {
    match (version, bucket.config().versioning) {
        (None, Versioning::Enabled | Versioning::Suspended) => "ObjectRemoved:DeleteMarkerCreated",
        _ => "ObjectRemoved:Delete",
    }
}

pub(super) fn delete_object(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let version = context.version_in(&bucket)?;
    let condition = condition(context)?;
    let cause = context.cause(event(&bucket, version.as_ref()));
    let deleted = bucket.delete(context.key(), version.as_ref(), &condition, &cause);
    let deleted = deleted.map_err(|error| failed(context, &error))?;
    let mut answer = Answer::empty().after(deleted.ticket);
    if deleted.object.is_none()
        && let Some(version) = context.text("VersionId").filter(|text| !text.is_empty())
    {
        // What is not there counts as deleted.
        answer = answer.with("x-amz-version-id", version);
    }
    if let Some(object) = deleted.object {
        if object.is_delete_marker {
            answer = answer.with("x-amz-delete-marker", "true");
        }
        if version.is_some() || object.is_delete_marker {
            answer = with_version(answer, &bucket, &object);
        }
    }
    Ok(answer)
}

pub(super) fn delete_objects(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let asked = context.input.get("Delete").ok_or_else(errors::malformed_xml)?;
    let Some(Value::List(entries)) = asked.get("Objects") else {
        return Err(errors::malformed_xml());
    };
    if entries.is_empty() || entries.len() > DELETE_KEYS_MAX {
        return Err(errors::malformed_xml());
    }
    let is_quiet = matches!(asked.get("Quiet"), Some(Value::Bool(true)));
    let (mut deleted, mut failures, mut ticket) = (Vec::new(), Vec::new(), None);
    for entry in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let key = text("Key").filter(|key| !key.is_empty()).ok_or_else(errors::malformed_xml)?;
        let version = text("VersionId").filter(|text| !text.is_empty());
        match delete_one(context, &bucket, key, version, text("ETag")) {
            Ok(done) => {
                ticket = done.ticket.or(ticket);
                if is_quiet {
                    continue;
                }
                let mut members = vec![("Key", key.into())];
                members.extend(version.map(|id| ("VersionId", id.into())));
                if let Some(object) = done.object.filter(|object| object.is_delete_marker) {
                    members.push(("DeleteMarker", Value::Bool(true)));
                    members.push(("DeleteMarkerVersionId", bucket.version_id(&object).into()));
                }
                deleted.push(structure(members));
            }
            Err(error) => {
                let mut members = vec![
                    ("Key", key.into()),
                    ("Code", error.query_code().into()),
                    ("Message", error.message().into()),
                ];
                members.extend(version.map(|id| ("VersionId", id.into())));
                failures.push(structure(members));
            }
        }
    }
    let members = vec![("Deleted", Value::List(deleted)), ("Errors", Value::List(failures))];
    Ok(Answer::of(members).after(ticket))
}

fn delete_one(
    context: &Context,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    etag: Option<&str>,
) -> Result<trunkline_engine::Deleted> {
    let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    access::check_key(context, bucket, action, key)?;
    let version = version.map(VersionRef::from);
    let condition =
        etag.map_or(Condition::None, |etag| Condition::Matches(etag.trim_matches('"').to_owned()));
    let cause = context.cause(event(bucket, version.as_ref()));
    let deleted = bucket.delete(key, version.as_ref(), &condition, &cause);
    deleted.map_err(|error| errors::from_engine(&error, &bucket.name().name, key))
}
