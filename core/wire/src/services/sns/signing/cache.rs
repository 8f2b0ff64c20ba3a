//! Signatures that were made already: one serves all receivers of a message, and its retries.

use std::collections::{HashMap, VecDeque};

/// Signatures that are kept; the oldest goes first.
const SIGNATURES_MAX: usize = 4_096;

/// What a signature is of: the version, and the SHA-256 of the text.
pub(super) type Signed = (u8, [u8; 32]);

/// The newest signatures.
#[derive(Default)]
pub(super) struct Cache {
    signatures: HashMap<Signed, String>,
    order: VecDeque<Signed>,
}

impl Cache {
    pub fn get(&self, signed: &Signed) -> Option<&String> {
        self.signatures.get(signed)
    }

    pub fn put(&mut self, signed: Signed, signature: String) {
        if self.signatures.insert(signed, signature).is_some() {
            return;
        }
        self.order.push_back(signed);
        if self.order.len() > SIGNATURES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.signatures.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_signature_goes_first() {
        let mut cache = Cache::default();
        let signed = |n: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_le_bytes());
            (1, digest)
        };
        for n in 0..=SIGNATURES_MAX {
            cache.put(signed(n), n.to_string());
        }
        assert_eq!(cache.get(&signed(0)), None);
        assert_eq!(cache.get(&signed(1)), Some(&"1".to_owned()));
        cache.put(signed(1), "again".to_owned());
        assert_eq!(cache.get(&signed(2)), Some(&"2".to_owned()));
        assert_eq!(cache.signatures.len(), cache.order.len());
    }
}
