//! Buckets themselves: created, found, listed and deleted.

use trunkline_engine::{BUCKET, BucketConfig, ResourceName, Versioning};
use trunkline_types::Code;

use super::answer::{Answer, time};
use super::context::Context;
use super::errors;
use super::list::structure;
use crate::arn::partition;
use crate::error::Result;
use crate::limits::LIST_BUCKETS_MAX;
use crate::value::Value;

/// The region whose endpoint creates buckets in every region.
const OLDEST_REGION: &str = "us-east-1";

pub(super) fn create_bucket(context: &Context) -> Result<Answer> {
    super::headers::refuse_unbuilt(context)?;
    if context.header("x-amz-bucket-object-lock-enabled").is_some_and(|text| text != "false") {
        return Err(errors::not_implemented("x-amz-bucket-object-lock-enabled"));
    }
    let name = context.bucket_name();
    let region = region_of(context)?;
    let full = ResourceName::new(BUCKET, &*context.account, region, name);
    match context.engine.create_bucket(full, BucketConfig::default()) {
        Ok((_, ticket)) => Ok(created(name, region).after(ticket)),
        Err(error) if error.code() == Code::ConflictException => {
            let found = context.engine.find_bucket(name).map_err(|error| context.failed(&error))?;
            let is_own = found.is_some_and(|bucket| bucket.name().account == context.account);
            match is_own {
                // As AWS answers there, and there alone.
                true if region == OLDEST_REGION => Ok(created(name, region)),
                true => {
                    let message = "Your previous request to create the named bucket succeeded and \
                                   you already own it.";
                    let found = errors::error("BucketAlreadyOwnedByYou", 409, message);
                    Err(errors::with(found, &[("BucketName", name)]))
                }
                false => Err(context.failed(&error)),
            }
        }
        Err(error) => Err(context.failed(&error)),
    }
}

/// The region of a bucket that is created. A bucket is created in the region that is called; that
/// of the oldest region alone, which needs no constraint and takes none, creates it elsewhere.
fn region_of(context: &Context) -> Result<&str> {
    let asked = context.input.get("CreateBucketConfiguration");
    let location = asked.and_then(|asked| asked.get("LocationConstraint")).and_then(Value::as_str);
    let location = location.filter(|text| !text.is_empty());
    let region = location.map(|text| if text == "EU" { "eu-west-1" } else { text });
    match (&*context.region, region) {
        (OLDEST_REGION, None) => Ok(OLDEST_REGION),
        (OLDEST_REGION, Some(region)) if region != OLDEST_REGION && is_region(region) => Ok(region),
        (OLDEST_REGION, Some(region)) => {
            let message = "The specified location-constraint is not valid";
            let found = errors::error("InvalidLocationConstraint", 400, message);
            Err(errors::with(found, &[("LocationConstraint", region)]))
        }
        (called, Some(region)) if region == called => Ok(region),
        _ => {
            let asked = location.unwrap_or("unspecified");
            let message = format!(
                "The {asked} location constraint is incompatible for the region specific endpoint \
                 this request was sent to."
            );
            Err(errors::error("IllegalLocationConstraintException", 400, message))
        }
    }
}

/// Whether a text has the form of a region's name: words and a number, such as `eu-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() >= 3
        && parts[..parts.len() - 1].iter().all(is_word)
        && is_number(&parts[parts.len() - 1])
}

fn created(name: &str, region: &str) -> Answer {
    let arn = format!("arn:{}:s3:::{name}", partition(region));
    Answer::of(vec![("Location", format!("/{name}").into()), ("BucketArn", arn.into())])
}

pub(super) fn delete_bucket(context: &Context) -> Result<Answer> {
    let ticket = context.bucket()?.remove().map_err(|error| context.failed(&error))?;
    Ok(Answer::empty().after(ticket))
}

pub(super) fn head_bucket(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let region = bucket.name().region.clone();
    Ok(Answer::empty().with("x-amz-bucket-region", region).with("content-type", "application/xml"))
}

pub(super) fn list_buckets(context: &Context) -> Result<Answer> {
    let prefix = context.text("Prefix").unwrap_or("");
    let region = context.text("BucketRegion");
    let after = context.text("ContinuationToken").unwrap_or("");
    let max = context.number("MaxBuckets").and_then(|max| usize::try_from(max).ok());
    let max = max.unwrap_or(LIST_BUCKETS_MAX).clamp(1, LIST_BUCKETS_MAX);
    let found = context.engine.buckets(Some(&context.account), prefix);
    let mut found = found.map_err(|error| context.failed(&error))?;
    found.sort_by(|a, b| a.name().name.cmp(&b.name().name));
    found.retain(|bucket| {
        let name = bucket.name();
        name.name.as_str() > after && region.is_none_or(|region| region == name.region)
    });
    let next = (found.len() > max).then(|| found[max - 1].name().name.clone());
    found.truncate(max);
    let entries = found.iter().map(|bucket| {
        structure(vec![
            ("Name", bucket.name().name.as_str().into()),
            ("CreationDate", time(bucket.created())),
            ("BucketRegion", bucket.name().region.as_str().into()),
        ])
    });
    let owner = structure(vec![("ID", context.account.as_str().into())]);
    let mut members = vec![("Buckets", Value::List(entries.collect())), ("Owner", owner)];
    members.extend(next.map(|next| ("ContinuationToken", next.into())));
    if !prefix.is_empty() {
        members.push(("Prefix", prefix.into()));
    }
    Ok(Answer::of(members))
}

pub(super) fn get_bucket_location(context: &Context) -> Result<Answer> {
    let region = context.bucket()?.name().region.clone();
    let region = if region == OLDEST_REGION { String::new() } else { region };
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    crate::codec::xml::escape(&region, &mut text);
    text.push_str("</LocationConstraint>");
    Ok(Answer { text: Some(("application/xml", text)), ..Answer::empty() })
}

pub(super) fn get_bucket_versioning(context: &Context) -> Result<Answer> {
    let status = match context.bucket()?.config().versioning {
        Versioning::Off => return Ok(Answer::empty()),
        Versioning::Enabled => "Enabled",
        Versioning::Suspended => "Suspended",
    };
    Ok(Answer::of(vec![("Status", status.into())]))
}

pub(super) fn put_bucket_versioning(context: &Context) -> Result<Answer> {
    let asked = context.input.get("VersioningConfiguration");
    let member = |name: &str| asked.and_then(|asked| asked.get(name)).and_then(Value::as_str);
    if member("MFADelete") == Some("Enabled") {
        return Err(errors::not_implemented("MfaDelete"));
    }
    let versioning = match member("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(errors::malformed_xml()),
    };
    let bucket = context.bucket()?;
    let ticket = bucket.configure(|config| config.versioning = versioning);
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}
