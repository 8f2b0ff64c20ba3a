//! Reading objects: GetObject and HeadObject, whole or in part.

use std::sync::Arc;

use trunkline_engine::{Bucket, Object, bucket_operation};

use super::answer::Answer;
use super::conditions::{self, Verdict};
use super::context::Context;
use super::{checksum, errors, headers};
use crate::codec::form::Form;
use crate::error::Result;

/// Query parameters that replace headers of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

pub(super) fn get_object(context: &Context) -> Result<Answer> {
    read(context, true)
}

pub(super) fn head_object(context: &Context) -> Result<Answer> {
    read(context, false)
}

/// The version that a request names, for reading. Marker headers tell of deleted ones.
pub(super) fn find(context: &Context, bucket: &Bucket) -> Result<Arc<Object>> {
    let name = bucket.name();
    let admitted = context.engine.host().admit(bucket_operation::GET, name);
    let _call = admitted.map_err(|error| context.failed(&error))?;
    let version = context.version_in(bucket)?;
    let found = bucket.head(context.key(), version.as_ref());
    found.map_err(|error| context.failed(&error))
}

/// Refuses what is done with an object and not with a delete marker.
pub(super) fn refuse_marker(context: &Context, object: &Object) -> Result<()> {
    if !object.is_delete_marker {
        return Ok(());
    }
    let message = "The specified method is not allowed against this resource.";
    let found = errors::error("MethodNotAllowed", 405, message);
    let members = [("Method", &*context.method), ("ResourceType", "DeleteMarker")];
    Err(errors::with(found, &members))
}

fn read(context: &Context, has_body: bool) -> Result<Answer> {
    let bucket = context.bucket()?;
    let object = find(context, &bucket)?;
    refuse_marker(context, &object)?;
    let mut answer =
        Answer { headers: headers::of_object(context, &bucket, &object), ..Answer::empty() };
    if conditions::check(context, &object, "")? == Verdict::NotModified {
        answer.status = Some(304);
        // They are of a body, and this answer has none.
        answer.headers.retain(|(name, _)| !checksum::is_header(name));
        return Ok(answer);
    }
    let (start, len) = stretch(context, &object, &mut answer)?;
    override_headers(context, &mut answer)?;
    answer = answer.with("content-length", len.to_string());
    if has_body {
        let reader = object.open(start, len).map_err(|error| context.failed(&error))?;
        answer.content = Some((reader, len));
    }
    Ok(answer)
}

/// What part of the object is asked for; says so in the answer.
fn stretch(context: &Context, object: &Object, answer: &mut Answer) -> Result<(u64, u64)> {
    let size = object.size;
    let part = context.number("PartNumber");
    let ranged = match part {
        None => conditions::range(context.header("range"), size)?,
        Some(number) => Some(part_of(object, number)?),
    };
    if part.is_some() && !object.parts.is_empty() {
        let count = object.parts.len().to_string();
        answer.headers.push(("x-amz-mp-parts-count".to_owned(), count));
    }
    let Some((start, len)) = ranged else { return Ok((0, size)) };
    answer.status = Some(206);
    if len < size {
        // They are of the whole.
        answer.headers.retain(|(name, _)| !checksum::is_header(name));
    }
    let last = (start + len).saturating_sub(1);
    answer.headers.push(("content-range".to_owned(), format!("bytes {start}-{last}/{size}")));
    Ok((start, len))
}

fn part_of(object: &Object, number: i64) -> Result<(u64, u64)> {
    let sizes: &[u64] = if object.parts.is_empty() { &[object.size] } else { &object.parts };
    let place = usize::try_from(number - 1).ok().filter(|place| *place < sizes.len());
    let Some(place) = place else {
        let message = "The requested partnumber is not satisfiable";
        let found = errors::error("InvalidPartNumber", 416, message);
        let (asked, count) = (number.to_string(), sizes.len().to_string());
        return Err(errors::with(
            found,
            &[("PartNumberRequested", &asked), ("ActualPartCount", &count)],
        ));
    };
    Ok((sizes[..place].iter().sum(), sizes[place]))
}

fn override_headers(context: &Context, answer: &mut Answer) -> Result<()> {
    // They are taken from the query as they are: the model reads a time, and would write another.
    let Ok(query) = Form::read(context.query.as_bytes()) else { return Ok(()) };
    for (parameter, header) in OVERRIDES {
        let Some(value) = query.get(parameter) else { continue };
        // A policy may let anonymous callers read; they may not choose the headers of the answer.
        if context.access.as_ref().is_some_and(|access| access.principal.is_empty()) {
            let message = "Request specific response headers cannot be used for anonymous GET \
                           requests.";
            return Err(errors::invalid_request(message));
        }
        answer.headers.retain(|(name, _)| name != header);
        answer.headers.push((header.to_owned(), value.to_owned()));
    }
    Ok(())
}
