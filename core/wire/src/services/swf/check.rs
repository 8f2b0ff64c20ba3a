//! What every request of the data plane must satisfy, in the words of AWS's model.

use crate::error::{Result, WireError};
use crate::limits::{QUOTE_CHARS_MAX, SWF_NAME_CHARS_MAX, SWF_PAGE_MAX, VIOLATIONS_MAX};

/// Everything that was found.
#[derive(Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    fn report(&mut self, value: &str, path: &str, constraint: &str) {
        if self.0.len() < VIOLATIONS_MAX {
            let text =
                format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}");
            self.0.push(text);
        }
    }

    /// A member that is required, of one to `max` characters.
    pub fn required(&mut self, text: Option<&str>, path: &str, max: usize) {
        match text {
            None => self.report("null", path, "Member must not be null"),
            Some("") => {
                self.report("''", path, "Member must have length greater than or equal to 1");
            }
            Some(text) => self.length(Some(text), path, max),
        }
    }

    /// A member of up to `max` characters.
    pub fn length(&mut self, text: Option<&str>, path: &str, max: usize) {
        let Some(text) = text.filter(|text| text.len() > max && text.chars().count() > max) else {
            return;
        };
        let quoted: String = text.chars().take(QUOTE_CHARS_MAX).collect();
        let constraint = format!("Member must have length less than or equal to {max}");
        self.report(&format!("'{quoted}'"), path, &constraint);
    }

    /// The name of a domain or of a task list.
    pub fn name(&mut self, text: Option<&str>, path: &str) {
        self.required(text, path, SWF_NAME_CHARS_MAX);
    }

    /// The size of a page: from zero, which stands for the largest, to that. Its number of items.
    pub fn page_size(&mut self, size: Option<i64>) -> u64 {
        match size {
            None | Some(0) => SWF_PAGE_MAX,
            Some(size) if size < 0 => {
                let constraint = "Member must have value greater than or equal to 0";
                self.report(&format!("'{size}'"), "maximumPageSize", constraint);
                SWF_PAGE_MAX
            }
            Some(size) if size.unsigned_abs() > SWF_PAGE_MAX => {
                let constraint =
                    format!("Member must have value less than or equal to {SWF_PAGE_MAX}");
                self.report(&format!("'{size}'"), "maximumPageSize", &constraint);
                SWF_PAGE_MAX
            }
            Some(size) => size.unsigned_abs(),
        }
    }

    /// Fails if anything was found.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let plural = if self.0.len() == 1 { "error" } else { "errors" };
        let text = format!("{} validation {plural} detected: {}", self.0.len(), self.0.join("; "));
        Err(WireError::new("ValidationException", 400, text))
    }
}
