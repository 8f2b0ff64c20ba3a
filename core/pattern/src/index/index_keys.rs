//! By which question a branch is found: the keys that a test puts into the index.
//!
//! A key is a filter. Everything that passes the test asks for the key; what else asks for it is
//! turned away when the branch is looked at. So keys may be coarse: long prefixes are cut, a
//! wildcard stands under a few bytes of one of its literals, a range under two blocks of numbers
//! that cover it.

use crate::compare::address::{Address, first_bits};
use crate::compare::case_fold;
use crate::compare::number::ordered_bits;
use crate::compare::wildcard::ANY;
use crate::compile::encoding::{self, Tests, op};
use crate::hash::{Hash, load};
use crate::paths::Field;

/// A question about a value: its kind, and the length that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Probe {
    pub(crate) kind: Kind,
    pub(crate) size: u8,
}

/// The kinds of questions, in the order in which a query asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// There is a value.
    Seen,
    Text,
    Number,
    /// `true`, `false`, `null`.
    Word,
    /// The text without regard to case.
    Folded,
    Prefix,
    Suffix,
    FoldedPrefix,
    FoldedSuffix,
    /// Bytes anywhere in the text.
    Gram,
    /// The block of numbers of that size, as a power of two.
    Block,
    V4,
    V6,
    /// There is no value.
    Absent,
}

impl Kind {
    /// How much of all events such a key finds, beside other keys of its kind.
    fn weight(self, size: u8) -> f64 {
        match self {
            Kind::Text | Kind::Number | Kind::Word | Kind::Folded => 1.0,
            Kind::V4 | Kind::V6 => 2.0,
            Kind::Prefix | Kind::Suffix | Kind::FoldedPrefix | Kind::FoldedSuffix => match size {
                0 => 50_000.0,
                1 | 2 => 20.0,
                _ => 2.0,
            },
            Kind::Gram => match size {
                0 | 1 => 300.0,
                2 => 40.0,
                _ => 6.0,
            },
            Kind::Block => 30.0,
            Kind::Seen | Kind::Absent => 100_000.0,
        }
    }
}

/// A key under which a branch may be found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) probe: Probe,
    pub(crate) key: u32,
    /// For grams: the bytes, which the field's filter knows.
    pub(crate) gram: u64,
}

impl Access {
    /// The share of events that may ask for it, where `distinct` keys of its kind are known.
    pub(crate) fn cost(&self, distinct: f64) -> f64 {
        self.probe.kind.weight(self.probe.size) / distinct.max(1.0)
    }
}

/// Lengths at which prefixes and suffixes are cut.
pub(crate) const AFFIX_MAX: usize = 32;

/// Lengths of grams: few, because each is asked for at every byte of a text.
const GRAMS: [usize; 5] = [8, 5, 3, 2, 1];

/// The keys of a field for one seed.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) seed: u64,
    pub(crate) field: Field,
}

impl Keys {
    #[inline]
    pub(crate) fn hash(self, kind: Kind, size: u8) -> Hash {
        Hash::seeded(self.seed, self.field, (kind as u32) << 8 | u32::from(size))
    }

    /// The key of a kind that needs no more.
    pub(crate) fn bare(self, kind: Kind) -> u32 {
        self.hash(kind, 0).key()
    }

    #[inline]
    pub(crate) fn text(self, kind: Kind, text: &[u8]) -> u32 {
        self.hash(kind, 0).bytes(text)
    }

    #[inline]
    pub(crate) fn double(self, value: f64) -> u32 {
        self.hash(Kind::Number, 0).word(value.to_bits()).key()
    }

    pub(crate) fn word(self, operator: u8) -> u32 {
        self.hash(Kind::Word, 0).word(u64::from(operator)).key()
    }

    #[inline]
    pub(crate) fn gram(self, size: u8, gram: u64) -> u32 {
        self.hash(Kind::Gram, size).word(gram).key()
    }

    pub(crate) fn block(self, size: u8, bits: u64) -> u32 {
        self.hash(Kind::Block, size).word(bits.checked_shr(u32::from(size)).unwrap_or(0)).key()
    }

    pub(crate) fn network(self, size: u8, address: Address) -> u32 {
        let kind = if address.is_v6 { Kind::V6 } else { Kind::V4 };
        let bits = first_bits(address.bits, size);
        self.hash(kind, size).word(bits as u64).word((bits >> 64) as u64).key()
    }

    /// Every value that is one of `tests` asks for one of these at least. Of the choices that a
    /// test leaves, `pick` takes one; without it all are given.
    pub(crate) fn of(
        self,
        tests: Tests<'_>,
        pick: Option<&dyn Fn(&Access) -> usize>,
        out: &mut Vec<Access>,
    ) {
        for (operator, operand) in tests {
            self.of_test(operator, operand, pick, out);
        }
        out.sort_unstable_by_key(|access| (access.probe, access.key));
        out.dedup_by_key(|access| (access.probe, access.key));
    }

    fn of_test(
        self,
        operator: u8,
        operand: &[u8],
        pick: Option<&dyn Fn(&Access) -> usize>,
        out: &mut Vec<Access>,
    ) {
        let mut folded = Vec::new();
        if matches!(
            operator,
            op::EQUALS_IGNORE_CASE | op::PREFIX_IGNORE_CASE | op::SUFFIX_IGNORE_CASE
        ) {
            case_fold::key(operand, &mut folded);
        }
        let plain = |kind, key| Access { probe: Probe { kind, size: 0 }, key, gram: 0 };
        out.push(match operator {
            op::ABSENT => plain(Kind::Absent, self.bare(Kind::Absent)),
            op::EXISTS | op::ANYTHING_BUT => plain(Kind::Seen, self.bare(Kind::Seen)),
            op::TRUE | op::FALSE | op::NULL => plain(Kind::Word, self.word(operator)),
            op::TEXT => plain(Kind::Text, self.text(Kind::Text, operand)),
            op::DOUBLE => plain(Kind::Number, self.double(encoding::double_of(operand))),
            op::DIGITS => plain(Kind::Number, self.text(Kind::Number, operand)),
            op::EQUALS_IGNORE_CASE => plain(Kind::Folded, self.text(Kind::Folded, &folded)),
            op::PREFIX => self.prefix(Kind::Prefix, operand),
            op::SUFFIX => self.suffix(Kind::Suffix, operand),
            op::PREFIX_IGNORE_CASE => self.prefix(Kind::FoldedPrefix, &folded),
            op::SUFFIX_IGNORE_CASE => self.suffix(Kind::FoldedSuffix, &folded),
            op::WILDCARD => return self.wildcard(operand, pick, out),
            op::RANGE => return self.range(operand, out),
            op::NETWORK => {
                let network = encoding::network_of(operand);
                let address = Address { bits: network.bits, is_v6: network.is_v6 };
                let kind = if network.is_v6 { Kind::V6 } else { Kind::V4 };
                let probe = Probe { kind, size: network.length };
                Access { probe, key: self.network(network.length, address), gram: 0 }
            }
            _ => unreachable!("operators are written by this crate alone"),
        });
    }

    fn prefix(self, kind: Kind, text: &[u8]) -> Access {
        let text = &text[..text.len().min(AFFIX_MAX)];
        let size = text.len() as u8;
        // What begins with nothing is any text: its prefix of no bytes.
        Access { probe: Probe { kind, size }, key: self.hash(kind, 0).bytes(text), gram: 0 }
    }

    fn suffix(self, kind: Kind, text: &[u8]) -> Access {
        let text = &text[text.len() - text.len().min(AFFIX_MAX)..];
        let size = text.len() as u8;
        Access { probe: Probe { kind, size }, key: suffix_key(self.hash(kind, 0), text), gram: 0 }
    }

    /// A wildcard is found by its beginning, its end, or a piece of its longest literal.
    fn wildcard(
        self,
        wildcard: &[u8],
        pick: Option<&dyn Fn(&Access) -> usize>,
        out: &mut Vec<Access>,
    ) {
        let literals: Vec<&[u8]> = wildcard.split(|&byte| byte == ANY).collect();
        let (first, last) = (literals[0], literals[literals.len() - 1]);
        if literals.len() == 1 {
            let probe = Probe { kind: Kind::Text, size: 0 };
            out.push(Access { probe, key: self.text(Kind::Text, first), gram: 0 });
            return;
        }
        let longest = literals.iter().map(|literal| literal.len()).max().unwrap_or(0);
        if first.len().min(8) >= longest.min(8) {
            out.push(self.prefix(Kind::Prefix, first));
        } else if last.len().min(8) >= longest.min(8) {
            out.push(self.suffix(Kind::Suffix, last));
        } else {
            let size = GRAMS.into_iter().find(|&size| size <= longest).unwrap_or(1);
            let grams = literals.iter().flat_map(|literal| literal.windows(size)).map(|window| {
                let gram = load(window);
                let probe = Probe { kind: Kind::Gram, size: size as u8 };
                Access { probe, key: self.gram(size as u8, gram), gram }
            });
            match pick {
                Some(load) => out.extend(grams.min_by_key(load)),
                None => out.extend(grams),
            }
        }
    }

    /// Two blocks that cover a range: what lies below and above the roundest number in it.
    fn range(self, operand: &[u8], out: &mut Vec<Access>) {
        let range = encoding::range_of(operand);
        let (low, high) = (ordered_bits(range.low), ordered_bits(range.high));
        let mut push = |size: u32, bits| {
            let size = size as u8;
            let probe = Probe { kind: Kind::Block, size };
            out.push(Access { probe, key: self.block(size, bits), gram: 0 });
        };
        if low == high {
            return push(0, low);
        }
        let middle = high & (u64::MAX << (63 - (low ^ high).leading_zeros()));
        push(64 - (middle - low - 1).leading_zeros(), low);
        push(64 - (high - middle).leading_zeros(), high);
    }
}

/// The key of a suffix: its words are taken from the end.
pub(crate) fn suffix_key(mut hash: Hash, text: &[u8]) -> u32 {
    let mut chunks = text.rchunks_exact(8);
    for chunk in &mut chunks {
        hash = hash.word(load(chunk));
    }
    hash.end(chunks.remainder(), text.len())
}
