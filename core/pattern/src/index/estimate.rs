//! Estimates of how many distinct keys of each kind the rules have for a field. They show which
//! field distinguishes rules best.

use std::collections::HashMap;

use crate::index::index_keys::IndexKey;
use crate::paths::Field;
use crate::paths::lookup::LookupKind;

/// Registers of a sketch. The standard error is about 6 %.
const REGISTERS: usize = 256;

/// HyperLogLog sketches by field and kind of key.
#[derive(Default)]
pub(crate) struct Estimates {
    sketches: HashMap<Field, Vec<Sketch>>,
}

struct Sketch {
    kind: LookupKind,
    /// Registers that are 0.
    zeros: u16,
    /// The sum over the registers of 2^-register.
    sum: f64,
    registers: [u8; REGISTERS],
}

impl Sketch {
    fn new(kind: LookupKind) -> Self {
        let zeros = REGISTERS as u16;
        Self { kind, zeros, sum: REGISTERS as f64, registers: [0; REGISTERS] }
    }

    fn record(&mut self, key: u32) {
        let register = &mut self.registers[key as usize % REGISTERS];
        let rank = (key / REGISTERS as u32).leading_zeros() as u8 - 7;
        if rank > *register {
            self.zeros -= u16::from(*register == 0);
            self.sum += power(rank) - power(*register);
            *register = rank;
        }
    }

    fn distinct(&self) -> f64 {
        let count = REGISTERS as f64;
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count / self.sum;
        // Few keys leave registers empty, and these tell more.
        if estimate <= 2.5 * count && self.zeros > 0 {
            return count * (count / f64::from(self.zeros)).ln();
        }
        estimate
    }
}

fn power(rank: u8) -> f64 {
    0.5_f64.powi(i32::from(rank))
}

impl Estimates {
    /// Counts a key of a field.
    pub(crate) fn record(&mut self, field: Field, index_key: &IndexKey) {
        let kind = index_key.lookup.kind;
        let sketches = self.sketches.entry(field).or_default();
        match sketches.iter_mut().find(|sketch| sketch.kind == kind) {
            Some(sketch) => sketch.record(index_key.key),
            None => {
                let mut sketch = Sketch::new(kind);
                sketch.record(index_key.key);
                sketches.push(sketch);
            }
        }
    }

    /// Forgets a field that no rule names any more.
    pub(crate) fn remove(&mut self, field: Field) {
        self.sketches.remove(&field);
    }

    /// The estimated number of distinct keys.
    pub(crate) fn distinct(&self, field: Field, kind: LookupKind) -> f64 {
        let sketches = self.sketches.get(&field).map_or(&[][..], Vec::as_slice);
        let sketch = sketches.iter().find(|sketch| sketch.kind == kind);
        sketch.map_or(0.0, Sketch::distinct)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    #[test]
    fn estimates_are_near_the_count() {
        for count in [1_u32, 10, 100, 1000, 10_000, 1_000_000] {
            let mut sketch = Sketch::new(LookupKind::Text);
            for round in 0..2 {
                for key in 0..count {
                    let hash = Hash::seeded(7, 1, 2).word(u64::from(key)).word(8);
                    sketch.record(hash.key());
                }
                let ratio = sketch.distinct() / f64::from(count);
                assert!((0.75..1.25).contains(&ratio), "{count}, round {round}: {ratio}");
            }
        }
    }
}
