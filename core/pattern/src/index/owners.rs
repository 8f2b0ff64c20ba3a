//! The rules that own a branch. They are the first bytes of the stored branch, so a match reads
//! them with its tests; only a branch of many rules lists them in a posting.
//!
//! ```text
//! owners = count, rule id * count           at most `FEW` rules
//!        | MANY, posting
//! ```

/// The id of a rule. The caller maps its names to numbers.
pub type RuleId = u32;

/// The rules that are listed in the branch itself.
pub(crate) const FEW: usize = 8;

/// The count of a branch whose rules are in a posting.
const MANY: u8 = u8::MAX;

const ID_BYTES: usize = size_of::<RuleId>();

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owners<'a> {
    Few(&'a [[u8; ID_BYTES]]),
    Posting(u32),
}

impl Owners<'_> {
    /// The rules that are listed here.
    #[inline]
    pub(crate) fn few(self) -> impl Iterator<Item = RuleId> {
        let ids = if let Owners::Few(ids) = self { ids } else { &[] };
        ids.iter().map(|&id| RuleId::from_le_bytes(id))
    }
}

/// Splits a stored branch into its owners and its code.
#[inline]
pub(crate) fn split(stored: &[u8]) -> (Owners<'_>, &[u8]) {
    let count = stored[0];
    let listed = if count == MANY { 1 } else { usize::from(count) };
    let (ids, code) = stored[1..].split_at(listed * ID_BYTES);
    let (ids, _) = ids.as_chunks();
    match ids {
        [posting] if count == MANY => (Owners::Posting(u32::from_le_bytes(*posting)), code),
        ids => (Owners::Few(ids), code),
    }
}

/// A stored branch that at most `FEW` rules own.
pub(crate) fn store_few(rules: &[RuleId], code: &[u8]) -> Vec<u8> {
    debug_assert!(rules.len() <= FEW);
    stored(rules.len() as u8, rules, code)
}

/// A stored branch whose rules are in a posting.
pub(crate) fn store_posting(posting: u32, code: &[u8]) -> Vec<u8> {
    stored(MANY, &[posting], code)
}

fn stored(count: u8, ids: &[u32], code: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + ids.len() * ID_BYTES + code.len());
    bytes.push(count);
    ids.iter().for_each(|id| bytes.extend_from_slice(&id.to_le_bytes()));
    bytes.extend_from_slice(code);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_code_come_back() {
        let rules: Vec<RuleId> = (0..FEW as u32).map(|id| id * 0x0101_0101).collect();
        for count in 0..=FEW {
            let bytes = store_few(&rules[..count], b"code");
            let (owners, code) = split(&bytes);
            assert_eq!(
                (owners.few().collect::<Vec<_>>().as_slice(), code),
                (&rules[..count], &b"code"[..])
            );
            assert!(matches!(owners, Owners::Few(_)));
        }
        let bytes = store_posting(7, b"code");
        assert!(matches!(split(&bytes), (Owners::Posting(7), b"code")));
        assert_eq!(split(&bytes).0.few().count(), 0);
    }
}
