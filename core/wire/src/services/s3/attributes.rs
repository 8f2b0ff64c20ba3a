//! GetObjectAttributes: what is known of an object, as far as it is asked for.

use trunkline_engine::{Object, Versioning};

use super::answer::{Answer, time};
use super::checksum::{self, Algorithm};
use super::context::Context;
use super::get::{find, refuse_marker};
use super::list::structure;
use super::{errors, headers};
use crate::error::Result;
use crate::limits::LIST_KEYS_MAX;
use crate::value::Value;

const ASKED: &str = "x-amz-object-attributes";

pub(super) fn get_object_attributes(context: &Context) -> Result<Answer> {
    let values = context.headers.get_all(ASKED).iter().filter_map(|value| value.to_str().ok());
    let asked: Vec<&str> = values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    if asked.is_empty() {
        let message = "The x-amz-object-attributes header specifying the attributes to be \
                       retrieved is either missing or empty";
        return Err(errors::invalid_request(message));
    }
    let bucket = context.bucket()?;
    let object = find(context, &bucket)?;
    refuse_marker(context, &object)?;
    let mut members = vec![("LastModified", time(object.modified))];
    for one in asked {
        match one {
            "ETag" => members.push(("ETag", object.etag.as_str().into())),
            "Checksum" => members.extend(sums(&object).map(|sums| ("Checksum", sums))),
            "ObjectParts" => {
                members.extend(parts(context, &object).map(|all| ("ObjectParts", all)))
            }
            "ObjectSize" => members.push(("ObjectSize", Value::Int(object.size as i64))),
            "StorageClass" => {
                members.push(("StorageClass", headers::storage_class(&object.headers).into()));
            }
            other => {
                let message = "Invalid attribute name specified.";
                return Err(errors::invalid_argument(ASKED, other, message));
            }
        }
    }
    if bucket.config().versioning != Versioning::Off {
        members.push(("VersionId", bucket.version_id(&object).into()));
    }
    Ok(Answer::of(members))
}

fn sums(object: &Object) -> Option<Value> {
    let found = object.headers.iter().filter_map(|(name, sum)| {
        // A checksum of parts ends with their number; this operation alone leaves it out.
        let sum = sum.split('-').next().unwrap_or_default();
        Algorithm::of_header(name).map(|one| (one.member(), sum.into()))
    });
    let mut members: Vec<(&str, Value)> = found.collect();
    if members.is_empty() {
        return None;
    }
    members.extend(object.header(checksum::TYPE).map(|kind| ("ChecksumType", kind.into())));
    Some(structure(members))
}

/// How many parts an object was uploaded in, and their sizes where it has a checksum of parts.
fn parts(context: &Context, object: &Object) -> Option<Value> {
    if object.parts.is_empty() {
        return None;
    }
    let count = object.parts.len();
    let mut members = vec![("TotalPartsCount", Value::Int(count as i64))];
    if object.headers.iter().any(|(name, _)| Algorithm::of_header(name).is_some()) {
        let number = |name: &str| context.header(name).and_then(|text| text.parse::<usize>().ok());
        let after = number("x-amz-part-number-marker").unwrap_or(0);
        let max = number("x-amz-max-parts").unwrap_or(LIST_KEYS_MAX).min(LIST_KEYS_MAX);
        let numbered = object.parts.iter().zip(1_usize..).skip(after).take(max);
        let part = |(size, number): (&u64, usize)| {
            structure(vec![
                ("PartNumber", Value::Int(number as i64)),
                ("Size", Value::Int(*size as i64)),
            ])
        };
        let shown: Vec<Value> = numbered.map(part).collect();
        let last = after + shown.len();
        members.extend([
            ("PartNumberMarker", after.to_string().into()),
            ("NextPartNumberMarker", last.to_string().into()),
            ("MaxParts", Value::Int(max as i64)),
            ("IsTruncated", Value::Bool(last < count)),
            ("Parts", Value::List(shown)),
        ]);
    }
    Some(structure(members))
}
