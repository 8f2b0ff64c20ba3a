//! Index keys: the hashes under which the branches of a test are indexed.
//!
//! Index keys have no false negatives: every value that passes the test looks up one of its keys.
//! They may have false positives, so every candidate branch is evaluated in full. So keys may be
//! coarse: long prefixes are cut, a wildcard is indexed by a few bytes of one of its literals, a
//! numeric range by two blocks of numbers that cover it.

use crate::compare::address::{Address, first_bits};
use crate::compare::case_fold;
use crate::compare::number::ordered_bits;
use crate::compare::wildcard::ANY;
use crate::compile::encoding::{self, Tests, op};
use crate::hash::{Hash, load};
use crate::paths::Field;
use crate::paths::lookup::{Lookup, LookupKind};

/// A key under which a branch can be indexed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexKey {
    pub(crate) lookup: Lookup,
    pub(crate) key: u32,
    /// For n-grams: the bytes, for the filter of the field.
    pub(crate) ngram: u64,
}

impl IndexKey {
    /// The estimated share of events that look up this key, given the number of distinct keys of
    /// its kind.
    pub(crate) fn cost(&self, distinct: f64) -> f64 {
        weight(self.lookup) / distinct.max(1.0)
    }
}

/// The length at which prefixes and suffixes are cut.
pub(crate) const AFFIX_MAX: usize = 32;

/// Lengths of n-grams: few, because a query looks each of them up at every byte of a text.
const NGRAM_SIZES: [usize; 5] = [8, 5, 3, 2, 1];

/// Computes the keys of a field.
#[derive(Clone, Copy)]
pub(crate) struct FieldHasher {
    pub(crate) seed: u64,
    pub(crate) field: Field,
}

impl FieldHasher {
    #[inline]
    pub(crate) fn hash(self, kind: LookupKind, size: u8) -> Hash {
        Hash::seeded(self.seed, self.field, (kind as u32) << 8 | u32::from(size))
    }

    /// The key of a lookup that does not depend on the value.
    pub(crate) fn without_value(self, kind: LookupKind) -> u32 {
        self.hash(kind, 0).key()
    }

    #[inline]
    pub(crate) fn text(self, kind: LookupKind, text: &[u8]) -> u32 {
        self.hash(kind, 0).bytes(text)
    }

    #[inline]
    pub(crate) fn double(self, value: f64) -> u32 {
        self.hash(LookupKind::Number, 0).word(value.to_bits()).key()
    }

    pub(crate) fn literal(self, operator: u8) -> u32 {
        self.hash(LookupKind::Literal, 0).word(u64::from(operator)).key()
    }

    #[inline]
    pub(crate) fn ngram(self, size: u8, ngram: u64) -> u32 {
        self.hash(LookupKind::Ngram, size).word(ngram).key()
    }

    pub(crate) fn block(self, size: u8, bits: u64) -> u32 {
        self.hash(LookupKind::NumberBlock, size)
            .word(bits.checked_shr(u32::from(size)).unwrap_or(0))
            .key()
    }

    pub(crate) fn network(self, size: u8, address: Address) -> u32 {
        let kind = if address.is_v6 { LookupKind::Ipv6 } else { LookupKind::Ipv4 };
        let bits = first_bits(address.bits, size);
        self.hash(kind, size).word(bits as u64).word((bits >> 64) as u64).key()
    }

    /// Appends keys of `tests`: a value that passes one of them looks up at least one of the keys.
    /// If a test has several possible keys, `pick` rates them and the lowest is taken; without
    /// `pick` all are appended.
    pub(crate) fn of(
        self,
        tests: Tests<'_>,
        pick: Option<&dyn Fn(&IndexKey) -> usize>,
        out: &mut Vec<IndexKey>,
    ) {
        for (operator, operand) in tests {
            self.of_test(operator, operand, pick, out);
        }
        out.sort_unstable_by_key(|index_key| (index_key.lookup, index_key.key));
        out.dedup_by_key(|index_key| (index_key.lookup, index_key.key));
    }

    fn of_test(
        self,
        operator: u8,
        operand: &[u8],
        pick: Option<&dyn Fn(&IndexKey) -> usize>,
        out: &mut Vec<IndexKey>,
    ) {
        let mut folded = Vec::new();
        if matches!(
            operator,
            op::EQUALS_IGNORE_CASE | op::PREFIX_IGNORE_CASE | op::SUFFIX_IGNORE_CASE
        ) {
            case_fold::fold_key(operand, &mut folded);
        }
        let plain = |kind, key| IndexKey { lookup: Lookup { kind, size: 0 }, key, ngram: 0 };
        out.push(match operator {
            op::ABSENT => plain(LookupKind::Absent, self.without_value(LookupKind::Absent)),
            op::EXISTS | op::ANYTHING_BUT => {
                plain(LookupKind::Exists, self.without_value(LookupKind::Exists))
            }
            op::TRUE | op::FALSE | op::NULL => plain(LookupKind::Literal, self.literal(operator)),
            op::TEXT => plain(LookupKind::Text, self.text(LookupKind::Text, operand)),
            op::DOUBLE => plain(LookupKind::Number, self.double(encoding::double_of(operand))),
            op::DIGITS => plain(LookupKind::Number, self.text(LookupKind::Number, operand)),
            op::EQUALS_IGNORE_CASE => {
                plain(LookupKind::CaseFolded, self.text(LookupKind::CaseFolded, &folded))
            }
            op::PREFIX => self.prefix(LookupKind::Prefix, operand),
            op::SUFFIX => self.suffix(LookupKind::Suffix, operand),
            op::PREFIX_IGNORE_CASE => self.prefix(LookupKind::CaseFoldedPrefix, &folded),
            op::SUFFIX_IGNORE_CASE => self.suffix(LookupKind::CaseFoldedSuffix, &folded),
            op::WILDCARD => return self.wildcard(operand, pick, out),
            op::RANGE => return self.range(operand, out),
            op::NETWORK => {
                let network = encoding::network_of(operand);
                let address = Address { bits: network.bits, is_v6: network.is_v6 };
                let kind = if network.is_v6 { LookupKind::Ipv6 } else { LookupKind::Ipv4 };
                let lookup = Lookup { kind, size: network.length };
                IndexKey { lookup, key: self.network(network.length, address), ngram: 0 }
            }
            _ => unreachable!("operators are written by this crate alone"),
        });
    }

    fn prefix(self, kind: LookupKind, text: &[u8]) -> IndexKey {
        let text = &text[..text.len().min(AFFIX_MAX)];
        let size = text.len() as u8;
        // The empty prefix matches any text; its key has size 0.
        IndexKey { lookup: Lookup { kind, size }, key: self.hash(kind, 0).bytes(text), ngram: 0 }
    }

    fn suffix(self, kind: LookupKind, text: &[u8]) -> IndexKey {
        let text = &text[text.len() - text.len().min(AFFIX_MAX)..];
        let size = text.len() as u8;
        IndexKey {
            lookup: Lookup { kind, size },
            key: suffix_key(self.hash(kind, 0), text),
            ngram: 0,
        }
    }

    /// A wildcard is indexed by its prefix, its suffix, or an n-gram of its longest literal.
    fn wildcard(
        self,
        wildcard: &[u8],
        pick: Option<&dyn Fn(&IndexKey) -> usize>,
        out: &mut Vec<IndexKey>,
    ) {
        let literals: Vec<&[u8]> = wildcard.split(|&byte| byte == ANY).collect();
        let (first, last) = (literals[0], literals[literals.len() - 1]);
        if literals.len() == 1 {
            let lookup = Lookup { kind: LookupKind::Text, size: 0 };
            out.push(IndexKey { lookup, key: self.text(LookupKind::Text, first), ngram: 0 });
            return;
        }
        let longest = literals.iter().map(|literal| literal.len()).max().unwrap_or(0);
        if first.len().min(8) >= longest.min(8) {
            out.push(self.prefix(LookupKind::Prefix, first));
        } else if last.len().min(8) >= longest.min(8) {
            out.push(self.suffix(LookupKind::Suffix, last));
        } else {
            let size = NGRAM_SIZES.into_iter().find(|&size| size <= longest).unwrap_or(1);
            let ngrams = literals.iter().flat_map(|literal| literal.windows(size)).map(|window| {
                let ngram = load(window);
                let lookup = Lookup { kind: LookupKind::Ngram, size: size as u8 };
                IndexKey { lookup, key: self.ngram(size as u8, ngram), ngram }
            });
            match pick {
                Some(load) => out.extend(ngrams.min_by_key(load)),
                None => out.extend(ngrams),
            }
        }
    }

    /// Two blocks that cover a range: they meet at the roundest number inside it.
    fn range(self, operand: &[u8], out: &mut Vec<IndexKey>) {
        let range = encoding::range_of(operand);
        let (low, high) = (ordered_bits(range.low), ordered_bits(range.high));
        let mut push = |size: u32, bits| {
            let size = size as u8;
            let lookup = Lookup { kind: LookupKind::NumberBlock, size };
            out.push(IndexKey { lookup, key: self.block(size, bits), ngram: 0 });
        };
        if low == high {
            return push(0, low);
        }
        let middle = high & (u64::MAX << (63 - (low ^ high).leading_zeros()));
        push(64 - (middle - low - 1).leading_zeros(), low);
        push(64 - (high - middle).leading_zeros(), high);
    }
}

/// The key of a suffix: it is hashed from the end.
pub(crate) fn suffix_key(mut hash: Hash, text: &[u8]) -> u32 {
    let mut chunks = text.rchunks_exact(8);
    for chunk in &mut chunks {
        hash = hash.word(load(chunk));
    }
    hash.end(chunks.remainder(), text.len())
}

/// The share of events that a key of this lookup selects, relative to other keys of its kind.
fn weight(lookup: Lookup) -> f64 {
    match lookup.kind {
        LookupKind::Text | LookupKind::Number | LookupKind::Literal | LookupKind::CaseFolded => 1.0,
        LookupKind::Ipv4 | LookupKind::Ipv6 => 2.0,
        LookupKind::Prefix
        | LookupKind::Suffix
        | LookupKind::CaseFoldedPrefix
        | LookupKind::CaseFoldedSuffix => match lookup.size {
            0 => 50_000.0,
            1 | 2 => 20.0,
            _ => 2.0,
        },
        LookupKind::Ngram => match lookup.size {
            0 | 1 => 300.0,
            2 => 40.0,
            _ => 6.0,
        },
        LookupKind::NumberBlock => 30.0,
        LookupKind::Exists | LookupKind::Absent => 100_000.0,
    }
}
