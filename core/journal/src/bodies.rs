//! Names of body files: content that a kind of resource keeps beside the journal, because it is too
//! large for a record. The records of the kind say which files there are; a file that none of them
//! names is left from a crash.

use trunkline_types::Result;

use crate::Journal;
use crate::checksum;
use crate::retained::copy_file;
use crate::storage::Storage;

const SUFFIX: &str = ".body";
const DRAFT_SUFFIX: &str = ".body-draft";
const DIGITS: usize = 16;

/// The file of the body `id`.
pub fn body_name(id: u64) -> String {
    format!("{id:016x}{SUFFIX}")
}

/// The file of a body that is being written.
pub fn body_draft_name(id: u64) -> String {
    format!("{id:016x}{DRAFT_SUFFIX}")
}

/// The body that a file holds.
pub fn parse_body_name(name: &str) -> Option<u64> {
    parse(name.strip_suffix(SUFFIX)?)
}

/// The body that a file was to hold.
pub fn parse_body_draft_name(name: &str) -> Option<u64> {
    parse(name.strip_suffix(DRAFT_SUFFIX)?)
}

/// Whether a file is a body or the draft of one.
pub(crate) fn is_body_name(name: &str) -> bool {
    parse_body_name(name).or_else(|| parse_body_draft_name(name)).is_some()
}

fn parse(digits: &str) -> Option<u64> {
    let is_plain = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == DIGITS && is_plain).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// The checksum of a body that `crc` stands for, followed by `bytes`; it starts with 0.
pub fn body_checksum(crc: u32, bytes: &[u8]) -> u32 {
    checksum::append(crc, bytes)
}

impl Journal {
    /// The folder of the journal.
    pub fn storage(&self) -> &std::sync::Arc<dyn Storage> {
        &self.shared.storage
    }
}

/// Copies all bodies of one folder to another. None may be removed meanwhile.
pub fn copy_bodies(from: &dyn Storage, to: &dyn Storage) -> Result<()> {
    let mut copied = false;
    for name in from.list()?.iter().filter(|name| parse_body_name(name).is_some()) {
        if let Some(file) = from.open(name)? {
            copy_file(&*file, to, name)?;
            copied = true;
        }
    }
    if copied { to.sync_dir() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_no_others_are() {
        let id = 0x0123_4567_89ab_cdef;
        assert_eq!(parse_body_name(&body_name(id)), Some(id));
        assert_eq!(parse_body_draft_name(&body_draft_name(id)), Some(id));
        for name in ["x.body", "0.body", "0123456789ABCDEF.body", "0123456789abcdef", "LOCK"] {
            assert!(!is_body_name(name), "{name}");
        }
    }
}
