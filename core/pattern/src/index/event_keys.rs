//! The index keys that an event looks up: for each value of a named field, one key for each lookup
//! of that field.

use crate::compare::address;
use crate::compare::case_fold;
use crate::compare::number::ordered_bits;
use crate::compile::encoding::op;
use crate::event::fields::ExtractedFields;
use crate::event::flatten::Watch;
use crate::event::value::{Value, ValueKind};
use crate::hash::{Hash, load};
use crate::index::index_keys::{AFFIX_MAX, FieldHasher};
use crate::index::snapshot::IndexSnapshot;
use crate::paths::lookup::{Lookup, LookupKind};
use crate::paths::{Field, Node};

impl Watch for IndexSnapshot {
    /// Fetches the entry of an exact text, so that the miss overlaps with the reading of the rest.
    /// The text is hashed again when it is looked up: that costs a tenth of a miss.
    #[inline]
    fn text(&self, field: Field, node: &Node, text: &[u8]) {
        if self.table.is_large() && node.has_exact_texts() {
            self.table.prefetch(self.hasher(field).text(LookupKind::Text, text));
        }
    }
}

/// Collects keys; reused between events.
#[derive(Default)]
pub(super) struct EventKeys {
    pub(super) keys: Vec<u32>,
    folded: Vec<u8>,
}

impl EventKeys {
    /// Computes the keys of an event.
    pub(super) fn collect(
        &mut self,
        snapshot: &IndexSnapshot,
        extracted: &ExtractedFields,
        text: &[u8],
    ) {
        self.keys.clear();
        for &field in &extracted.fields {
            let node = snapshot.paths.node(field);
            let hasher = snapshot.hasher(field);
            for leaf in extracted.of(field) {
                let value = extracted.value(leaf, text);
                self.add_value(node, hasher, &value);
            }
        }
        for &field in snapshot.absent.iter() {
            // In an array, a field may be absent from the element that matters.
            if !extracted.is_flat() || extracted.of(field).next().is_none() {
                self.keys.push(snapshot.hasher(field).without_value(LookupKind::Absent));
            }
        }
    }

    fn add_value(&mut self, node: &Node, hasher: FieldHasher, value: &Value<'_>) {
        let is_text = value.kind == ValueKind::Text;
        let mut lookups = node.lookups.as_slice();
        while let Some((&Lookup { kind, .. }, _)) = lookups.split_first() {
            let count = lookups.iter().take_while(|lookup| lookup.kind == kind).count();
            let (same, rest) = lookups.split_at(count);
            lookups = rest;
            match kind {
                LookupKind::Exists => self.keys.push(hasher.without_value(LookupKind::Exists)),
                LookupKind::Text if is_text => {
                    self.keys.push(hasher.text(LookupKind::Text, value.text))
                }
                LookupKind::Number if value.kind == ValueKind::Number => {
                    self.keys.push(number_key(hasher, value));
                }
                LookupKind::Literal => {
                    if let Some(operator) = literal_of(value.kind) {
                        self.keys.push(hasher.literal(operator));
                    }
                }
                LookupKind::NumberBlock => {
                    if let Some(double) = value.double() {
                        let bits = ordered_bits(double);
                        for lookup in same {
                            self.keys.push(hasher.block(lookup.size, bits));
                        }
                    }
                }
                LookupKind::Absent | LookupKind::Text | LookupKind::Number => {}
                _ if is_text => self.add_text(node, hasher, value.text, same),
                _ => {}
            }
        }
    }

    /// Adds the keys of a text for lookups of one kind.
    fn add_text(&mut self, node: &Node, hasher: FieldHasher, text: &[u8], same: &[Lookup]) {
        let kind = same[0].kind;
        match kind {
            LookupKind::Prefix => self.prefixes(hasher.hash(kind, 0), text, same),
            LookupKind::Suffix => self.suffixes(hasher.hash(kind, 0), text, same),
            LookupKind::Ngram => self.ngrams(node, hasher, text, same),
            LookupKind::Ipv4 | LookupKind::Ipv6 => {
                let address =
                    address::parse(text).filter(|a| a.is_v6 == (kind == LookupKind::Ipv6));
                if let Some(address) = address {
                    for lookup in same {
                        self.keys.push(hasher.network(lookup.size, address));
                    }
                }
            }
            _ => {
                let mut folded = std::mem::take(&mut self.folded);
                case_fold::fold_key(text, &mut folded);
                match kind {
                    LookupKind::CaseFolded => self.keys.push(hasher.text(kind, &folded)),
                    LookupKind::CaseFoldedPrefix => {
                        self.prefixes(hasher.hash(kind, 0), &folded, same);
                    }
                    _ => self.suffixes(hasher.hash(kind, 0), &folded, same),
                }
                self.folded = folded;
            }
        }
    }

    /// Sizes ascend, so each key continues the hash of the previous one.
    fn prefixes(&mut self, mut hash: Hash, text: &[u8], same: &[Lookup]) {
        let mut done = 0;
        for lookup in same {
            let size = usize::from(lookup.size);
            if size > text.len() {
                break;
            }
            while done + 8 <= size {
                hash = hash.word(load(&text[done..done + 8]));
                done += 8;
            }
            self.keys.push(hash.end(&text[done..size], size));
        }
    }

    fn suffixes(&mut self, mut hash: Hash, text: &[u8], same: &[Lookup]) {
        let text = &text[text.len() - text.len().min(AFFIX_MAX)..];
        let mut done = 0;
        for lookup in same {
            let size = usize::from(lookup.size);
            if size > text.len() {
                break;
            }
            while done + 8 <= size {
                let end = text.len() - done;
                hash = hash.word(load(&text[end - 8..end]));
                done += 8;
            }
            self.keys.push(hash.end(&text[text.len() - size..text.len() - done], size));
        }
    }

    fn ngrams(&mut self, node: &Node, hasher: FieldHasher, text: &[u8], same: &[Lookup]) {
        for lookup in same {
            let size = usize::from(lookup.size);
            for window in text.windows(size) {
                let ngram = load(window);
                if node.may_have_ngram(ngram) {
                    self.keys.push(hasher.ngram(lookup.size, ngram));
                }
            }
        }
    }
}

#[inline]
fn number_key(hasher: FieldHasher, value: &Value<'_>) -> u32 {
    match value.double() {
        Some(double) => hasher.double(double),
        None => hasher.text(LookupKind::Number, value.text),
    }
}

fn literal_of(kind: ValueKind) -> Option<u8> {
    match kind {
        ValueKind::True => Some(op::TRUE),
        ValueKind::False => Some(op::FALSE),
        ValueKind::Null => Some(op::NULL),
        _ => None,
    }
}

/// The key of a value as an exact one; none for what equals nothing.
pub(crate) fn exact_key(hasher: FieldHasher, value: &Value<'_>) -> Option<u32> {
    Some(match value.kind {
        ValueKind::Text => hasher.text(LookupKind::Text, value.text),
        ValueKind::Number => number_key(hasher, value),
        ValueKind::Binary => return None,
        kind => hasher.literal(literal_of(kind)?),
    })
}
