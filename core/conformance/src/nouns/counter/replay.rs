//! What the records of counters add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::counters::{COUNTER, Counter, Counters, State};
use super::record::Record;

#[derive(Default)]
pub struct CounterLoader {
    counters: BTreeMap<ResourceId, Stored>,
    last: u32,
}

#[derive(Default)]
struct Stored {
    name: Option<String>,
    period: Millis,
    state: State,
    created_at: Option<Location>,
    removed: bool,
}

impl CounterLoader {
    fn existing(&self) -> impl Iterator<Item = (&ResourceId, &Stored, &String)> {
        let there = self.counters.iter().filter(|(_, stored)| !stored.removed);
        there.filter_map(|(id, stored)| Some((id, stored, stored.name.as_ref()?)))
    }

    fn stored(&mut self, id: ResourceId) -> &mut Stored {
        self.last = self.last.max(id.0);
        self.counters.entry(id).or_default()
    }
}

impl Loader for CounterLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Record::decode(record)? {
            Record::Created { id, name, period, next } => {
                let stored = self.stored(id);
                (stored.name, stored.period) = (Some(name.to_owned()), period);
                stored.created_at = Some(at);
                if stored.state.location.is_none() {
                    stored.state.next = next;
                }
            }
            Record::Value { id, value, next } => {
                self.stored(id).state = State { value, next, location: Some(at) };
            }
            Record::Removed { id } => self.stored(id).removed = true,
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |(_, stored, name): (_, &Stored, &String)| ResourceReport {
            name: ResourceName::local(COUNTER, name),
            counters: vec![("value", stored.state.value.unsigned_abs())],
        };
        self.existing().map(report).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        for (id, stored, name) in self.existing() {
            for location in [stored.created_at, stored.state.location].into_iter().flatten() {
                host.live_bytes().add(location, host.now());
            }
            let (period, created_at) = (stored.period, stored.created_at);
            let counter = Counter::new(host.clone(), *id, name, period, stored.state, created_at);
            counter.arm(stored.state.next);
            host.directory.add(Arc::new(counter));
        }
        Ok(Arc::new(Counters { host: host.clone() }))
    }
}
