//! Asks an index which branches an event may satisfy, and then the branches themselves.

use crate::compare::address;
use crate::compare::case_fold;
use crate::compare::number::ordered_bits;
use crate::compile::encoding::op;
use crate::cow::branch_store::BranchId;
use crate::error::InvalidEvent;
use crate::event::array_match::{ElementMarks, FlattenedEvent, satisfies};
use crate::event::fields::ExtractedFields;
use crate::event::value::{Value, ValueKind};
use crate::hash::{Hash, load};
use crate::index::index_keys::{AFFIX_MAX, FieldHasher};
use crate::index::snapshot::RuleId;
use crate::index::snapshot::{Entry, IndexSnapshot};
use crate::paths::lookup::{Lookup, LookupKind};
use crate::paths::{Field, Node};

/// Memory of a query.
#[derive(Default)]
pub(crate) struct QueryScratch {
    /// Entries that the event's values asked for.
    entries: Vec<Entry>,
    folded: Vec<u8>,
    /// Entries that postings lead to.
    next: Vec<Entry>,
}

/// Appends the rules that a flattened event matches, sorted, each once.
pub(crate) fn query(
    snapshot: &IndexSnapshot,
    flattened: FlattenedEvent<'_>,
    marks: &mut ElementMarks,
    query: &mut QueryScratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    query.entries.clear();
    query.look_up(snapshot, flattened.fields, flattened.text);
    let mut answer = Evaluation { snapshot, flattened, marks, next: &mut query.next, out };
    let from = answer.out.len();
    while !query.entries.is_empty() {
        // Equal values in an array ask for the same entry.
        if query.entries.len() > 1 {
            query.entries.sort_unstable();
            query.entries.dedup();
        }
        for &entry in &query.entries {
            answer.entry(entry)?;
        }
        query.entries.clear();
        query.entries.append(answer.next);
    }
    let matched = answer.out.len() - from;
    if matched > 1 {
        out[from..].sort_unstable();
        let mut kept = from + 1;
        for index in from + 1..out.len() {
            if out[index] != out[kept - 1] {
                out[kept] = out[index];
                kept += 1;
            }
        }
        out.truncate(kept);
    }
    Ok(())
}

impl QueryScratch {
    fn look_up(&mut self, snapshot: &IndexSnapshot, extracted: &ExtractedFields, text: &[u8]) {
        for &field in &extracted.fields {
            let node = snapshot.paths.node(field);
            let hasher = snapshot.hasher(field);
            for leaf in extracted.of(field) {
                let value = extracted.value(leaf, text);
                self.look_up_value(snapshot, node, hasher, &value);
            }
        }
        for &field in snapshot.absent.iter() {
            // With arrays, a field that is there may be absent where it matters.
            if !extracted.is_flat() || extracted.of(field).next().is_none() {
                self.look_up_key(
                    snapshot,
                    snapshot.hasher(field).without_value(LookupKind::Absent),
                );
            }
        }
    }

    #[inline]
    fn look_up_key(&mut self, snapshot: &IndexSnapshot, key: u32) {
        self.entries.extend(snapshot.entry(key));
    }

    fn look_up_value(
        &mut self,
        snapshot: &IndexSnapshot,
        node: &Node,
        hasher: FieldHasher,
        value: &Value<'_>,
    ) {
        let is_text = value.kind == ValueKind::Text;
        let mut lookups = node.lookups.as_slice();
        while let Some((&Lookup { kind, .. }, _)) = lookups.split_first() {
            let count = lookups.iter().take_while(|lookup| lookup.kind == kind).count();
            let (same, rest) = lookups.split_at(count);
            lookups = rest;
            match kind {
                LookupKind::Exists => {
                    self.look_up_key(snapshot, hasher.without_value(LookupKind::Exists))
                }
                LookupKind::Text if is_text => {
                    self.look_up_key(snapshot, hasher.text(LookupKind::Text, value.text))
                }
                LookupKind::Number if value.kind == ValueKind::Number => {
                    self.look_up_key(snapshot, number_key(hasher, value));
                }
                LookupKind::Literal => {
                    if let Some(operator) = literal_of(value.kind) {
                        self.look_up_key(snapshot, hasher.literal(operator));
                    }
                }
                LookupKind::NumberBlock => {
                    if let Some(double) = value.double() {
                        let bits = ordered_bits(double);
                        for lookup in same {
                            self.look_up_key(snapshot, hasher.block(lookup.size, bits));
                        }
                    }
                }
                LookupKind::Absent | LookupKind::Text | LookupKind::Number => {}
                _ if is_text => self.look_up_text(snapshot, node, hasher, value.text, same),
                _ => {}
            }
        }
    }

    /// Asks the questions `same`, all of one kind, about a text.
    fn look_up_text(
        &mut self,
        snapshot: &IndexSnapshot,
        node: &Node,
        hasher: FieldHasher,
        text: &[u8],
        same: &[Lookup],
    ) {
        let kind = same[0].kind;
        match kind {
            LookupKind::Prefix => self.prefixes(snapshot, hasher.hash(kind, 0), text, same),
            LookupKind::Suffix => self.suffixes(snapshot, hasher.hash(kind, 0), text, same),
            LookupKind::Ngram => self.ngrams(snapshot, node, hasher, text, same),
            LookupKind::Ipv4 | LookupKind::Ipv6 => {
                let address =
                    address::parse(text).filter(|a| a.is_v6 == (kind == LookupKind::Ipv6));
                if let Some(address) = address {
                    for lookup in same {
                        self.look_up_key(snapshot, hasher.network(lookup.size, address));
                    }
                }
            }
            _ => {
                let mut folded = std::mem::take(&mut self.folded);
                case_fold::fold_key(text, &mut folded);
                match kind {
                    LookupKind::CaseFolded => {
                        self.look_up_key(snapshot, hasher.text(kind, &folded))
                    }
                    LookupKind::CaseFoldedPrefix => {
                        self.prefixes(snapshot, hasher.hash(kind, 0), &folded, same);
                    }
                    _ => self.suffixes(snapshot, hasher.hash(kind, 0), &folded, same),
                }
                self.folded = folded;
            }
        }
    }

    /// Sizes ascend, so each key continues the hash of the one before.
    fn prefixes(&mut self, snapshot: &IndexSnapshot, mut hash: Hash, text: &[u8], same: &[Lookup]) {
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
            self.look_up_key(snapshot, hash.end(&text[done..size], size));
        }
    }

    fn suffixes(&mut self, snapshot: &IndexSnapshot, mut hash: Hash, text: &[u8], same: &[Lookup]) {
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
            self.look_up_key(snapshot, hash.end(&text[text.len() - size..text.len() - done], size));
        }
    }

    fn ngrams(
        &mut self,
        snapshot: &IndexSnapshot,
        node: &Node,
        hasher: FieldHasher,
        text: &[u8],
        same: &[Lookup],
    ) {
        for lookup in same {
            let size = usize::from(lookup.size);
            for window in text.windows(size) {
                let ngram = load(window);
                if node.may_have_ngram(ngram) {
                    self.look_up_key(snapshot, hasher.ngram(lookup.size, ngram));
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

struct Evaluation<'a, 'q> {
    snapshot: &'a IndexSnapshot,
    flattened: FlattenedEvent<'a>,
    marks: &'q mut ElementMarks,
    next: &'q mut Vec<Entry>,
    out: &'q mut Vec<RuleId>,
}

impl Evaluation<'_, '_> {
    fn entry(&mut self, entry: Entry) -> Result<(), InvalidEvent> {
        match entry {
            Entry::One(branch) => self.branch(branch),
            Entry::Many(posting) => self.posting(posting),
        }
    }

    fn posting(&mut self, id: u32) -> Result<(), InvalidEvent> {
        let snapshot = self.snapshot;
        let posting = snapshot.posting(id);
        for &branch in posting.members.iter() {
            self.branch(branch)?;
        }
        for &field in posting.splits.iter() {
            self.split(id, field);
        }
        Ok(())
    }

    fn split(&mut self, posting: u32, field: Field) {
        let FlattenedEvent { fields: extracted, text, .. } = self.flattened;
        for leaf in extracted.of(field) {
            let value = extracted.value(leaf, text);
            if let Some(exact) = exact_key(self.snapshot.hasher(field), &value)
                && let Some(entry) = self.snapshot.entry(self.snapshot.child_key(posting, exact))
            {
                self.next.push(entry);
            }
        }
    }

    fn branch(&mut self, branch: BranchId) -> Result<(), InvalidEvent> {
        if !satisfies(self.flattened, self.snapshot.code(branch), self.marks)? {
            return Ok(());
        }
        match self.snapshot.owner(branch) {
            (false, rule) => self.out.push(rule),
            (true, posting) => self.out.extend(self.snapshot.posting(posting).members.iter()),
        }
        Ok(())
    }
}
