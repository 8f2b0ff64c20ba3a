//! Copies of objects. A copy shares the content of its source.

use std::sync::Arc;

use md5::{Digest, Md5};
use trunkline_engine::{Attributes, Bucket, Object, ObjectContent, Pairs, VersionRef};

use super::answer::{Answer, quoted, time};
use super::checksum::{self, Algorithm, Hasher};
use super::conditions::{self, Verdict};
use super::context::Context;
use super::list::structure;
use super::objects::{condition, failed, with_version};
use super::{access, errors, headers};
use crate::codec::uri;
use crate::error::Result;
use crate::limits::OBJECT_PIECE_BYTES;

/// The object that a request copies, its bucket and its key.
fn source(context: &Context) -> Result<(Arc<Bucket>, String, Arc<Object>)> {
    let text = context.header("x-amz-copy-source").unwrap_or("");
    let invalid = || {
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        errors::invalid_argument("x-amz-copy-source", text, message)
    };
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(VersionRef::from(version))),
        None => (text, None),
    };
    let path = String::from_utf8(uri::decode(path.as_bytes(), false)).map_err(|_| invalid())?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (name, key) =
        path.split_once('/').filter(|(_, key)| !key.is_empty()).ok_or_else(invalid)?;
    let wrapped = |error| errors::from_engine(&error, name, key);
    let bucket = context.engine.find_bucket(name).map_err(wrapped)?;
    let bucket = bucket.ok_or_else(|| errors::no_such_bucket(name))?;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    access::check_key(context, &bucket, action, key)?;
    let object = bucket.head(key, version.as_ref()).map_err(wrapped)?;
    if object.is_delete_marker {
        return Err(errors::invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by \
             version id.",
        ));
    }
    if conditions::check(context, &object, "x-amz-copy-source-")? == Verdict::NotModified {
        return Err(errors::precondition_failed("x-amz-copy-source-If-None-Match"));
    }
    Ok((bucket, key.to_owned(), object))
}

pub(super) fn copy_object(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let (from, from_key, object) = source(context)?;
    let is_replaced = directive(context, "x-amz-metadata-directive")?;
    let are_tags_replaced = directive(context, "x-amz-tagging-directive")?;
    let is_same = from.id() == bucket.id() && from_key == context.key();
    let asked = headers::attributes(context)?;
    if is_same
        && !is_replaced
        && !headers::changes_in_place(context)
        && context.header("x-amz-copy-source").is_some_and(|s| !s.contains("?versionId="))
    {
        return Err(errors::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself \
             without changing the object's metadata, storage class, website redirect location or \
             encryption attributes.",
        ));
    }
    let sums: Pairs = match checksum::asked(context)? {
        Some(algorithm) => {
            let (_, sum) = digests(context, &object, (0, object.size), Some(algorithm))?;
            let kind = (checksum::TYPE.to_owned(), checksum::FULL.to_owned());
            sum.into_iter().chain([kind]).collect()
        }
        None => {
            let own = object.headers.iter().filter(|(name, _)| checksum::is_header(name));
            own.cloned().collect()
        }
    };
    let mut attributes = match is_replaced {
        true => Attributes { headers: asked.headers, tags: Vec::new() },
        false => {
            let kept = object.headers.iter().filter(|(name, _)| !headers::is_of_copy(name));
            let own = asked.headers.iter().filter(|(name, _)| headers::is_of_copy(name));
            Attributes { headers: kept.chain(own).cloned().collect(), tags: Vec::new() }
        }
    };
    attributes.headers.extend(sums);
    attributes.tags = if are_tags_replaced { asked.tags } else { object.tags.clone() };
    let cause = context.cause("ObjectCreated:Copy");
    let put = bucket.put(context.key(), object.content(), attributes, &condition(context)?, &cause);
    let put = put.map_err(|error| failed(context, &error))?;
    let mut result = vec![
        ("ETag", quoted(&put.object.etag).into()),
        ("LastModified", time(put.object.modified)),
    ];
    for (name, value) in &put.object.headers {
        if let Some(algorithm) = Algorithm::of_header(name) {
            result.push((algorithm.member(), value.as_str().into()));
        }
    }
    let mut answer = Answer::of(vec![("CopyObjectResult", structure(result))]).after(put.ticket);
    if from.config().versioning != trunkline_engine::Versioning::Off {
        answer = answer.with("x-amz-copy-source-version-id", from.version_id(&object));
    }
    Ok(with_version(answer, &bucket, &put.object))
}

/// Whether a directive says that what the request has replaces what the source has.
fn directive(context: &Context, header: &str) -> Result<bool> {
    match context.header(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(errors::invalid_argument(header, other, "Unknown metadata directive.")),
    }
}

/// The stretch that a copied part is: it has to be named exactly, and to be there.
fn stretch(range: &str, size: u64) -> Result<(u64, u64)> {
    const NAME: &str = "x-amz-copy-source-range";
    let number = |text: &str| text.parse::<u64>().ok();
    let ends = range.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((number(first)?, number(last)?)));
    let (first, last) = ends.filter(|(first, last)| first <= last).ok_or_else(|| {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last \
                       where first and last are the zero-based offsets of the first and last bytes \
                       to copy";
        errors::invalid_argument(NAME, range, message)
    })?;
    if last >= size {
        let message = format!("Range specified is not valid for source object of size: {size}");
        return Err(errors::invalid_argument(NAME, range, &message));
    }
    Ok((first, last - first + 1))
}

/// The content of a part that is copied from an object, and its checksum if one is asked for.
pub(super) fn part_content(
    context: &Context,
    algorithm: Option<Algorithm>,
) -> Result<(ObjectContent, Pairs)> {
    let (_, _, object) = source(context)?;
    let range = context.header("x-amz-copy-source-range");
    let (start, len) = match range {
        Some(range) => stretch(range, object.size)?,
        None => (0, object.size),
    };
    let mut content = object.part_content(start, len);
    let (etag, sum) = digests(context, &object, (start, len), algorithm)?;
    content.etag = etag;
    Ok((content, sum.into_iter().collect()))
}

/// The MD5 of a stretch of an object, and the header of its checksum if one is asked for.
fn digests(
    context: &Context,
    object: &Arc<Object>,
    (start, len): (u64, u64),
    algorithm: Option<Algorithm>,
) -> Result<(String, Option<(String, String)>)> {
    let failed = |error| context.failed(&error);
    let mut reader = object.open(start, len).map_err(failed)?;
    let (mut hash, mut buffer) = (Md5::new(), vec![0; OBJECT_PIECE_BYTES]);
    let mut hasher = algorithm.map(Hasher::new);
    loop {
        let count = reader.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        hasher.iter_mut().for_each(|hasher| hasher.update(&buffer[..count]));
    }
    let etag = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((etag, hasher.map(|hasher| (hasher.algorithm.header(), hasher.finish()))))
}
