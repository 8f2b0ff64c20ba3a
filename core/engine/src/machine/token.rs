//! Task tokens: which task of which execution, with a proof that this engine made it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trunkline_types::{Code, Error, IdKey, ResourceId, Result};

/// One task of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskToken {
    /// The state machine.
    pub machine: ResourceId,
    /// The number of the execution.
    pub execution: u32,
    /// The number of the task in the execution.
    pub task: u64,
}

const PLAIN_BYTES: usize = 16;

impl TaskToken {
    fn plain(self) -> [u8; PLAIN_BYTES] {
        let mut bytes = [0; PLAIN_BYTES];
        bytes[..4].copy_from_slice(&self.machine.0.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.execution.to_le_bytes());
        bytes[8..].copy_from_slice(&self.task.to_le_bytes());
        bytes
    }

    /// The text that a worker holds.
    pub fn encode(self, key: IdKey) -> String {
        let plain = self.plain();
        let proof = key.digest(&[b"task token", &plain]);
        BASE64_URL_SAFE_NO_PAD.encode([&plain[..], &proof.to_le_bytes()].concat())
    }

    /// Reads a token; an error for one that this engine did not make.
    pub fn decode(text: &str, key: IdKey) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (plain, proof) = bytes.split_first_chunk::<PLAIN_BYTES>().ok_or_else(invalid)?;
        let number = |from: usize| {
            u32::from_le_bytes([plain[from], plain[from + 1], plain[from + 2], plain[from + 3]])
        };
        let task = u64::from(number(8)) | u64::from(number(12)) << 32;
        let token = Self { machine: ResourceId(number(0)), execution: number(4), task };
        if proof != key.digest(&[b"task token", plain]).to_le_bytes() {
            return Err(invalid());
        }
        Ok(token)
    }
}

#[cold]
fn invalid() -> Error {
    Error::new(
        Code::ValidationException,
        "Invalid token. Take it from the task, as it was handed out.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_other_text_is_one() {
        let key = IdKey(1, 2);
        let token = TaskToken { machine: ResourceId(7), execution: 9, task: u64::MAX - 3 };
        let text = token.encode(key);
        assert_eq!(TaskToken::decode(&text, key).unwrap(), token);
        assert!(TaskToken::decode(&text, IdKey(1, 3)).is_err());
        for index in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[index] = if other[index] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(TaskToken::decode(&other, key).is_err(), "{other}");
        }
        assert!(TaskToken::decode("", key).is_err());
    }
}
