//! Writing the outputs of the data plane as JSON, without a tree in between.

use crate::codec::json::write_text;
use crate::error::WireError;

/// A JSON object under construction: puts the commas.
pub(in crate::services) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Object<'a> {
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true }
    }

    /// Writes a key that needs no escaping, and gives the place for its value.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A key that may need escaping.
    pub fn any_key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        write_text(name, self.out);
        self.out.push(b':');
        self.out
    }

    pub fn text(&mut self, name: &str, text: &str) {
        write_text(text, self.key(name));
    }

    /// A value that is known to need no escaping.
    pub fn plain(&mut self, name: &str, text: &[u8]) {
        let out = self.key(name);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }

    pub fn close(self) {
        self.out.push(b'}');
    }
}

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
