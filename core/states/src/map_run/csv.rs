//! Records of comma-separated values, from bytes that come in parts.

/// Splits bytes into records. A record may hold line ends in quotes.
#[derive(Debug)]
pub(super) struct Records {
    delimiter: u8,
    field: Vec<u8>,
    fields: Vec<String>,
    /// A field was read that is not UTF-8.
    is_malformed: bool,
    quoted: bool,
    /// A quote inside quotes was read: it ends the quotes, or is the first of two.
    quote_seen: bool,
    started: bool,
}

impl Records {
    pub fn new(delimiter: u8) -> Records {
        Records {
            delimiter,
            field: Vec::new(),
            fields: Vec::new(),
            is_malformed: false,
            quoted: false,
            quote_seen: false,
            started: false,
        }
    }

    /// Reads bytes, and hands out each record that ends in them.
    pub fn feed<E>(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Vec<String>) -> Result<(), E>,
    ) -> Result<(), E> {
        for byte in bytes {
            if let Some(record) = self.byte(*byte) {
                take(record)?;
            }
        }
        Ok(())
    }

    /// Whether a field was read that is not UTF-8.
    pub fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// The last record, if no line end followed it.
    pub fn finish(&mut self) -> Option<Vec<String>> {
        self.started.then(|| self.record())
    }

    fn byte(&mut self, byte: u8) -> Option<Vec<String>> {
        if self.quoted && !self.quote_seen {
            match byte {
                b'"' => self.quote_seen = true,
                _ => self.field.push(byte),
            }
            return None;
        }
        if self.quote_seen {
            self.quote_seen = false;
            if byte == b'"' {
                self.field.push(b'"');
                return None;
            }
            self.quoted = false;
        }
        match byte {
            b'\n' if self.started => return Some(self.record()),
            b'\n' | b'\r' => {}
            b'"' if self.field.is_empty() => {
                self.started = true;
                self.quoted = true;
            }
            delimiter if delimiter == self.delimiter => {
                self.started = true;
                self.end_field();
            }
            other => {
                self.started = true;
                self.field.push(other);
            }
        }
        None
    }

    fn end_field(&mut self) {
        let field = std::mem::take(&mut self.field);
        let field = String::from_utf8(field);
        self.is_malformed |= field.is_err();
        self.fields.push(field.unwrap_or_default());
    }

    fn record(&mut self) -> Vec<String> {
        self.end_field();
        self.started = false;
        self.quoted = false;
        self.quote_seen = false;
        std::mem::take(&mut self.fields)
    }
}
