//! Buckets: objects, versions and uploads in parts, with their contents in body files.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{
    Attributes, BUCKET, Bucket, BucketConfig, Cause, Condition, Engine, ListRequest, Object,
    ObjectContent, ResourceName, Result, Ticket, VersionEntry, Versioning, bucket_operation,
};
use trunkline_journal::sim::Random;

use crate::{FaultyVerb, Noun};

/// Buckets under test.
pub struct BucketNoun;

const NAME: &str = "uploads";
const VERSIONED: &str = "versions";

fn name(name: &str) -> ResourceName {
    ResourceName::local(BUCKET, name)
}

fn content(bucket: &Bucket, bytes: &[u8]) -> ObjectContent {
    let mut writer = bucket.writer().unwrap();
    writer.write(bytes).unwrap();
    writer.finish().unwrap().0
}

fn put(bucket: &Bucket, key: &str, bytes: &[u8]) -> Option<Ticket> {
    let attributes = Attributes {
        headers: vec![("content-type".into(), "text/plain".into())],
        tags: vec![("bytes".into(), bytes.len().to_string())],
    };
    let content = content(bucket, bytes);
    bucket.put(key, content, attributes, &Condition::None, &Cause::default()).unwrap().ticket
}

/// The content, or why it cannot be read: a record whose body is gone must show.
fn read(object: &Object) -> Result<Vec<u8>> {
    let mut reader = object.open(0, object.size)?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn show(bucket: &Bucket, key: &str, object: &Object) -> String {
    let (id, etag) = (bucket.version_id(object), &object.etag);
    let (headers, tags) = (&object.headers, &object.tags);
    let marker = object.is_delete_marker;
    format!("{key} {id} {etag} {marker} {headers:?} {tags:?} {:?}", read(object))
}

fn contents(bucket: &Arc<Bucket>) -> Vec<String> {
    let request = ListRequest { limit: 1_000, ..ListRequest::default() };
    let (entries, _) = bucket.list_versions(&request, None).unwrap();
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| match entry {
            VersionEntry::Version(key, object, _) => show(bucket, key, object),
            VersionEntry::Prefix(prefix) => prefix.clone(),
        })
        .collect();
    for upload in bucket.uploads("", None).unwrap() {
        let parts = upload.parts.iter().map(|(number, part)| (*number, part.etag.clone()));
        let id = bucket.upload_id(&upload);
        lines.push(format!("{} {id} {:?}", upload.key, parts.collect::<Vec<_>>()));
    }
    lines
}

impl Noun for BucketNoun {
    fn name(&self) -> &'static str {
        "buckets"
    }

    fn fill(&self, engine: &Engine) {
        let create = |text, versioning| {
            let config = BucketConfig { versioning, ..BucketConfig::default() };
            engine.create_bucket(name(text), config).unwrap().0
        };
        let bucket = create(NAME, Versioning::Off);
        put(&bucket, "a/one", b"one");
        put(&bucket, "a/two", b"two, which is longer");
        put(&bucket, "a/two", b"two again");
        put(&bucket, "empty", b"");
        put(&bucket, "gone", b"gone");
        bucket.delete("gone", None, &Condition::None, &Cause::default()).unwrap();
        let (upload, _) = bucket.begin_upload("large", Attributes::default()).unwrap();
        let id = bucket.upload_id(&upload);
        bucket.put_part("large", &id, 3, content(&bucket, b"three"), Vec::new()).unwrap();
        let versioned = create(VERSIONED, Versioning::Enabled);
        put(&versioned, "key", b"first");
        put(&versioned, "key", b"second");
        versioned.delete("key", None, &Condition::None, &Cause::default()).unwrap();
        // A copy shares the body of its source.
        let source = bucket.head("a/one", None).unwrap().content();
        let cause = Cause::default();
        versioned.put("copy", source, Attributes::default(), &Condition::Absent, &cause).unwrap();
        create("removed", Versioning::Off).remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let all = engine.buckets(None, "").unwrap();
        let lines = |bucket: &Arc<Bucket>| {
            let head = format!("{} {:?}", bucket.name().name, bucket.config());
            [head].into_iter().chain(contents(bucket)).collect::<Vec<_>>()
        };
        all.iter().flat_map(lines).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec![NAME, VERSIONED]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        engine.create_bucket(name("late"), BucketConfig::default()).map(drop)
    }

    fn faulty_verb(&self) -> Option<FaultyVerb> {
        Some(FaultyVerb {
            operation: bucket_operation::DELETE,
            resource: name(NAME),
            call: |engine| {
                let bucket = engine.find_bucket(NAME).unwrap().unwrap();
                bucket.delete("empty", None, &Condition::None, &Cause::default()).map(drop)
            },
        })
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let text = ["bucket-a", "bucket-b"][random.below(2)];
        let Some(bucket) = engine.find_bucket(text).unwrap() else {
            let versioning = [Versioning::Off, Versioning::Enabled][random.below(2)];
            let config = BucketConfig { versioning, ..BucketConfig::default() };
            return engine.create_bucket(name(text), config).unwrap().1;
        };
        let key = ["x", "y", "z"][random.below(3)];
        match random.below(8) {
            0 => {
                let cause = Cause::default();
                bucket.delete(key, None, &Condition::None, &cause).unwrap().ticket
            }
            1 => bucket.begin_upload(key, Attributes::default()).unwrap().1,
            2 | 3 => {
                let upload = bucket.uploads("", None).unwrap().into_iter().next()?;
                let id = bucket.upload_id(&upload);
                match random.once_in(4) {
                    true => bucket.abort_upload(&upload.key, &id).unwrap(),
                    false => {
                        let bytes = vec![b'p'; 1 + random.below(50)];
                        let part = content(&bucket, &bytes);
                        bucket.put_part(&upload.key, &id, 1, part, Vec::new()).unwrap().1
                    }
                }
            }
            _ => put(&bucket, key, &vec![b'o'; random.below(100)]),
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let all = engine.buckets(None, "").unwrap();
        let entry = |bucket: &Arc<Bucket>| {
            let text = contents(bucket).join("\n");
            (format!("bucket {}", bucket.name().name), text.into_bytes())
        };
        all.iter().map(entry).collect()
    }
}
