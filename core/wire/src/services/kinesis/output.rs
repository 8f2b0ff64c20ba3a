//! Records and shards in outputs.

use std::io::Write;

use trunkline_engine::{SequenceNumber, ShardId, Shards, StreamRecord};

use crate::codec::append_blob;
use crate::codec::object::Object;

/// Writes a list member by member.
pub(super) struct List<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> List<'a> {
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, is_first: true }
    }

    pub fn object(&mut self) -> Object<'_> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        Object::open(self.out)
    }

    pub fn close(self) {
        self.out.push(b']');
    }
}

/// Writes the member `SequenceNumber`.
pub(super) fn sequence(object: &mut Object<'_>, number: SequenceNumber) {
    let out = object.key("SequenceNumber");
    out.push(b'"');
    number.write(out);
    out.push(b'"');
}

/// Writes the member `ShardId`.
pub(super) fn shard(object: &mut Object<'_>, shard: ShardId) {
    let out = object.key("ShardId");
    out.push(b'"');
    shard.write(out);
    out.push(b'"');
}

/// Writes a record that was read.
pub(super) fn record(object: &mut Object<'_>, record: &StreamRecord<'_>, encryption: Option<&str>) {
    sequence(object, record.sequence);
    let (seconds, millis) = (record.time / 1_000, record.time % 1_000);
    let out = object.key("ApproximateArrivalTimestamp");
    // Writing to memory cannot fail.
    let _ = write!(out, "{seconds}.{millis:03}");
    let out = object.key("Data");
    out.push(b'"');
    append_blob(record.data, out);
    out.push(b'"');
    object.text("PartitionKey", record.key);
    if let Some(kind) = encryption {
        object.text("EncryptionType", kind);
    }
}

/// Writes the shards that a reader goes on with behind `shard`.
pub(super) fn child_shards(object: &mut Object<'_>, shards: &Shards, shard: ShardId) {
    let mut list = List::open(object.key("ChildShards"));
    for child in shards.children(shard) {
        let mut object = list.object();
        object.plain("ShardId", child.id.to_string().as_bytes());
        let parents: Vec<String> = child.parents().map(|id| format!("\"{id}\"")).collect();
        let text = format!("[{}]", parents.join(","));
        object.key("ParentShards").extend_from_slice(text.as_bytes());
        let mut range = Object::open(object.key("HashKeyRange"));
        range.plain("StartingHashKey", child.range.start.to_string().as_bytes());
        range.plain("EndingHashKey", child.range.end.to_string().as_bytes());
        range.close();
        object.close();
    }
    list.close();
}
