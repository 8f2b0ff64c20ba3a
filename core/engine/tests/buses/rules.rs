//! Rules: matching, change, disabling, removal, explanation and bad input.

use std::sync::atomic::{AtomicBool, Ordering};

use trunkline_engine::{BusStatistics, Code, NewTarget, standard_queue};

use super::common::{bodies, memory, queue, receive};
use super::*;

#[test]
fn an_event_goes_to_the_targets_of_every_rule_that_matches() {
    let engine = memory();
    let (first, second) =
        (queue(&engine, "first", standard_queue()), queue(&engine, "second", standard_queue()));
    let bus = bus(&engine, "default");
    put_rule(&engine, &bus, "paid", r#"{"detail":{"state":["paid"]}}"#, first.id());
    put_rule(&engine, &bus, "all", ANY, second.id());
    let outcome = put(&bus, "shop", r#"{"state":"paid"}"#);
    assert_eq!((outcome.matched, outcome.delivered, outcome.failed), (2, 2, 0));
    assert_eq!(put(&bus, "shop", r#"{"state":"open"}"#).matched, 1);
    let got = receive(&first, 10);
    let expected = format!(
        concat!(
            r#"{{"version":"0","id":"{}","detail-type":"t","source":"shop","#,
            r#""account":"000000000000","time":"2023-11-14T22:13:20Z","region":"us-east-1","#,
            r#""resources":[],"detail":{{"state":"paid"}}}}"#
        ),
        outcome.id
    );
    assert_eq!(bodies(&got), [expected]);
    assert_eq!(details(&bodies(&receive(&second, 10))).len(), 2);
    let expected =
        BusStatistics { rules: 2, events: 2, matched: 2, delivered: 3, ..BusStatistics::default() };
    assert_eq!(bus.statistics().unwrap(), expected);
    let rules = bus.rules().unwrap();
    assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["all", "paid"]);
    assert_eq!((rules[1].matched, rules[1].delivered), (1, 1));
}

#[test]
fn event_ids_are_unique_uuids() {
    let engine = memory();
    let bus = bus(&engine, "default");
    let ids: std::collections::BTreeSet<_> = (0..1_000).map(|_| put(&bus, "s", "{}").id).collect();
    assert_eq!(ids.len(), 1_000);
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
}

#[test]
fn a_rule_that_is_put_again_is_replaced_and_keeps_its_id() {
    let engine = memory();
    let (old, new) =
        (queue(&engine, "old", standard_queue()), queue(&engine, "new", standard_queue()));
    let bus = bus(&engine, "default");
    put_rule(&engine, &bus, "r", r#"{"source":["a"]}"#, old.id());
    let id = bus.rule("r").unwrap().id;
    put_rule(&engine, &bus, "r", r#"{"source":["b"]}"#, new.id());
    assert_eq!(bus.rule("r").unwrap().id, id);
    assert_eq!((put(&bus, "a", "{}").matched, put(&bus, "b", "{}").matched), (0, 1));
    assert_eq!((receive(&old, 10).len(), receive(&new, 10).len()), (0, 1));
}

#[test]
fn a_disabled_rule_matches_nothing_and_a_removed_one_is_gone() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    put_rule(&engine, &bus, "r", ANY, end.id());
    bus.enable_rule("r", false).unwrap();
    assert_eq!(put(&bus, "s", "{}").matched, 0);
    assert!(!bus.rule("r").unwrap().is_enabled);
    bus.enable_rule("r", true).unwrap();
    assert_eq!(put(&bus, "s", "{}").matched, 1);
    engine.remove_rule(&bus, "r").unwrap();
    engine.remove_rule(&bus, "r").unwrap();
    assert_eq!(put(&bus, "s", "{}").matched, 0);
    let error = bus.rule("r").unwrap_err();
    assert_eq!(error.message(), "Rule r does not exist on EventBus default.");
}

#[test]
fn explain_names_the_first_field_that_does_not_match() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    put_rule(&engine, &bus, "a", r#"{"source":["s"],"detail":{"n":[2]}}"#, end.id());
    put_rule(&engine, &bus, "b", ANY, end.id());
    let explained = bus.explain(event("s", r#"{"n":1}"#).as_bytes()).unwrap();
    let texts: Vec<_> =
        explained.iter().map(|(rule, why)| format!("{}: {why}", rule.name)).collect();
    assert_eq!(texts, ["a: The field \"detail.n\" is 1; wanted 2.", "b: The event matches."]);
    assert_eq!(receive(&end, 10).len(), 0, "nothing is delivered");
}

fn ids(bus: &Bus, rule: &str) -> Vec<String> {
    bus.rule(rule).unwrap().targets.into_iter().map(|target| target.id).collect()
}

#[test]
fn targets_are_added_replaced_and_removed_by_their_ids_and_a_rule_put_without_any_keeps_them() {
    let engine = memory();
    let bus = bus(&engine, "default");
    let ends: Vec<_> =
        ["a", "b", "c"].map(|name| queue(&engine, name, standard_queue())).into_iter().collect();
    let named = |id: &str, to: usize| NewTarget { id: id.to_owned(), ..target(ends[to].id()) };
    engine.put_rule(&bus, rule("r", ANY, vec![named("a", 0)])).unwrap();
    engine.put_targets(&bus, "r", &[named("b", 0), named("c", 2)]).unwrap();
    engine.put_targets(&bus, "r", &[named("b", 1)]).unwrap();
    assert_eq!(ids(&bus, "r"), ["a", "b", "c"], "a target that is replaced keeps its place");
    let outcome = put(&bus, "s", "{}");
    assert_eq!((outcome.matched, outcome.delivered), (1, 3));
    assert!(ends.iter().all(|end| receive(end, 10).len() == 1));

    let kept = NewRule { targets: None, is_enabled: false, ..rule("r", ANY, vec![]) };
    engine.put_rule(&bus, kept).unwrap();
    assert_eq!(ids(&bus, "r"), ["a", "b", "c"]);
    bus.enable_rule("r", true).unwrap();
    engine.remove_targets(&bus, "r", &["a", "c", "absent"]).unwrap();
    put(&bus, "s", "{}");
    assert_eq!(ends.iter().map(|end| receive(end, 10).len()).collect::<Vec<_>>(), [0, 1, 0]);

    let more: Vec<_> = (0..5).map(|n| named(&n.to_string(), 0)).collect();
    let error = engine.put_targets(&bus, "r", &more).unwrap_err();
    assert_eq!(error.code(), Code::OverLimit);
    let error = engine.put_targets(&bus, "r", &[named("x", 0), named("x", 1)]).unwrap_err();
    assert!(error.message().contains("the id x"), "{error}");
    assert_eq!(ids(&bus, "r"), ["b"], "all of them are put, or none");
    let error = engine.put_targets(&bus, "absent", &[named("x", 0)]).unwrap_err();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
}

#[test]
fn targets_that_threads_add_at_once_are_all_there() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    for _ in 0..50 {
        engine.put_rule(&bus, rule("r", ANY, vec![])).unwrap();
        std::thread::scope(|scope| {
            for id in ["a", "b", "c", "d"] {
                let (engine, bus, end) = (&engine, &bus, &end);
                scope.spawn(move || {
                    let target = NewTarget { id: id.to_owned(), ..target(end.id()) };
                    engine.put_targets(bus, "r", &[target]).unwrap();
                });
            }
        });
        assert_eq!(ids(&bus, "r").len(), 4);
    }
}

#[test]
fn bad_rules_and_targets_are_refused_and_nothing_is_left_of_them() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    let main = || target(end.id());
    let many = |count: usize| (0..count).map(|n| NewTarget { id: n.to_string(), ..main() });
    let cases = [
        (rule("r", "{}", vec![main()]), Code::InvalidParameterValue, "Empty objects"),
        (rule("r", r#"{"a":1}"#, vec![main()]), Code::InvalidParameterValue, "not valid"),
        (rule("no spaces", ANY, vec![main()]), Code::InvalidParameterValue, "\"no spaces\""),
        (rule("", ANY, vec![main()]), Code::InvalidParameterValue, "1 to 64"),
        (rule("r", ANY, many(6).collect()), Code::OverLimit, "at most 5"),
        (rule("r", ANY, vec![main(), main()]), Code::InvalidParameterValue, "the id main"),
        (rule("r", ANY, vec![target(ResourceId(99))]), Code::ResourceNotFoundException, "main"),
        (rule("r", ANY, vec![target(bus.id())]), Code::InvalidParameterValue, "its own rule"),
        (
            rule("r", ANY, vec![NewTarget { retries_max: 186, ..main() }]),
            Code::InvalidParameterValue,
            "at most 185",
        ),
        (
            rule("r", ANY, vec![NewTarget { age_max: 59_999, ..main() }]),
            Code::InvalidParameterValue,
            "between 60 and 86400",
        ),
        (
            rule("r", ANY, vec![NewTarget { dead_letter: Some(ResourceId(99)), ..main() }]),
            Code::ResourceNotFoundException,
            "dead-letter queue of target main",
        ),
    ];
    for (rule, code, part) in cases {
        let error = engine.put_rule(&bus, rule).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(part), "{part}: {error}");
    }
    assert!(bus.rules().unwrap().is_empty());
    assert!(engine.bus(bus_name("a b"), b"").is_err());
}

#[test]
fn a_bus_that_was_removed_takes_nothing() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    put_rule(&engine, &bus, "r", ANY, end.id());
    engine.remove_bus(&bus).unwrap();
    let error = try_put(&bus, &event("s", "{}")).unwrap_err();
    assert_eq!(error.message(), "Event bus default does not exist.");
    assert!(engine.find_bus(&bus_name("default")).unwrap().is_none());
    let (again, is_new) = engine.bus(bus_name("default"), b"").unwrap();
    assert!(is_new && again.rules().unwrap().is_empty());
}

#[test]
fn no_event_is_matched_twice_or_not_at_all_while_its_rule_changes() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    put_rule(&engine, &bus, "r", ANY, end.id());
    let (is_over, puts) = (AtomicBool::new(false), 2_000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let pattern = [ANY, r#"{"detail-type":["t"]}"#][number % 2];
                put_rule(&engine, &bus, "r", pattern, end.id());
                put_rule(
                    &engine,
                    &bus,
                    &format!("other-{}", number % 50),
                    r#"{"a":[1]}"#,
                    end.id(),
                );
            }
        });
        for _ in 0..puts {
            assert_eq!(put(&bus, "s", "{}").matched, 1);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(end.statistics().unwrap().visible, puts);
}
