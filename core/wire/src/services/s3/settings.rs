//! Settings of buckets and tags: what is kept as it was put, once it is checked.

use serde_json::Value as Json;
use trunkline_engine::Pairs;

use super::access::POLICY;
use super::answer::Answer;
use super::context::Context;
use super::headers::{self, BUCKET_TAGS, OBJECT_TAGS, TagRules};
use super::list::structure;
use super::objects::with_version;
use super::{cors, errors, get, lifecycle};
use crate::codec::json;
use crate::error::{Result, WireError};
use crate::policy::Policy;
use crate::value::Value;

/// A setting that is a document: its name, the member of the input and the error of its absence.
struct Setting {
    name: &'static str,
    member: &'static str,
    absent: (&'static str, &'static str),
}

const CORS: Setting = Setting {
    name: cors::NAME,
    member: "CORSConfiguration",
    absent: ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
};
const LIFECYCLE: Setting = Setting {
    name: "lifecycle",
    member: "LifecycleConfiguration",
    absent: ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
};
const TAGGING: Setting = Setting {
    name: "tagging",
    member: "Tagging",
    absent: ("NoSuchTagSet", "The TagSet does not exist"),
};

/// Keeps a setting, or removes it.
fn keep(context: &Context, name: &str, text: Option<String>) -> Result<Answer> {
    let bucket = context.bucket()?;
    let ticket = bucket.configure(|config| {
        match text {
            Some(text) => config.documents.insert(name.to_owned(), text),
            None => config.documents.remove(name),
        };
    });
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}

/// What was kept of a setting.
fn kept(context: &Context, setting: &Setting) -> Result<String> {
    let (code, message) = setting.absent;
    let found = context.bucket()?.config().documents.get(setting.name).cloned();
    found.ok_or_else(|| {
        let found = errors::error(code, 404, message);
        errors::with(found, &[("BucketName", context.bucket_name())])
    })
}

/// The input of an operation as JSON, by the model.
pub(super) fn as_json(context: &Context, member: &str) -> Result<String> {
    let operation = context.model.operation(&context.operation);
    let shape = operation.and_then(|operation| operation.input);
    let shape = context.model.shape(shape.ok_or_else(crate::protocol::unknown_operation)?);
    let value = context.input.get(member).ok_or_else(errors::malformed_xml)?;
    let whole = Value::Map(vec![(member.to_owned(), value.clone())]);
    let mut text = Vec::new();
    json::write(&context.model, shape, &whole, &mut text);
    String::from_utf8(text).map_err(|_| errors::malformed_xml())
}

/// The output of an operation from JSON that [`as_json`] made, whose members are those of `member`.
pub(super) fn from_json(context: &Context, text: &str, member: &str) -> Result<Value> {
    let operation = context.model.operation(&context.operation);
    let shape = operation.and_then(|operation| operation.output);
    let shape = context.model.shape(shape.ok_or_else(crate::protocol::unknown_operation)?);
    let whole: Json = serde_json::from_str(text).map_err(|e| WireError::internal(e.to_string()))?;
    let inner = whole.get(member).cloned().unwrap_or(Json::Null);
    json::read(&context.model, shape, inner.to_string().as_bytes())
}

fn put_document(context: &Context, setting: &Setting) -> Result<Answer> {
    keep(context, setting.name, Some(as_json(context, setting.member)?))
}

fn get_document(context: &Context, setting: &Setting) -> Result<Answer> {
    let output = from_json(context, &kept(context, setting)?, setting.member)?;
    Ok(Answer { output, ..Answer::default() })
}

pub(super) fn put_bucket_cors(context: &Context) -> Result<Answer> {
    let rules = context.input.get("CORSConfiguration").and_then(|cors| cors.get("CORSRules"));
    let Some(Value::List(rules)) = rules else { return Err(errors::malformed_xml()) };
    const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
    for rule in rules {
        let texts = |name: &str| match rule.get(name) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let (methods, origins) = (texts("AllowedMethods"), texts("AllowedOrigins"));
        if methods.is_empty() || origins.is_empty() {
            return Err(errors::malformed_xml());
        }
        if let Some(method) = methods.iter().find(|method| !METHODS.contains(method)) {
            return Err(errors::invalid_request(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
    }
    put_document(context, &CORS)
}

pub(super) fn get_bucket_cors(context: &Context) -> Result<Answer> {
    get_document(context, &CORS)
}

pub(super) fn delete_bucket_cors(context: &Context) -> Result<Answer> {
    keep(context, CORS.name, None)
}

pub(super) fn put_bucket_lifecycle(context: &Context) -> Result<Answer> {
    let rules = lifecycle::rules(context)?;
    let text = as_json(context, LIFECYCLE.member)?;
    let ticket = context.bucket()?.configure(|config| {
        config.expiry = rules;
        config.documents.insert(LIFECYCLE.name.to_owned(), text);
    });
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}

pub(super) fn get_bucket_lifecycle(context: &Context) -> Result<Answer> {
    get_document(context, &LIFECYCLE)
}

pub(super) fn delete_bucket_lifecycle(context: &Context) -> Result<Answer> {
    let ticket = context.bucket()?.configure(|config| {
        config.expiry.clear();
        config.documents.remove(LIFECYCLE.name);
    });
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}

pub(super) fn put_bucket_policy(context: &Context, document: &[u8]) -> Result<Answer> {
    let malformed = |message: &str| errors::error("MalformedPolicy", 400, message);
    let text = std::str::from_utf8(document)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let policy = Policy::read(text);
    if !policy.is_json() {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
    }
    if let Some(flaw) = policy.flaw() {
        return Err(malformed(flaw));
    }
    keep(context, POLICY, Some(text.to_owned()))
}

pub(super) fn get_bucket_policy(context: &Context) -> Result<Answer> {
    let found = context.bucket()?.config().documents.get(POLICY).cloned();
    let text = found.ok_or_else(|| {
        let found = errors::error("NoSuchBucketPolicy", 404, "The bucket policy does not exist");
        errors::with(found, &[("BucketName", context.bucket_name())])
    })?;
    Ok(Answer { text: Some(("application/json", text)), ..Answer::empty() })
}

pub(super) fn delete_bucket_policy(context: &Context) -> Result<Answer> {
    Ok(Answer { status: Some(204), ..keep(context, POLICY, None)? })
}

/// The tags of the input.
fn tags(context: &Context, rules: &TagRules) -> Result<Pairs> {
    let set = context.input.get("Tagging").and_then(|tagging| tagging.get("TagSet"));
    let Some(Value::List(entries)) = set else { return Err(errors::malformed_xml()) };
    let mut tags = Pairs::new();
    for entry in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(key), Some(value)) = (text("Key"), text("Value")) else {
            return Err(errors::malformed_xml());
        };
        tags.push((key, value));
    }
    headers::check_tags(&tags, rules)?;
    Ok(tags)
}

pub(super) fn put_bucket_tagging(context: &Context) -> Result<Answer> {
    let answer = match tags(context, &BUCKET_TAGS)?.is_empty() {
        true => keep(context, TAGGING.name, None)?,
        false => put_document(context, &TAGGING)?,
    };
    Ok(Answer { status: Some(204), ..answer })
}

pub(super) fn get_bucket_tagging(context: &Context) -> Result<Answer> {
    get_document(context, &TAGGING)
}

pub(super) fn delete_bucket_tagging(context: &Context) -> Result<Answer> {
    keep(context, TAGGING.name, None)
}

fn set_tags(context: &Context, tags: Pairs, event: &str) -> Result<Answer> {
    let bucket = context.bucket()?;
    let (version, cause) = (context.version_in(&bucket)?, context.cause(event));
    let found = bucket.head(context.key(), version.as_ref());
    get::refuse_marker(context, &*found.map_err(|error| context.failed(&error))?)?;
    let put = bucket.set_tags(context.key(), version.as_ref(), tags, &cause);
    let put = put.map_err(|error| context.failed(&error))?;
    Ok(with_version(Answer::empty().after(put.ticket), &bucket, &put.object))
}

pub(super) fn put_object_tagging(context: &Context) -> Result<Answer> {
    set_tags(context, tags(context, &OBJECT_TAGS)?, "ObjectTagging:Put")
}

pub(super) fn delete_object_tagging(context: &Context) -> Result<Answer> {
    set_tags(context, Pairs::new(), "ObjectTagging:Delete")
}

pub(super) fn get_object_tagging(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let object = get::find(context, &bucket)?;
    get::refuse_marker(context, &object)?;
    let tag = |(key, value): &(String, String)| {
        structure(vec![("Key", key.as_str().into()), ("Value", value.as_str().into())])
    };
    let tags = Value::List(object.tags.iter().map(tag).collect());
    Ok(with_version(Answer::of(vec![("TagSet", tags)]), &bucket, &object))
}
