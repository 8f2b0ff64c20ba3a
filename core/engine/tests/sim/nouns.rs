//! The kinds of resources beside queues that the simulation works on. A new kind adds one line to
//! [`NOUNS`]: what it does at random, and how it looks.

use std::collections::BTreeMap;

use trunkline_engine::{Engine, Ticket};
use trunkline_journal::sim::Random;

use crate::counter::Counters;

/// A kind of resource under test.
pub trait Noun: Sync {
    /// One operation that changes one thing; the ticket stands for it.
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket>;
    /// How all of its resources stand, by name.
    fn look(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>>;
}

pub const NOUNS: &[&dyn Noun] = &[&DocumentNoun, &CounterNoun];

struct DocumentNoun;

impl Noun for DocumentNoun {
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let key = ["work/a", "work/b"][random.below(2)];
        let value = random.next_u64().to_le_bytes();
        engine.put_document(key, (!random.once_in(4)).then_some(&value)).unwrap()
    }

    fn look(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        engine.documents("work/").into_iter().collect()
    }
}

struct CounterNoun;

impl Noun for CounterNoun {
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let counters = engine.host().component::<Counters>().unwrap();
        let name = ["a", "b", "c"][random.below(3)];
        match counters.find(name) {
            None => counters.create(name, 0).unwrap().1,
            Some(counter) if random.once_in(10) => {
                counter.remove().unwrap();
                None
            }
            Some(counter) => counter.raise().unwrap(),
        }
    }

    fn look(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let all = engine.host().component::<Counters>().unwrap().all();
        let name = |counter: &crate::counter::Counter| {
            trunkline_host::Resource::name(counter).name.clone()
        };
        all.iter()
            .map(|one| (format!("counter {}", name(one)), one.value().to_le_bytes().into()))
            .collect()
    }
}
