//! Uploads in parts.

use std::sync::Arc;

use trunkline_engine::{Bucket, CompletedPart, Object, PART_NUMBER_MAX, Pairs, Part, Upload};

use super::answer::{Answer, quoted, time};
use super::checksum::{self, Algorithm};
use super::content::Received;
use super::context::Context;
use super::headers::{self, INTERNAL};
use super::list::{limit, owner, structure};
use super::objects::{condition, failed, with_version};
use super::{copy, errors};
use crate::error::Result;
use crate::value::Value;

/// Where an upload keeps the algorithm of its checksums, and what they are of.
const ALGORITHM: &str = "!checksum-algorithm";
const TYPE: &str = "!checksum-type";
/// Where an object keeps the id of the upload that it was.
const UPLOAD: &str = "!upload";

pub(super) fn create_multipart_upload(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let mut attributes = headers::attributes(context)?;
    let algorithm = checksum::asked(context)?;
    let kind = kind_of(context, algorithm)?;
    let mut answer = Vec::new();
    if let Some(algorithm) = algorithm {
        attributes.headers.push((ALGORITHM.to_owned(), algorithm.name().to_owned()));
        attributes.headers.push((TYPE.to_owned(), kind.to_owned()));
        answer.push(("x-amz-checksum-algorithm", algorithm.name().to_ascii_uppercase()));
        answer.push(("x-amz-checksum-type", kind.to_owned()));
    }
    let begun = bucket.begin_upload(context.key(), attributes);
    let (upload, ticket) = begun.map_err(|error| context.failed(&error))?;
    let mut made = Answer::of(vec![
        ("Bucket", context.bucket_name().into()),
        ("Key", context.key().into()),
        ("UploadId", bucket.upload_id(&upload).into()),
    ]);
    for (name, value) in answer {
        made = made.with(name, value);
    }
    Ok(made.after(ticket))
}

fn kind_of(context: &Context, algorithm: Option<Algorithm>) -> Result<&'static str> {
    let is_crc64 = algorithm == Some(Algorithm::Crc64Nvme);
    let is_sha = matches!(algorithm, Some(Algorithm::Sha1 | Algorithm::Sha256));
    match context.header("x-amz-checksum-type") {
        None if is_crc64 => Ok("FULL_OBJECT"),
        None => Ok("COMPOSITE"),
        Some("COMPOSITE") if !is_crc64 => Ok("COMPOSITE"),
        Some("FULL_OBJECT") if !is_sha => Ok("FULL_OBJECT"),
        Some(kind) => Err(errors::invalid_request(format!(
            "The {kind} checksum type cannot be used with the {} checksum algorithm.",
            algorithm.map_or("", Algorithm::name)
        ))),
    }
}

fn internal<'u>(upload: &'u Upload, name: &str) -> Option<&'u str> {
    upload.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// The upload that a request names.
pub(super) fn find(context: &Context, bucket: &Bucket) -> Result<Upload> {
    let id = context.text("UploadId").unwrap_or("");
    bucket.upload(context.key(), id).map_err(|error| context.failed(&error))
}

/// The number of the part that a request names.
pub(super) fn part_number(context: &Context) -> Result<u32> {
    let number = context.number("PartNumber").unwrap_or(0);
    let found = u32::try_from(number).ok().filter(|n| (1..=PART_NUMBER_MAX).contains(n));
    found.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        errors::invalid_argument("partNumber", &number.to_string(), message)
    })
}

/// The checksum that a part gets if its request does not say: that of its upload.
pub(super) fn default_checksum(context: &Context, bucket: &Bucket) -> Result<Option<Algorithm>> {
    let upload = find(context, bucket)?;
    part_number(context)?;
    Ok(internal(&upload, ALGORITHM).and_then(Algorithm::named))
}

pub(super) fn upload_part(context: &Context, received: Received) -> Result<Answer> {
    let bucket = context.bucket()?;
    let number = part_number(context)?;
    let id = context.text("UploadId").unwrap_or("");
    let checksums = received.checksums.clone();
    let put = bucket.put_part(context.key(), id, number, received.content, checksums);
    let (part, ticket) = put.map_err(|error| context.failed(&error))?;
    let mut answer = Answer::empty().after(ticket).with("etag", quoted(&part.etag));
    for (name, value) in received.checksums {
        answer = answer.with(&name, value);
    }
    Ok(answer)
}

pub(super) fn upload_part_copy(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let algorithm = default_checksum(context, &bucket)?;
    let number = part_number(context)?;
    let (content, checksums) = copy::part_content(context, algorithm)?;
    let id = context.text("UploadId").unwrap_or("");
    let put = bucket.put_part(context.key(), id, number, content, checksums);
    let (part, ticket) = put.map_err(|error| context.failed(&error))?;
    let mut result =
        vec![("ETag", quoted(&part.etag).into()), ("LastModified", time(part.modified))];
    for (name, value) in &part.checksums {
        let member = Algorithm::of_header(name).map(Algorithm::member);
        result.extend(member.map(|member| (member, value.as_str().into())));
    }
    Ok(Answer::of(vec![("CopyPartResult", structure(result))]).after(ticket))
}

pub(super) fn complete_multipart_upload(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let id = context.text("UploadId").unwrap_or("");
    let named = named_parts(context)?;
    let upload = match bucket.upload(context.key(), id) {
        Ok(upload) => upload,
        // A caller that did not hear the first answer asks again.
        Err(error) => {
            let made = made_before(context, &bucket, id, named.len())?;
            let object = made.ok_or_else(|| context.failed(&error))?;
            return Ok(completed(context, &bucket, &object));
        }
    };
    check_stated(&upload, context)?;
    let mut headers = whole_checksum(context, &upload, &named)?;
    headers.push((UPLOAD.to_owned(), id.to_owned()));
    let condition = condition(context)?;
    let cause = context.cause("ObjectCreated:CompleteMultipartUpload");
    let put = bucket.complete_upload(context.key(), id, &named, headers, &condition, &cause);
    let put = put.map_err(|error| failed(context, &error))?;
    Ok(completed(context, &bucket, &put.object).after(put.ticket))
}

/// The object that an upload became, if the key still has it.
fn made_before(
    context: &Context,
    bucket: &Bucket,
    id: &str,
    parts: usize,
) -> Result<Option<Arc<Object>>> {
    let newest = bucket.newest(context.key()).map_err(|error| context.failed(&error))?;
    let is_its = |object: &Arc<Object>| {
        object.header(UPLOAD).is_some_and(|own| own == id) && object.parts.len() == parts
    };
    Ok(newest.filter(is_its))
}

/// The answer to the completion of an upload.
fn completed(context: &Context, bucket: &Bucket, object: &Object) -> Answer {
    let key = context.key();
    let mut members = vec![
        ("Location", format!("/{}/{key}", context.bucket_name()).into()),
        ("Bucket", context.bucket_name().into()),
        ("Key", key.into()),
        ("ETag", quoted(&object.etag).into()),
    ];
    for (name, value) in &object.headers {
        let member = match Algorithm::of_header(name) {
            Some(algorithm) => algorithm.member(),
            None if name == checksum::TYPE => "ChecksumType",
            None => continue,
        };
        members.push((member, value.as_str().into()));
    }
    with_version(Answer::of(members), bucket, object)
}

/// The parts that the caller says make the object.
fn named_parts(context: &Context) -> Result<Vec<CompletedPart>> {
    let asked = context.input.get("MultipartUpload").and_then(|asked| asked.get("Parts"));
    let Some(Value::List(parts)) = asked else { return Err(errors::malformed_xml()) };
    let mut named: Vec<CompletedPart> = Vec::with_capacity(parts.len());
    for part in parts {
        let number = part.get("PartNumber").and_then(Value::as_int);
        let etag = part.get("ETag").and_then(Value::as_str);
        let (Some(number), Some(etag)) = (number, etag) else {
            return Err(errors::malformed_xml());
        };
        let number = u32::try_from(number).map_err(|_| errors::malformed_xml())?;
        if named.last().is_some_and(|last| last.number >= number) {
            let message = "The list of parts was not in ascending order. Parts must be ordered by \
                           part number.";
            return Err(errors::error("InvalidPartOrder", 400, message));
        }
        named.push(CompletedPart { number, etag: etag.trim_matches('"').to_owned() });
    }
    if named.is_empty() {
        return Err(errors::malformed_xml());
    }
    Ok(named)
}

/// Compares the checksums of parts that a caller states with those of the parts.
fn check_stated(upload: &Upload, context: &Context) -> Result<()> {
    let asked = context.input.get("MultipartUpload").and_then(|asked| asked.get("Parts"));
    let Some(Value::List(parts)) = asked else { return Ok(()) };
    for named in parts {
        let number = named.get("PartNumber").and_then(Value::as_int).unwrap_or(0);
        let Some(part) = u32::try_from(number).ok().and_then(|n| upload.parts.get(&n)) else {
            continue;
        };
        for (header, own) in &part.checksums {
            let member = Algorithm::of_header(header).map(Algorithm::member).unwrap_or("");
            let stated = named.get(member).and_then(Value::as_str);
            if stated.is_some_and(|stated| stated != own) {
                let error = trunkline_types::Error::new(trunkline_types::Code::InvalidPart, "");
                return Err(context.failed(&error));
            }
        }
    }
    Ok(())
}

/// The checksum of the object that the parts make, if all have one; checks what the caller states.
fn whole_checksum(context: &Context, upload: &Upload, named: &[CompletedPart]) -> Result<Pairs> {
    let asked = internal(upload, ALGORITHM).and_then(Algorithm::named);
    let algorithm = asked.unwrap_or(Algorithm::Crc64Nvme);
    let header = algorithm.header();
    let parts: Option<Vec<(&str, u64)>> = named
        .iter()
        .map(|named| {
            let part = upload.parts.get(&named.number)?;
            let sum = part.checksums.iter().find(|(name, _)| *name == header)?;
            Some((sum.1.as_str(), part.size))
        })
        .collect();
    let Some(parts) = parts else { return Ok(Vec::new()) };
    let kind = match asked {
        Some(_) => internal(upload, TYPE).unwrap_or("COMPOSITE"),
        None => "FULL_OBJECT",
    };
    let sums: Vec<&str> = parts.iter().map(|(sum, _)| *sum).collect();
    let found = match kind {
        "FULL_OBJECT" => checksum::of_whole(algorithm, &parts),
        _ => checksum::composite(algorithm, &sums),
    };
    let Some(found) = found else { return Ok(Vec::new()) };
    let stated = context.header(&header).filter(|stated| *stated != found);
    if stated.is_some() {
        let name = algorithm.name().to_ascii_uppercase();
        let message = format!("The {name} you specified did not match the calculated checksum.");
        return Err(errors::error("BadDigest", 400, message));
    }
    Ok(vec![(header, found), (checksum::TYPE.to_owned(), kind.to_owned())])
}

pub(super) fn abort_multipart_upload(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let id = context.text("UploadId").unwrap_or("");
    let ticket = bucket.abort_upload(context.key(), id);
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}

pub(super) fn list_parts(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let upload = find(context, &bucket)?;
    let marker = context.text("PartNumberMarker").and_then(|text| text.parse::<u32>().ok());
    let marker = marker.unwrap_or(0);
    let max = limit(context, "MaxParts", "max-parts")?;
    let mut parts: Vec<(u32, &Part)> =
        upload.parts.range(marker.saturating_add(1)..).map(|(n, part)| (*n, part)).collect();
    let is_cut = max > 0 && parts.len() > max;
    parts.truncate(max);
    let last = parts.last().map_or(marker, |(number, _)| *number);
    let entry = |(number, part): &(u32, &Part)| {
        let mut members = vec![
            ("PartNumber", Value::Int(i64::from(*number))),
            ("LastModified", time(part.modified)),
            ("ETag", quoted(&part.etag).into()),
            ("Size", Value::Int(part.size as i64)),
        ];
        for (header, value) in &part.checksums {
            let member = Algorithm::of_header(header).map(Algorithm::member);
            members.extend(member.map(|member| (member, value.as_str().into())));
        }
        structure(members)
    };
    let mut members = vec![
        ("Bucket", context.bucket_name().into()),
        ("Key", context.key().into()),
        ("UploadId", bucket.upload_id(&upload).into()),
        ("PartNumberMarker", marker.to_string().into()),
        ("NextPartNumberMarker", last.to_string().into()),
        ("MaxParts", Value::Int(max as i64)),
        ("IsTruncated", Value::Bool(is_cut)),
        ("Parts", Value::List(parts.iter().map(entry).collect())),
        ("Owner", owner(&bucket)),
        ("Initiator", owner(&bucket)),
        ("StorageClass", super::headers::storage_class(&upload.headers).into()),
    ];
    if let Some(algorithm) = internal(&upload, ALGORITHM) {
        members.push(("ChecksumAlgorithm", algorithm.to_ascii_uppercase().into()));
        members.extend(internal(&upload, TYPE).map(|kind| ("ChecksumType", kind.into())));
    }
    Ok(Answer::of(members))
}

pub(super) fn list_multipart_uploads(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let prefix = context.text("Prefix").unwrap_or("");
    let delimiter = context.text("Delimiter").filter(|text| !text.is_empty());
    let key_marker = context.text("KeyMarker").filter(|text| !text.is_empty());
    let id_marker = context.text("UploadIdMarker").filter(|text| !text.is_empty());
    let max = limit(context, "MaxUploads", "max-uploads")?;
    let after = key_marker.map(|key| (key, id_marker));
    let found = bucket.uploads(prefix, after).map_err(|error| context.failed(&error))?;
    let (mut uploads, mut prefixes): (Vec<Value>, Vec<String>) = Default::default();
    let (mut last, mut is_cut) = (None, false);
    for upload in &found {
        let rest = &upload.key[prefix.len()..];
        let group = delimiter.and_then(|text| Some(rest.find(text)? + text.len()));
        let group = group.map(|end| format!("{prefix}{}", &rest[..end]));
        if group.as_ref().is_some_and(|group| prefixes.last() == Some(group)) {
            // The next page goes on behind all that the prefix stands for.
            last = Some(upload);
            continue;
        }
        if uploads.len() + prefixes.len() == max {
            is_cut = max > 0;
            break;
        }
        last = Some(upload);
        match group {
            Some(group) => prefixes.push(group),
            None => uploads.push(upload_entry(&bucket, upload)),
        }
    }
    let groups = prefixes.iter().map(|one| structure(vec![("Prefix", one.as_str().into())]));
    let mut members = vec![
        ("Bucket", context.bucket_name().into()),
        ("KeyMarker", key_marker.unwrap_or("").into()),
        ("UploadIdMarker", id_marker.unwrap_or("").into()),
        ("Prefix", prefix.into()),
        ("MaxUploads", Value::Int(max as i64)),
        ("IsTruncated", Value::Bool(is_cut)),
        ("CommonPrefixes", Value::List(groups.collect())),
        ("Uploads", Value::List(uploads)),
    ];
    if let (true, Some(last)) = (is_cut, last) {
        members.push(("NextKeyMarker", last.key.as_str().into()));
        members.push(("NextUploadIdMarker", bucket.upload_id(last).into()));
    }
    Ok(Answer::of(members))
}

fn upload_entry(bucket: &Arc<Bucket>, upload: &Upload) -> Value {
    structure(vec![
        ("UploadId", bucket.upload_id(upload).into()),
        ("Key", upload.key.as_str().into()),
        ("Initiated", time(upload.begun)),
        ("StorageClass", super::headers::storage_class(&upload.headers).into()),
        ("Owner", owner(bucket)),
        ("Initiator", owner(bucket)),
    ])
}

const _: () = assert!(ALGORITHM.as_bytes()[0] == INTERNAL.as_bytes()[0]);
