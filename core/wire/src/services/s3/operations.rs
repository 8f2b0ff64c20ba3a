//! The operations that are built, by their names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::Sha256;
use trunkline_engine::Bucket;

use super::answer::Answer;
use super::checksum::{Algorithm, Hasher};
use super::content::Received;
use super::context::Context;
use super::{
    attributes, buckets, copy, errors, get, list, multipart, notification, objects, settings,
};
use crate::error::Result;

type Run = fn(&Context) -> Result<Answer>;

/// The operations whose inputs are documents or nothing.
const OPERATIONS: &[(&str, Run)] = &[
    ("AbortMultipartUpload", multipart::abort_multipart_upload),
    ("CompleteMultipartUpload", multipart::complete_multipart_upload),
    ("CopyObject", copy::copy_object),
    ("CreateBucket", buckets::create_bucket),
    ("CreateMultipartUpload", multipart::create_multipart_upload),
    ("DeleteBucket", buckets::delete_bucket),
    ("DeleteBucketCors", settings::delete_bucket_cors),
    ("DeleteBucketLifecycle", settings::delete_bucket_lifecycle),
    ("DeleteBucketPolicy", settings::delete_bucket_policy),
    ("DeleteBucketTagging", settings::delete_bucket_tagging),
    ("DeleteObject", objects::delete_object),
    ("DeleteObjectTagging", settings::delete_object_tagging),
    ("DeleteObjects", objects::delete_objects),
    ("GetBucketCors", settings::get_bucket_cors),
    ("GetBucketLifecycleConfiguration", settings::get_bucket_lifecycle),
    ("GetBucketLocation", buckets::get_bucket_location),
    ("GetBucketNotificationConfiguration", notification::get),
    ("GetBucketPolicy", settings::get_bucket_policy),
    ("GetBucketTagging", settings::get_bucket_tagging),
    ("GetBucketVersioning", buckets::get_bucket_versioning),
    ("GetObject", get::get_object),
    ("GetObjectAttributes", attributes::get_object_attributes),
    ("GetObjectTagging", settings::get_object_tagging),
    ("HeadBucket", buckets::head_bucket),
    ("HeadObject", get::head_object),
    ("ListBuckets", buckets::list_buckets),
    ("ListMultipartUploads", multipart::list_multipart_uploads),
    ("ListObjectVersions", list::list_object_versions),
    ("ListObjects", list::list_objects),
    ("ListObjectsV2", list::list_objects_v2),
    ("ListParts", multipart::list_parts),
    ("PutBucketCors", settings::put_bucket_cors),
    ("PutBucketLifecycleConfiguration", settings::put_bucket_lifecycle),
    ("PutBucketNotificationConfiguration", notification::put),
    ("PutBucketTagging", settings::put_bucket_tagging),
    ("PutBucketVersioning", buckets::put_bucket_versioning),
    ("PutObjectTagging", settings::put_object_tagging),
    ("UploadPartCopy", multipart::upload_part_copy),
];

/// The operations whose inputs have the content of an object.
const CONTENT: &[&str] = &["PutObject", "UploadPart"];

/// The operation whose input is a text as it is.
const POLICY: &str = "PutBucketPolicy";

/// The names of all operations.
pub(super) const NAMES: &[&str] = &names();

const fn names() -> [&'static str; OPERATIONS.len() + CONTENT.len() + 1] {
    let mut names = [""; OPERATIONS.len() + CONTENT.len() + 1];
    let mut place = 0;
    while place < OPERATIONS.len() {
        names[place] = OPERATIONS[place].0;
        place += 1;
    }
    let mut content = 0;
    while content < CONTENT.len() {
        names[place + content] = CONTENT[content];
        content += 1;
    }
    names[place + content] = POLICY;
    names
}

/// What the body of a request is.
pub(super) enum Body {
    Document,
    Content,
}

/// What the body of a request is; refuses operations that are not built.
pub(super) fn body_of(context: &Context) -> Result<Body> {
    let name = &*context.operation;
    if CONTENT.contains(&name) {
        return Ok(Body::Content);
    }
    if name == POLICY || OPERATIONS.iter().any(|(own, _)| *own == name) {
        return Ok(Body::Document);
    }
    let message = format!("{name} is not built: this server does not have that part of S3.");
    Err(errors::error("NotImplemented", 501, message))
}

/// Carries out an operation whose input is complete.
pub(super) fn run(context: &Context, document: &[u8]) -> Result<Answer> {
    if context.operation == POLICY {
        return settings::put_bucket_policy(context, document);
    }
    let found = OPERATIONS.iter().find(|(name, _)| *name == context.operation);
    let (_, run) = found.ok_or_else(crate::protocol::unknown_operation)?;
    run(context)
}

/// Carries out an operation with content.
pub(super) fn put(context: &Context, received: Received) -> Result<Answer> {
    match &*context.operation {
        "UploadPart" => multipart::upload_part(context, received),
        _ => objects::put_object(context, received),
    }
}

/// The checksum that a content gets if its request names none.
pub(super) fn default_checksum(context: &Context, bucket: &Bucket) -> Result<Option<Algorithm>> {
    match &*context.operation {
        "UploadPart" => multipart::default_checksum(context, bucket),
        _ => Ok(None),
    }
}

/// Compares a document with what the headers say of it.
pub(super) fn check_digest(context: &Context, document: &[u8]) -> Result<()> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if let Some(stated) = context.header("x-amz-content-sha256").filter(|text| text.len() == 64)
        && stated != hex(&Sha256::digest(document))
    {
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(errors::error("XAmzContentSHA256Mismatch", 400, message));
    }
    if let Some(stated) = context.header("content-md5")
        && stated != STANDARD.encode(Md5::digest(document))
    {
        let message = "The Content-MD5 you specified did not match what we received.";
        return Err(errors::error("BadDigest", 400, message));
    }
    for (name, value) in &context.headers {
        let Some(algorithm) = Algorithm::of_header(name.as_str()) else { continue };
        let mut hasher = Hasher::new(algorithm);
        hasher.update(document);
        if value.as_bytes() != hasher.finish().as_bytes() {
            let name = algorithm.name().to_ascii_uppercase();
            let message =
                format!("The {name} you specified did not match the calculated checksum.");
            return Err(errors::error("BadDigest", 400, message));
        }
    }
    Ok(())
}

/// The elements around answers, which the model does not name.
const ROOTS: &[(&str, &str, &str)] = &[
    ("ListBuckets", "ListBucketsResult", "ListAllMyBucketsResult"),
    ("ListObjects", "ListObjectsResult", "ListBucketResult"),
    ("ListObjectsV2", "ListObjectsV2Result", "ListBucketResult"),
    ("ListObjectVersions", "ListObjectVersionsResult", "ListVersionsResult"),
    ("DeleteObjects", "DeleteObjectsResult", "DeleteResult"),
    ("GetBucketVersioning", "GetBucketVersioningResult", "VersioningConfiguration"),
    ("GetBucketCors", "GetBucketCorsResult", "CORSConfiguration"),
    ("GetBucketTagging", "GetBucketTaggingResult", "Tagging"),
    ("GetObjectTagging", "GetObjectTaggingResult", "Tagging"),
    (
        "GetBucketNotificationConfiguration",
        "GetBucketNotificationConfigurationResult",
        "NotificationConfiguration",
    ),
    (
        "GetBucketLifecycleConfiguration",
        "GetBucketLifecycleConfigurationResult",
        "LifecycleConfiguration",
    ),
    ("CreateMultipartUpload", "CreateMultipartUploadResult", "InitiateMultipartUploadResult"),
];

/// Gives the element around an answer its name: the model does not know it.
pub(super) fn rename_root(operation: &str, body: &mut Vec<u8>) {
    let Some((_, from, to)) = ROOTS.iter().find(|(name, _, _)| *name == operation) else { return };
    let text = String::from_utf8_lossy(body);
    let renamed = text.replacen(&format!("<{from} "), &format!("<{to} "), 1).replacen(
        &format!("<{from}>"),
        &format!("<{to}>"),
        1,
    );
    let closing = format!("</{from}>");
    if let Some(rest) = renamed.strip_suffix(&closing) {
        *body = format!("{rest}</{to}>").into_bytes();
    }
}
