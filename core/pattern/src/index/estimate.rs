//! Estimates of how many distinct keys of each kind the rules have for a field. They show which
//! field distinguishes rules best.

use std::collections::HashMap;

use crate::index::index_keys::IndexKey;
use crate::paths::Field;
use crate::paths::lookup::LookupKind;

/// 1,024 bits distinguish a few keys from some thousands, which is all that the writer needs.
const WORDS: usize = 16;
const BITS: f64 = (WORDS * 64) as f64;

/// Linear-counting sketches by field and kind of key.
#[derive(Default)]
pub(crate) struct Estimates {
    sketches: HashMap<Field, Vec<Sketch>>,
}

struct Sketch {
    kind: LookupKind,
    ones: u32,
    bits: [u64; WORDS],
}

impl Estimates {
    /// Counts a key of a field.
    pub(crate) fn record(&mut self, field: Field, index_key: &IndexKey) {
        let kind = index_key.lookup.kind;
        let sketches = self.sketches.entry(field).or_default();
        let known = sketches.iter().position(|sketch| sketch.kind == kind);
        let index = known.unwrap_or_else(|| {
            sketches.push(Sketch { kind, ones: 0, bits: [0; WORDS] });
            sketches.len() - 1
        });
        let sketch = &mut sketches[index];
        let at = index_key.key as usize % (WORDS * 64);
        let (word, bit) = (&mut sketch.bits[at / 64], 1 << (at % 64));
        sketch.ones += u32::from(*word & bit == 0);
        *word |= bit;
    }

    /// Forgets a field that no rule names any more.
    pub(crate) fn remove(&mut self, field: Field) {
        self.sketches.remove(&field);
    }

    /// The estimated number of distinct keys.
    pub(crate) fn distinct(&self, field: Field, kind: LookupKind) -> f64 {
        let sketches = self.sketches.get(&field).map_or(&[][..], Vec::as_slice);
        let sketch = sketches.iter().find(|sketch| sketch.kind == kind);
        let ones = sketch.map_or(0.0, |sketch| f64::from(sketch.ones));
        -BITS * ((BITS - ones).max(0.5) / BITS).ln()
    }

    /// The estimated share of events that look up one of `index_keys`.
    pub(crate) fn cost(&self, field: Field, index_keys: &[IndexKey]) -> f64 {
        let cost = |key: &IndexKey| key.cost(self.distinct(field, key.lookup.kind));
        index_keys.iter().map(cost).sum()
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> usize {
        self.sketches.len()
    }
}
