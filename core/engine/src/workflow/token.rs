//! Task tokens: which task of which execution, with a proof that this engine made it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trunkline_types::{IdKey, ResourceId};
use trunkline_workflow::{Fault, TaskKind};

/// One task of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TaskToken {
    /// The domain.
    pub domain: ResourceId,
    /// The number of the execution.
    pub execution: u32,
    /// What kind of task it is.
    pub kind: TaskKind,
    /// The event that scheduled it.
    pub event: u64,
}

const PLAIN_BYTES: usize = 17;
const KINDS: [TaskKind; 3] = [TaskKind::Decision, TaskKind::Activity, TaskKind::Lambda];

impl TaskToken {
    fn plain(self) -> [u8; PLAIN_BYTES] {
        let mut bytes = [0; PLAIN_BYTES];
        bytes[..4].copy_from_slice(&self.domain.0.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.execution.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.event.to_le_bytes());
        bytes[16] = self.kind as u8;
        bytes
    }

    /// The text that a worker holds.
    pub fn encode(self, key: IdKey) -> String {
        let plain = self.plain();
        let proof = key.digest(&[b"workflow task", &plain]);
        BASE64_URL_SAFE_NO_PAD.encode([&plain[..], &proof.to_le_bytes()].concat())
    }

    /// Reads a token of a task of this kind; a fault for one that this engine did not make.
    pub fn decode(text: &str, kind: TaskKind, key: IdKey) -> Result<Self, Fault> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (plain, proof) = bytes.split_first_chunk::<PLAIN_BYTES>().ok_or_else(invalid)?;
        if proof != key.digest(&[b"workflow task", plain]).to_le_bytes() {
            return Err(invalid());
        }
        let number = |from: usize| {
            u32::from_le_bytes([plain[from], plain[from + 1], plain[from + 2], plain[from + 3]])
        };
        let event = u64::from(number(8)) | u64::from(number(12)) << 32;
        let found = KINDS.get(usize::from(plain[16])).copied().ok_or_else(invalid)?;
        if found != kind {
            return Err(invalid());
        }
        Ok(Self { domain: ResourceId(number(0)), execution: number(4), kind, event })
    }
}

#[cold]
fn invalid() -> Fault {
    Fault::invalid("Invalid token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_other_text_is_one() {
        let key = IdKey(1, 2);
        let kind = TaskKind::Activity;
        let token = TaskToken { domain: ResourceId(7), execution: 9, kind, event: 5 };
        let text = token.encode(key);
        assert_eq!(TaskToken::decode(&text, kind, key), Ok(token));
        assert!(TaskToken::decode(&text, TaskKind::Decision, key).is_err());
        assert!(TaskToken::decode(&text, kind, IdKey(1, 3)).is_err());
        for index in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[index] = if other[index] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(TaskToken::decode(&other, kind, key).is_err(), "{other}");
        }
        assert!(TaskToken::decode("", kind, key).is_err());
    }
}
