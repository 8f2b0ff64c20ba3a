//! Who may use a bucket, when signatures are proved: its own account unless its policy forbids it,
//! and other callers only if its policy allows it.

use trunkline_engine::Bucket;

use super::context::Context;
use super::errors;
use crate::error::Result;
use crate::service::Guarded;

/// The document of a bucket that is its policy.
pub(super) const POLICY: &str = "policy";

/// Actions that mend a policy which locks the owner out.
const REPAIRING: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// Checks that the caller may do what the request asks for.
pub(super) fn check(context: &Context) -> Result<()> {
    let Some(access) = &context.access else { return Ok(()) };
    let is_anonymous = access.principal.is_empty();
    let name = context.bucket_name();
    let bucket = match name.is_empty() {
        true => None,
        false => context.engine.find_bucket(name).map_err(|error| context.failed(&error))?,
    };
    match bucket {
        Some(bucket) => check_key(context, &bucket, &action(context), context.key()),
        // Every known caller may create buckets and list its own.
        None if is_anonymous => Err(errors::access_denied()),
        None => Ok(()),
    }
}

/// Checks that the caller may do `action` with a key of a bucket, or with the bucket itself.
pub(super) fn check_key(context: &Context, bucket: &Bucket, action: &str, key: &str) -> Result<()> {
    let Some(access) = &context.access else { return Ok(()) };
    let is_anonymous = access.principal.is_empty();
    let config = bucket.config();
    let mut resource = format!("arn:aws:s3:::{}", bucket.name().name);
    if !key.is_empty() {
        resource.push('/');
        resource.push_str(key);
    }
    let mut asking = access.clone();
    for (name, member) in [("s3:prefix", "Prefix"), ("s3:delimiter", "Delimiter")] {
        asking.keys.extend(context.text(member).map(|text| (name, text.to_owned())));
    }
    let guarded = Guarded {
        account: if is_anonymous { "" } else { &context.account },
        owner: &bucket.name().account,
        action,
        resource: &resource,
        policy: config.documents.get(POLICY).map(String::as_str),
        repairs: REPAIRING.contains(&action),
    };
    asking.permit(&guarded).map_err(|why| match is_anonymous {
        true => errors::access_denied(),
        false => errors::error("AccessDenied", 403, why),
    })
}

/// The action of policies that an operation is.
fn action(context: &Context) -> String {
    let is_versioned = context.version().is_some();
    let name = match &*context.operation {
        "HeadObject" | "GetObject" | "GetObjectAttributes" if is_versioned => "GetObjectVersion",
        "HeadObject" | "GetObjectAttributes" => "GetObject",
        "DeleteObject" if is_versioned => "DeleteObjectVersion",
        "DeleteObjects" => "ListBucket",
        "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => "PutObject",
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "GetObjectTagging" if is_versioned => "GetObjectVersionTagging",
        "PutObjectTagging" if is_versioned => "PutObjectVersionTagging",
        "DeleteObjectTagging" if is_versioned => "DeleteObjectVersionTagging",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "GetBucketCors" => "GetBucketCORS",
        "PutBucketCors" | "DeleteBucketCors" => "PutBucketCORS",
        "DeleteBucketTagging" => "PutBucketTagging",
        other => other,
    };
    format!("s3:{name}")
}
