//! Asks an index which branches an event may satisfy, and then the branches themselves.

use crate::compare::address;
use crate::compare::case_fold;
use crate::compare::number::ordered_bits;
use crate::compile::encoding::op;
use crate::cow::branch_store::BranchId;
use crate::error::InvalidEvent;
use crate::event::array_match::{Marks, Walked, satisfies};
use crate::event::fields::{Found, Scratch};
use crate::event::value::{Kind as ValueKind, Value};
use crate::hash::{Hash, load};
use crate::index::index_keys::{AFFIX_MAX, Keys, Kind, Probe};
use crate::index::snapshot::{Entry, Rules};
use crate::paths::{Field, Node};
use crate::set::RuleId;

/// Memory of a query.
#[derive(Default)]
pub(crate) struct Query {
    /// Entries that the event's values asked for.
    entries: Vec<Entry>,
    folded: Vec<u8>,
    /// Entries that postings lead to.
    next: Vec<Entry>,
}

/// Appends the rules that a walked event matches, sorted, each once.
pub(crate) fn query(
    rules: &Rules,
    text: &[u8],
    scratch: &mut Scratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    let Scratch { found, marks, query } = scratch;
    query.entries.clear();
    query.ask(rules, found, text);
    let walked = Walked { paths: &rules.paths, found, text };
    let mut answer = Answer { rules, walked, marks, next: &mut query.next, out };
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

impl Query {
    fn ask(&mut self, rules: &Rules, found: &Found, text: &[u8]) {
        for &field in &found.fields {
            let node = rules.paths.node(field);
            let keys = rules.keys(field);
            for leaf in found.of(field) {
                let value = found.value(leaf, text);
                self.ask_value(rules, node, keys, &value);
            }
        }
        for &field in rules.absent.iter() {
            // With arrays, a field that is there may be absent where it matters.
            if !found.is_flat() || found.of(field).next().is_none() {
                self.key(rules, rules.keys(field).bare(Kind::Absent));
            }
        }
    }

    #[inline]
    fn key(&mut self, rules: &Rules, key: u32) {
        self.entries.extend(rules.entry(key));
    }

    fn ask_value(&mut self, rules: &Rules, node: &Node, keys: Keys, value: &Value<'_>) {
        let is_text = value.kind == ValueKind::Text;
        let mut probes = node.probes.as_slice();
        while let Some((&Probe { kind, .. }, _)) = probes.split_first() {
            let count = probes.iter().take_while(|probe| probe.kind == kind).count();
            let (same, rest) = probes.split_at(count);
            probes = rest;
            match kind {
                Kind::Seen => self.key(rules, keys.bare(Kind::Seen)),
                Kind::Text if is_text => self.key(rules, keys.text(Kind::Text, value.text)),
                Kind::Number if value.kind == ValueKind::Number => {
                    self.key(rules, number_key(keys, value));
                }
                Kind::Word => {
                    if let Some(operator) = word_of(value.kind) {
                        self.key(rules, keys.word(operator));
                    }
                }
                Kind::Block => {
                    if let Some(double) = value.double() {
                        let bits = ordered_bits(double);
                        for probe in same {
                            self.key(rules, keys.block(probe.size, bits));
                        }
                    }
                }
                Kind::Absent | Kind::Text | Kind::Number => {}
                _ if is_text => self.ask_text(rules, node, keys, value.text, same),
                _ => {}
            }
        }
    }

    /// Asks the questions `same`, all of one kind, about a text.
    fn ask_text(&mut self, rules: &Rules, node: &Node, keys: Keys, text: &[u8], same: &[Probe]) {
        let kind = same[0].kind;
        match kind {
            Kind::Prefix => self.prefixes(rules, keys.hash(kind, 0), text, same),
            Kind::Suffix => self.suffixes(rules, keys.hash(kind, 0), text, same),
            Kind::Gram => self.grams(rules, node, keys, text, same),
            Kind::V4 | Kind::V6 => {
                let address = address::parse(text).filter(|a| a.is_v6 == (kind == Kind::V6));
                if let Some(address) = address {
                    for probe in same {
                        self.key(rules, keys.network(probe.size, address));
                    }
                }
            }
            _ => {
                let mut folded = std::mem::take(&mut self.folded);
                case_fold::key(text, &mut folded);
                match kind {
                    Kind::Folded => self.key(rules, keys.text(kind, &folded)),
                    Kind::FoldedPrefix => {
                        self.prefixes(rules, keys.hash(kind, 0), &folded, same);
                    }
                    _ => self.suffixes(rules, keys.hash(kind, 0), &folded, same),
                }
                self.folded = folded;
            }
        }
    }

    /// Sizes ascend, so each key continues the hash of the one before.
    fn prefixes(&mut self, rules: &Rules, mut hash: Hash, text: &[u8], same: &[Probe]) {
        let mut done = 0;
        for probe in same {
            let size = usize::from(probe.size);
            if size > text.len() {
                break;
            }
            while done + 8 <= size {
                hash = hash.word(load(&text[done..done + 8]));
                done += 8;
            }
            self.key(rules, hash.end(&text[done..size], size));
        }
    }

    fn suffixes(&mut self, rules: &Rules, mut hash: Hash, text: &[u8], same: &[Probe]) {
        let text = &text[text.len() - text.len().min(AFFIX_MAX)..];
        let mut done = 0;
        for probe in same {
            let size = usize::from(probe.size);
            if size > text.len() {
                break;
            }
            while done + 8 <= size {
                let end = text.len() - done;
                hash = hash.word(load(&text[end - 8..end]));
                done += 8;
            }
            self.key(rules, hash.end(&text[text.len() - size..text.len() - done], size));
        }
    }

    fn grams(&mut self, rules: &Rules, node: &Node, keys: Keys, text: &[u8], same: &[Probe]) {
        for probe in same {
            let size = usize::from(probe.size);
            for window in text.windows(size) {
                let gram = load(window);
                if node.may_have_gram(gram) {
                    self.key(rules, keys.gram(probe.size, gram));
                }
            }
        }
    }
}

#[inline]
fn number_key(keys: Keys, value: &Value<'_>) -> u32 {
    match value.double() {
        Some(double) => keys.double(double),
        None => keys.text(Kind::Number, value.text),
    }
}

fn word_of(kind: ValueKind) -> Option<u8> {
    match kind {
        ValueKind::True => Some(op::TRUE),
        ValueKind::False => Some(op::FALSE),
        ValueKind::Null => Some(op::NULL),
        _ => None,
    }
}

/// The key of a value as an exact one; none for what equals nothing.
pub(crate) fn exact_key(keys: Keys, value: &Value<'_>) -> Option<u32> {
    Some(match value.kind {
        ValueKind::Text => keys.text(Kind::Text, value.text),
        ValueKind::Number => number_key(keys, value),
        ValueKind::Binary => return None,
        kind => keys.word(word_of(kind)?),
    })
}

struct Answer<'a, 'q> {
    rules: &'a Rules,
    walked: Walked<'a>,
    marks: &'q mut Marks,
    next: &'q mut Vec<Entry>,
    out: &'q mut Vec<RuleId>,
}

impl Answer<'_, '_> {
    fn entry(&mut self, entry: Entry) -> Result<(), InvalidEvent> {
        match entry {
            Entry::One(branch) => self.branch(branch),
            Entry::Many(posting) => self.posting(posting),
        }
    }

    fn posting(&mut self, id: u32) -> Result<(), InvalidEvent> {
        let rules = self.rules;
        let posting = rules.posting(id);
        for &branch in posting.members.iter() {
            self.branch(branch)?;
        }
        for &field in posting.splits.iter() {
            self.split(id, field);
        }
        Ok(())
    }

    fn split(&mut self, posting: u32, field: Field) {
        let Walked { found, text, .. } = self.walked;
        for leaf in found.of(field) {
            let value = found.value(leaf, text);
            if let Some(exact) = exact_key(self.rules.keys(field), &value)
                && let Some(entry) = self.rules.entry(self.rules.child_key(posting, exact))
            {
                self.next.push(entry);
            }
        }
    }

    fn branch(&mut self, branch: BranchId) -> Result<(), InvalidEvent> {
        if !satisfies(self.walked, self.rules.code(branch), self.marks)? {
            return Ok(());
        }
        match self.rules.owner(branch) {
            (false, rule) => self.out.push(rule),
            (true, posting) => self.out.extend(self.rules.posting(posting).members.iter()),
        }
        Ok(())
    }
}
