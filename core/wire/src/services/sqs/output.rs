//! Writing the outputs of a batch as JSON, without a tree in between.

use crate::codec::object::Object;
use crate::error::WireError;

/// The two lists of a batch's answer; an empty list is left out.
#[derive(Default)]
pub(super) struct BatchOutput {
    successful: Vec<u8>,
    failed: Vec<u8>,
}

impl BatchOutput {
    /// A place for the next successful entry.
    pub fn success(&mut self) -> &mut Vec<u8> {
        if !self.successful.is_empty() {
            self.successful.push(b',');
        }
        &mut self.successful
    }

    pub fn failure(&mut self, id: &str, error: &WireError) {
        if !self.failed.is_empty() {
            self.failed.push(b',');
        }
        let mut entry = Object::open(&mut self.failed);
        entry.text("Id", id);
        let sender = if error.is_sender() { b"true".as_slice() } else { b"false" };
        entry.key("SenderFault").extend_from_slice(sender);
        entry.text("Code", error.query_code());
        entry.text("Message", error.message());
        entry.close();
    }

    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.successful.len() + self.failed.len() + 40);
        let mut object = Object::open(&mut out);
        for (name, list) in [("Successful", &self.successful), ("Failed", &self.failed)] {
            if !list.is_empty() {
                let out = object.key(name);
                out.push(b'[');
                out.extend_from_slice(list);
                out.push(b']');
            }
        }
        object.close();
        out
    }
}
