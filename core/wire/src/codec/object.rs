//! Writing a JSON object, without a tree in between.

use super::json::write_text;

/// A JSON object under construction: puts the commas.
pub(crate) struct Object<'a> {
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
