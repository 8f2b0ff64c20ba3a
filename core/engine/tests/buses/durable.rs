//! What is durable of buses, and that copies have it.

use std::sync::Arc;

use trunkline_engine::{Clock, Engine, NewTarget, standard_queue};

use super::common::{START, find, on_disk, queue, receive};
use super::*;

fn look(engine: &Engine) -> Vec<String> {
    let mut seen = Vec::new();
    for bus in engine.buses(None, None, "").unwrap() {
        seen.push(format!("{} {:?}", bus.name(), bus.document()));
        for rule in bus.rules().unwrap() {
            seen.push(format!("{} {} {:?}", rule.name, rule.is_enabled, rule.targets));
        }
    }
    seen
}

#[test]
fn buses_rules_and_targets_survive_restarts_compaction_and_copies() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let expected = {
        let engine = on_disk(folder.path(), START);
        let end = queue(&engine, "end", standard_queue());
        engine.bus(bus_name("default"), b"document").unwrap();
        let (bus, gone) = (bus(&engine, "default"), bus(&engine, "gone"));
        let template = Input::Template {
            paths: vec![("a".to_owned(), "$.detail.a".to_owned())],
            template: r#"{"a": <a>}"#.to_owned(),
        };
        let to = NewTarget { input: template, dead_letter: Some(end.id()), ..target(end.id()) };
        engine.put_rule(&bus, rule("kept", ANY, vec![to])).unwrap();
        let named = |id: &str| NewTarget {
            id: id.to_owned(),
            document: format!(r#"{{"of":"{id}"}}"#).into_bytes(),
            ..target(end.id())
        };
        engine.put_targets(&bus, "kept", &[named("added"), named("gone")]).unwrap();
        engine.remove_targets(&bus, "kept", &["gone"]).unwrap();
        put_rule(&engine, &bus, "disabled", ANY, end.id());
        bus.enable_rule("disabled", false).unwrap();
        put_rule(&engine, &bus, "removed", ANY, end.id());
        engine.remove_rule(&bus, "removed").unwrap();
        put_rule(&engine, &gone, "r", ANY, end.id());
        engine.remove_bus(&gone).unwrap();
        let expected = look(&engine);
        engine.compact_oldest().unwrap();
        assert_eq!(look(&engine), expected);
        engine.snapshot(&copy.path().join("copy")).unwrap();
        let fork = engine.fork(Arc::new(Clock::virtual_at(START))).unwrap();
        assert_eq!(look(&fork), expected);
        put(&self::bus(&fork, "default"), "s", r#"{"a":1}"#);
        assert_eq!(receive(&find(&fork, "end"), 10).len(), 2);
        assert_eq!(receive(&end, 10).len(), 0, "a fork is on its own");
        engine.close().unwrap();
        expected
    };
    for path in [folder.path().to_owned(), copy.path().join("copy")] {
        let engine = on_disk(&path, START);
        assert_eq!(look(&engine), expected);
        put(&bus(&engine, "default"), "s", r#"{"a":1}"#);
        assert_eq!(receive(&find(&engine, "end"), 10).len(), 2);
    }
}

#[test]
fn ids_of_events_and_rules_are_never_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for opening in 0..3 {
        let engine = on_disk(folder.path(), START);
        let (bus, end) = (bus(&engine, "default"), format!("end-{opening}"));
        let end = queue(&engine, &end, standard_queue());
        put_rule(&engine, &bus, &format!("r-{opening}"), ANY, end.id());
        assert!(ids.insert(put(&bus, "s", "{}").id));
        assert!(ids.insert(end.id().0.to_string()));
        assert!(ids.insert(bus.rule(&format!("r-{opening}")).unwrap().id.0.to_string()));
        engine.close().unwrap();
    }
}
