//! Event buses: their rules, and what rules deliver.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{
    Bus, Engine, Input, NewRule, NewTarget, PUT_EVENT, PutEvent, ResourceId, Result,
    TargetResource, Ticket, bus_name, queue_name, standard_queue,
};
use trunkline_journal::sim::Random;

use super::puts;
use crate::{FaultyVerb, Noun};

/// Event buses under test.
pub struct BusNoun;

const PATTERN: &str = r#"{"source":["shop"]}"#;
const EVENT: &[u8] = br#"{"source":"other","detail-type":"t","detail":{}}"#;

fn bus(engine: &Engine, name: &str) -> Arc<Bus> {
    engine.bus(bus_name(name), b"kept").unwrap().0
}

fn target(id: &str, resource: TargetResource, input: Input) -> NewTarget {
    NewTarget { input, ..NewTarget::new(id, resource) }
}

fn to(resource: ResourceId) -> Vec<NewTarget> {
    vec![target("main", TargetResource::Resource(resource), Input::Event)]
}

fn put_rule(
    engine: &Engine,
    bus: &Arc<Bus>,
    name: &str,
    pattern: &str,
    targets: Vec<NewTarget>,
) -> Option<Ticket> {
    let rule = NewRule { name, pattern, is_enabled: true, targets: Some(targets), document: b"" };
    engine.put_rule(bus, rule).unwrap()
}

impl Noun for BusNoun {
    fn name(&self) -> &'static str {
        "event buses"
    }

    fn fill(&self, engine: &Engine) {
        let (first, second, gone) =
            (bus(engine, "default"), bus(engine, "orders"), bus(engine, "gone"));
        put_rule(engine, &first, "on", PATTERN, to(second.id()));
        put_rule(engine, &first, "off", PATTERN, to(second.id()));
        let told = target("told", TargetResource::Resource(gone.id()), Input::Event);
        engine.put_targets(&first, "off", &[told]).unwrap();
        first.enable_rule("off", false).unwrap();
        put_rule(engine, &first, "removed", PATTERN, to(second.id()));
        engine.remove_rule(&first, "removed").unwrap();
        let paths = vec![("state".to_owned(), "$.detail.state".to_owned())];
        let template = Input::Template { paths, template: r#""<state>""#.to_owned() };
        let end = engine.create_queue(queue_name("bus-end"), standard_queue(), b"").unwrap();
        let end = TargetResource::Resource(end.id());
        put_rule(engine, &second, "out", PATTERN, vec![target("end", end, template)]);
        put_rule(engine, &gone, "r", PATTERN, to(first.id()));
        engine.remove_bus(&gone).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = Vec::new();
        for bus in engine.buses(None, None, "").unwrap() {
            let name = &bus.name().name;
            seen.push(format!("bus {name} {:?}", String::from_utf8_lossy(&bus.document())));
            for rule in bus.rules().unwrap() {
                let (on, targets) = (rule.is_enabled, rule.targets);
                seen.push(format!("{name}/{} {on} {} {targets:?}", rule.name, rule.pattern));
            }
        }
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["bus-end", "default", "orders"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let bus = engine.find_bus(&bus_name("default"))?.unwrap();
        engine.remove_rule(&bus, "on").map(drop)
    }

    fn faulty_verb(&self) -> Option<FaultyVerb> {
        let call = |engine: &Engine| {
            let bus = engine.find_bus(&bus_name("default"))?.unwrap();
            bus.put(PutEvent::new(EVENT)).map(drop)
        };
        Some(FaultyVerb { operation: PUT_EVENT, resource: bus_name("default"), call })
    }

    /// Changes a rule, or puts an event.
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        if !random.once_in(4) {
            return puts::operate(engine, random);
        }
        let (work, end) = (bus(engine, "work"), bus(engine, "work-end"));
        let name = ["a", "b", "c"][random.below(3)];
        if random.once_in(3) {
            return engine.remove_rule(&work, name).unwrap();
        }
        let is_there = work.find_rule(name).unwrap().is_some();
        if is_there && random.once_in(2) {
            let id = ["x", "y"][random.below(2)];
            if random.once_in(3) {
                return engine.remove_targets(&work, name, &[id]).unwrap();
            }
            let more = target(id, TargetResource::Resource(end.id()), Input::Event);
            return engine.put_targets(&work, name, &[more]).unwrap();
        }
        let pattern = format!(r#"{{"detail":{{"n":[{}]}}}}"#, random.next_u64() % 1_000);
        put_rule(engine, &work, name, &pattern, to(end.id()))
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let mut states = puts::states(engine);
        if let Some(work) = engine.find_bus(&bus_name("work")).unwrap() {
            let rules = work.rules().unwrap().into_iter();
            states.extend(rules.map(|rule| {
                let ids: Vec<_> = rule.targets.iter().map(|target| target.id.as_str()).collect();
                (rule.name, format!("{} {ids:?}", rule.pattern).into_bytes())
            }));
        }
        states
    }
}
