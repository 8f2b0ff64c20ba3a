//! Headers that are put with an object and come back with it.

use trunkline_engine::{Attributes, Object, Pairs};

use super::checksum;
use super::context::Context;
use super::errors;
use crate::codec::form::Form;
use crate::codec::time;
use crate::error::Result;
use crate::limits;
use crate::model::TimeFormat;

/// Headers that are kept as they are.
const KEPT: [&str; 7] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    REDIRECT,
];
const REDIRECT: &str = "x-amz-website-redirect-location";
/// The header of the class in which an object is kept; that of most is left out.
const CLASS: &str = "x-amz-storage-class";
const USUAL_CLASS: &str = "STANDARD";
/// Classes whose objects are read at once: what they cost is all that tells them apart.
const CLASSES: [&str; 5] =
    ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR"];
/// Classes whose objects are restored before they are read, and those of other kinds of buckets.
const ARCHIVES: [&str; 5] = ["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"];
const METADATA: &str = "x-amz-meta-";
/// The prefix of members that are kept for the service itself and are no headers of answers.
pub(super) const INTERNAL: &str = "!";
/// What asks for something that is not built. Nothing here succeeds in silence.
const REFUSED: [&str; 8] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-write-offset-bytes",
];
const GRANTS: [&str; 5] = [
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
];

/// Refuses headers that ask for what is not built.
pub(super) fn refuse_unbuilt(context: &Context) -> Result<()> {
    if let Some(name) = REFUSED.into_iter().find(|name| context.headers.contains_key(*name)) {
        return Err(errors::not_implemented(name));
    }
    // As on AWS for buckets whose owner owns all objects, which is the default there.
    let acl = context.header("x-amz-acl").unwrap_or("private");
    let is_granted = GRANTS.iter().any(|name| context.headers.contains_key(*name));
    if is_granted || !matches!(acl, "private" | "bucket-owner-full-control") {
        let message = "The bucket does not allow ACLs";
        return Err(errors::error("AccessControlListNotSupported", 400, message));
    }
    match context.header(CLASS) {
        None | Some(USUAL_CLASS) => Ok(()),
        Some(class) if CLASSES.contains(&class) => Ok(()),
        Some(class) if ARCHIVES.contains(&class) => {
            Err(errors::not_implemented(&format!("{CLASS}: {class}")))
        }
        Some(class) => Err(errors::with(
            errors::error(
                "InvalidStorageClass",
                400,
                "The storage class you specified is not valid",
            ),
            &[("StorageClassRequested", class)],
        )),
    }
}

/// What a put says of its object.
pub(super) fn attributes(context: &Context) -> Result<Attributes> {
    refuse_unbuilt(context)?;
    let mut headers: Pairs = Vec::new();
    let mut metadata_bytes = 0;
    for (name, value) in &context.headers {
        let name = name.as_str();
        let is_metadata = name.starts_with(METADATA);
        let is_class = name == CLASS && value != USUAL_CLASS;
        if !is_metadata && !is_class && !KEPT.contains(&name) {
            continue;
        }
        let mut text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == "content-encoding" {
            // That of the request, not of the object.
            let kept = text.split(',').map(str::trim).filter(|one| *one != "aws-chunked");
            text = kept.collect::<Vec<_>>().join(",");
            if text.is_empty() {
                continue;
            }
        }
        if is_metadata {
            metadata_bytes += name.len() - METADATA.len() + text.len();
        }
        match headers.iter_mut().find(|(own, _)| own == name) {
            Some((_, earlier)) => *earlier = format!("{earlier},{text}"),
            None => headers.push((name.to_owned(), text)),
        }
    }
    if metadata_bytes > limits::METADATA_BYTES_MAX {
        let (size, max) = (metadata_bytes.to_string(), limits::METADATA_BYTES_MAX.to_string());
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        let found = errors::error("MetadataTooLarge", 400, message);
        return Err(errors::with(found, &[("Size", &size), ("MaxSizeAllowed", &max)]));
    }
    let tags = context.header("x-amz-tagging").map(tags).transpose()?.unwrap_or_default();
    Ok(Attributes { headers, tags })
}

/// The class in which an object or an upload of these headers is kept.
pub(super) fn storage_class(headers: &Pairs) -> &str {
    headers.iter().find(|(name, _)| name == CLASS).map_or(USUAL_CLASS, |(_, class)| class)
}

/// Whether a header is about a copy itself, and not taken from its source.
pub(super) fn is_of_copy(name: &str) -> bool {
    name == CLASS || name == REDIRECT || name.starts_with(INTERNAL) || checksum::is_header(name)
}

/// Whether a request says anew what an object that is copied to itself is besides its metadata.
pub(super) fn changes_in_place(context: &Context) -> bool {
    [CLASS, REDIRECT].into_iter().any(|name| context.headers.contains_key(name))
}

/// The tags of a header, which is a query string.
fn tags(text: &str) -> Result<Pairs> {
    let form = Form::read(text.as_bytes()).map_err(|_| bad_tags(text))?;
    let owned = form.pairs().iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let tags: Pairs = owned.collect();
    check_tags(&tags, &OBJECT_TAGS)?;
    Ok(tags)
}

fn bad_tags(text: &str) -> crate::error::WireError {
    let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query \
                   parameters without tag name duplicates.";
    errors::invalid_argument("x-amz-tagging", text, message)
}

/// What tags may be.
pub(super) struct TagRules {
    max: usize,
    /// What a key is refused with that only AWS may give.
    reserved: &'static str,
}

pub(super) const OBJECT_TAGS: TagRules =
    TagRules { max: limits::OBJECT_TAGS_MAX, reserved: "Your TagKey cannot be prefixed with aws:" };
pub(super) const BUCKET_TAGS: TagRules = TagRules {
    max: limits::BUCKET_TAGS_MAX,
    reserved: "System tags cannot be added/updated by requester",
};

/// Refuses tags that no object or bucket has.
pub(super) fn check_tags(tags: &Pairs, rules: &TagRules) -> Result<()> {
    let max = rules.max;
    let invalid = |message: &str| Err(errors::error("InvalidTag", 400, message));
    if tags.len() > max {
        let message = format!("Object tags cannot be greater than {max}");
        return Err(errors::error("BadRequest", 400, message));
    }
    for (place, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > limits::TAG_KEY_CHARS_MAX {
            return invalid("The TagKey you have provided is invalid");
        }
        if key.starts_with("aws:") {
            return invalid(rules.reserved);
        }
        if value.chars().count() > limits::TAG_VALUE_CHARS_MAX {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags[..place].iter().any(|(other, _)| other == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(())
}

/// The headers of an answer that brings an object, or what is known of it.
pub(super) fn of_object(
    context: &Context,
    bucket: &trunkline_engine::Bucket,
    object: &Object,
) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    add("accept-ranges", "bytes".to_owned());
    add("last-modified", time::write((object.modified / 1_000) as f64, TimeFormat::Http));
    add("etag", super::answer::quoted(&object.etag));
    let wants_checksums = context
        .header("x-amz-checksum-mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    for (name, value) in &object.headers {
        let is_checksum = checksum::is_header(name);
        if !name.starts_with(INTERNAL) && (!is_checksum || wants_checksums) {
            add(name, value.clone());
        }
    }
    if object.header("content-type").is_none() {
        add("content-type", "binary/octet-stream".to_owned());
    }
    if !object.tags.is_empty() {
        add("x-amz-tagging-count", object.tags.len().to_string());
    }
    if bucket.config().versioning != trunkline_engine::Versioning::Off {
        add("x-amz-version-id", bucket.version_id(object));
    }
    if let Some((at, rule)) = bucket.expiry_of(context.key(), object) {
        let date = time::write((at / 1_000) as f64, TimeFormat::Http);
        add("x-amz-expiration", format!("expiry-date=\"{date}\", rule-id=\"{rule}\""));
    }
    headers
}
