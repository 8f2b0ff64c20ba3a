//! How many different keys of a kind rules have put to a field, roughly: which field tells rules
//! apart.

use std::collections::HashMap;

use crate::index::index_keys::IndexKey;
use crate::paths::Field;
use crate::paths::lookup::LookupKind;

/// Words of a sketch: 1,024 bits tell some to some thousands apart, which is all that is asked.
const WORDS: usize = 16;
const BITS: f64 = (WORDS * 64) as f64;

/// Linear counting by field and kind of key.
#[derive(Default)]
pub(crate) struct Estimates {
    sketches: HashMap<(Field, LookupKind), Sketch>,
}

#[derive(Default)]
struct Sketch {
    bits: [u64; WORDS],
    ones: u32,
}

impl Estimates {
    pub(crate) fn note(&mut self, field: Field, index_key: &IndexKey) {
        let sketch = self.sketches.entry((field, index_key.lookup.kind)).or_default();
        let at = index_key.key as usize % (WORDS * 64);
        let (word, bit) = (&mut sketch.bits[at / 64], 1 << (at % 64));
        sketch.ones += u32::from(*word & bit == 0);
        *word |= bit;
    }

    pub(crate) fn distinct(&self, field: Field, kind: LookupKind) -> f64 {
        let ones = self.sketches.get(&(field, kind)).map_or(0.0, |sketch| f64::from(sketch.ones));
        -BITS * ((BITS - ones).max(0.5) / BITS).ln()
    }

    /// The share of events that may ask for one of `index_keys`.
    pub(crate) fn cost(&self, field: Field, index_keys: &[IndexKey]) -> f64 {
        let cost =
            |index_key: &IndexKey| index_key.cost(self.distinct(field, index_key.lookup.kind));
        index_keys.iter().map(cost).sum()
    }
}
