//! Counters under test.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{Engine, Millis, ResourceName, Result, Signal, Ticket};
use trunkline_host::{ComponentKind, Resource};
use trunkline_journal::sim::Random;
use trunkline_wire::detect::ServiceInfo;

use super::{ADD, COUNTER, COUNTERS, Counter, CounterService, Counters};
use crate::{FaultyVerb, Noun, WireNoun, WireRequest};

/// Counters under test.
pub struct CounterNoun;

fn counters(engine: &Engine) -> Arc<Counters> {
    engine.host().component().unwrap()
}

fn visits(engine: &Engine) -> Arc<Counter> {
    counters(engine).find("visits").unwrap()
}

fn name(counter: &Counter) -> &str {
    &counter.name().name
}

impl Noun for CounterNoun {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn kind(&self) -> Option<&'static ComponentKind> {
        Some(&COUNTERS)
    }

    fn fill(&self, engine: &Engine) {
        let counters = counters(engine);
        let (visits, _) = counters.create("visits", 0).unwrap();
        for _ in 0..3 {
            visits.add(1).unwrap();
        }
        counters.create("ticks", 60_000).unwrap();
        counters.create("gone", 0).unwrap().0.remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let all = counters(engine).all();
        all.iter().map(|one| format!("{} {}", name(one), one.value())).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["visits", "ticks"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        // A closed engine has no components.
        match engine.host().component::<Counters>() {
            Some(counters) => counters.create("late", 0).map(drop),
            None => engine.host().check_writable(),
        }
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        visits(engine).waiters.subscribe(signal, None);
        true
    }

    fn first_timer(&self) -> Option<Millis> {
        Some(60_000)
    }

    fn faulty_verb(&self) -> Option<FaultyVerb> {
        let resource = ResourceName::local(COUNTER, "visits");
        Some(FaultyVerb {
            operation: ADD,
            resource,
            call: |engine| visits(engine).add(1).map(drop),
        })
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let counters = counters(engine);
        let name = ["a", "b", "c"][random.below(3)];
        match counters.find(name) {
            None => counters.create(name, 0).unwrap().1,
            Some(counter) if random.once_in(10) => {
                counter.remove().unwrap();
                None
            }
            Some(counter) => counter.add(1).unwrap(),
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let state = |one: &Arc<Counter>| {
            (format!("counter {}", name(one)), one.value().to_le_bytes().into())
        };
        counters(engine).all().iter().map(state).collect()
    }

    fn service(&self) -> Option<WireNoun> {
        let info = ServiceInfo {
            name: "counter".to_owned(),
            target_prefix: Some("Counter".to_owned()),
            api_version: Some("2026-01-01".to_owned()),
            ..ServiceInfo::default()
        };
        let request = WireRequest {
            operation: "Add",
            json: r#"{"Name":"visits","By":[0]}"#,
            form: "Name=visits&By.member.1=0",
            // {"Name": "visits", "By": [0]}, with a list of indefinite length.
            cbor: b"\xa2\x64Name\x66visits\x62By\x9f\x00\xff",
            output: "Value",
        };
        let model = include_bytes!("model.json");
        Some(WireNoun { info, model, service: Arc::new(CounterService), request })
    }
}
