//! Lists: objects in both versions of the operation, and versions of objects.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trunkline_engine::{Bucket, Entry, ListRequest, Object, VersionEntry, VersionRef};

use super::answer::{Answer, quoted, time};
use super::context::Context;
use super::errors;
use crate::codec::uri;
use crate::error::Result;
use crate::limits::LIST_KEYS_MAX;
use crate::value::Value;

/// The names of keys in an answer: escaped if the caller asks for it.
struct Names(bool);

impl Names {
    fn of(context: &Context) -> Result<Self> {
        match context.text("EncodingType") {
            None | Some("") => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => Err(errors::invalid_argument(
                "encoding-type",
                other,
                "Invalid Encoding Method specified in Request",
            )),
        }
    }

    fn text(&self, name: &str) -> Value {
        if self.0 { uri::encode(name.as_bytes(), true).into() } else { name.into() }
    }
}

/// Most entries of the page that is asked for.
pub(super) fn limit(context: &Context, member: &str, name: &str) -> Result<usize> {
    match context.number(member) {
        None => Ok(LIST_KEYS_MAX),
        Some(number) => {
            usize::try_from(number).map(|number| number.min(LIST_KEYS_MAX)).map_err(|_| {
                let message =
                    format!("Argument {name} must be an integer between 0 and 2147483647");
                errors::invalid_argument(name, &number.to_string(), &message)
            })
        }
    }
}

fn delimiter(context: &Context) -> Option<&str> {
    context.text("Delimiter").filter(|text| !text.is_empty())
}

pub(super) fn list_objects(context: &Context) -> Result<Answer> {
    let marker = context.text("Marker").unwrap_or("");
    let (names, max) = (Names::of(context)?, limit(context, "MaxKeys", "max-keys")?);
    let mut page =
        Listed::read(context, &names, Some(marker).filter(|text| !text.is_empty()), max)?;
    page.members.push(("Marker", names.text(marker)));
    if let (Some(next), Some(_)) = (&page.next, delimiter(context)) {
        page.members.push(("NextMarker", names.text(next)));
    }
    Ok(Answer::of(page.members))
}

pub(super) fn list_objects_v2(context: &Context) -> Result<Answer> {
    let (names, max) = (Names::of(context)?, limit(context, "MaxKeys", "max-keys")?);
    let token = context.text("ContinuationToken");
    let start = context.text("StartAfter").filter(|text| !text.is_empty());
    let decoded = token.map(decode).transpose()?;
    let mut page = Listed::read(context, &names, decoded.as_deref().or(start), max)?;
    let count = Value::Int(page.count as i64);
    page.members.push(("KeyCount", count));
    page.members.extend(start.map(|start| ("StartAfter", names.text(start))));
    page.members.extend(token.map(|token| ("ContinuationToken", token.into())));
    let next = page.next.map(|next| ("NextContinuationToken", encode(&next).into()));
    page.members.extend(next);
    Ok(Answer::of(page.members))
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn decode(token: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| !bytes.is_empty());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        let message = "The continuation token provided is incorrect";
        errors::invalid_argument("continuation-token", token, message)
    })
}

/// A page of objects.
struct Listed {
    members: Vec<(&'static str, Value)>,
    next: Option<String>,
    count: usize,
}

impl Listed {
    fn read(context: &Context, names: &Names, after: Option<&str>, limit: usize) -> Result<Self> {
        let bucket = context.bucket()?;
        let prefix = context.text("Prefix").unwrap_or("");
        let delimiter = delimiter(context);
        let request = ListRequest { prefix, delimiter, after, limit };
        let page = match limit {
            0 => Default::default(),
            _ => bucket.list(&request).map_err(|error| context.failed(&error))?,
        };
        let with_owner = context.operation == "ListObjects"
            || matches!(context.input.get("FetchOwner"), Some(Value::Bool(true)));
        let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
        for entry in &page.entries {
            match entry {
                Entry::Object(key, object) => {
                    let mut members = summary(names, key, object);
                    if with_owner {
                        members.push(("Owner", owner(&bucket)));
                    }
                    contents.push(structure(members));
                }
                Entry::Prefix(prefix) => {
                    prefixes.push(structure(vec![("Prefix", names.text(prefix))]));
                }
            }
        }
        let mut members = vec![
            ("Name", bucket.name().name.as_str().into()),
            ("Prefix", names.text(prefix)),
            ("MaxKeys", Value::Int(limit as i64)),
            ("IsTruncated", Value::Bool(page.next.is_some())),
            ("Contents", Value::List(contents)),
            ("CommonPrefixes", Value::List(prefixes)),
        ];
        members.extend(delimiter.map(|text| ("Delimiter", names.text(text))));
        if names.0 {
            members.push(("EncodingType", "url".into()));
        }
        Ok(Self { members, next: page.next, count: page.entries.len() })
    }
}

/// A structure of these members.
pub(super) fn structure(members: Vec<(&str, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The owner of a bucket, and so of everything in it.
pub(super) fn owner(bucket: &Bucket) -> Value {
    structure(vec![("ID", bucket.name().account.as_str().into())])
}

fn summary(names: &Names, key: &str, object: &Object) -> Vec<(&'static str, Value)> {
    let mut members = vec![
        ("Key", names.text(key)),
        ("LastModified", time(object.modified)),
        ("ETag", quoted(&object.etag).into()),
        ("Size", Value::Int(object.size as i64)),
        ("StorageClass", super::headers::storage_class(&object.headers).into()),
    ];
    let (algorithms, kind) = super::checksum::described(object);
    if !algorithms.is_empty() {
        members.push(("ChecksumAlgorithm", Value::List(algorithms)));
        members.extend(kind.map(|kind| ("ChecksumType", kind.into())));
    }
    members
}

pub(super) fn list_object_versions(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let (names, max) = (Names::of(context)?, limit(context, "MaxKeys", "max-keys")?);
    let prefix = context.text("Prefix").unwrap_or("");
    let delimiter = delimiter(context);
    let after = context.text("KeyMarker").filter(|text| !text.is_empty());
    let below = context.text("VersionIdMarker").filter(|text| !text.is_empty());
    let request = ListRequest { prefix, delimiter, after, limit: max };
    let below_version = below.map(VersionRef::from);
    if below.is_some() && after.is_none() {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(errors::invalid_argument("version-id-marker", below.unwrap_or(""), message));
    }
    let listed = match max {
        0 => Ok(Default::default()),
        _ => bucket.list_versions(&request, below_version.as_ref()),
    };
    let (entries, is_cut) = listed.map_err(|error| context.failed(&error))?;
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: Option<(&str, Option<String>)> = None;
    for entry in &entries {
        match entry {
            VersionEntry::Prefix(prefix) => {
                last = Some((prefix, None));
                prefixes.push(structure(vec![("Prefix", names.text(prefix))]));
            }
            VersionEntry::Version(key, object, is_newest) => {
                let id = bucket.version_id(object);
                let mut members = summary(&names, key, object);
                members.push(("VersionId", id.as_str().into()));
                members.push(("IsLatest", Value::Bool(*is_newest)));
                members.push(("Owner", owner(&bucket)));
                last = Some((key, Some(id)));
                let list = if object.is_delete_marker { &mut markers } else { &mut versions };
                list.push(structure(members));
            }
        }
    }
    let mut members = vec![
        ("Name", bucket.name().name.as_str().into()),
        ("Prefix", names.text(prefix)),
        ("KeyMarker", names.text(after.unwrap_or(""))),
        ("VersionIdMarker", below.unwrap_or("").into()),
        ("MaxKeys", Value::Int(max as i64)),
        ("IsTruncated", Value::Bool(is_cut)),
        ("Versions", Value::List(versions)),
        ("DeleteMarkers", Value::List(markers)),
        ("CommonPrefixes", Value::List(prefixes)),
    ];
    members.extend(delimiter.map(|text| ("Delimiter", names.text(text))));
    if names.0 {
        members.push(("EncodingType", "url".into()));
    }
    if let (true, Some((key, id))) = (is_cut, last) {
        members.push(("NextKeyMarker", names.text(key)));
        members.extend(id.map(|id| ("NextVersionIdMarker", id.into())));
    }
    Ok(Answer::of(members))
}
