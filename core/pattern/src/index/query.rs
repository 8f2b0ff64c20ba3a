//! Queries: looks up the keys of an event, and evaluates the candidate branches.

use crate::error::InvalidEvent;
use crate::event::array_match::{ElementMarks, FlattenedEvent, satisfies};
use crate::index::event_keys::{EventKeys, exact_key};
use crate::index::owners::{self, Owners, RuleId};
use crate::index::snapshot::{Entry, IndexSnapshot};
use crate::paths::Field;

/// Buffers of a query.
#[derive(Default)]
pub(crate) struct QueryScratch {
    keys: EventKeys,
    entries: Vec<Entry>,
}

/// Appends the rules that a flattened event matches, sorted, without duplicates.
pub(crate) fn query(
    snapshot: &IndexSnapshot,
    flattened: FlattenedEvent<'_>,
    marks: &mut ElementMarks,
    scratch: &mut QueryScratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    let from = out.len();
    let QueryScratch { keys, entries } = scratch;
    keys.collect(snapshot, flattened.fields, flattened.text);
    let mut evaluation = Evaluation { snapshot, flattened, marks, keys: &mut keys.keys, out };
    while !evaluation.keys.is_empty() {
        entries.clear();
        snapshot.table.get_many(evaluation.keys, |value| entries.push(Entry::of(value)));
        evaluation.keys.clear();
        // Equal values in an array look up the same entry.
        if entries.len() > 1 {
            entries.sort_unstable();
            entries.dedup();
        }
        evaluation.entries(entries)?;
    }
    let matched = out.len() - from;
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

/// Branches that are located at once.
const BATCH: usize = 4;

struct Evaluation<'a, 'q> {
    snapshot: &'a IndexSnapshot,
    flattened: FlattenedEvent<'a>,
    marks: &'q mut ElementMarks,
    /// Keys of splits, looked up in the next round.
    keys: &'q mut Vec<u32>,
    out: &'q mut Vec<RuleId>,
}

impl Evaluation<'_, '_> {
    /// Evaluates entries. The bytes of several branches are located before the first is read, so
    /// that their cache misses overlap.
    fn entries(&mut self, entries: &[Entry]) -> Result<(), InvalidEvent> {
        for entries in entries.chunks(BATCH) {
            let mut places = [None; BATCH];
            for (place, &entry) in places.iter_mut().zip(entries) {
                if let Entry::One(branch) = entry {
                    *place = Some(self.snapshot.store.place(branch));
                }
            }
            for (place, &entry) in places.into_iter().zip(entries) {
                match (place, entry) {
                    (Some(place), _) => self.branch(place.bytes())?,
                    (None, Entry::Many(posting)) => self.posting(posting)?,
                    (None, Entry::One(_)) => unreachable!("a branch has its place"),
                }
            }
        }
        Ok(())
    }

    fn posting(&mut self, id: u32) -> Result<(), InvalidEvent> {
        let snapshot = self.snapshot;
        let posting = snapshot.posting(id);
        for &branch in posting.members.iter() {
            self.branch(snapshot.store.get(branch))?;
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
            if let Some(exact) = exact_key(self.snapshot.hasher(field), &value) {
                self.keys.push(self.snapshot.child_key(posting, exact));
            }
        }
    }

    /// Evaluates a branch, and appends its rules if it matches.
    fn branch(&mut self, bytes: &[u8]) -> Result<(), InvalidEvent> {
        let (owners, code) = owners::split(bytes);
        if !satisfies(self.flattened, code, self.marks)? {
            return Ok(());
        }
        self.out.extend(owners.few());
        if let Owners::Posting(id) = owners {
            self.out.extend(self.snapshot.posting(id).members.iter());
        }
        Ok(())
    }
}
