//! Inputs of targets, by the vectors that AWS's answers are in.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::{
    BUS, Clock, Code, Engine, Input, NewTarget, OpenOptions, ResourceName, standard_queue,
};

use super::common::{bodies, queue, receive};
use super::*;

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[allow(dead_code, reason = "for readers; a case without its source is refused")]
    source: String,
    path: Option<String>,
    template: Option<String>,
    #[serde(default)]
    paths: std::collections::BTreeMap<String, String>,
    detail: String,
    gets: Option<String>,
    gets_json: Option<String>,
    refused: Option<String>,
    invalid: Option<String>,
}

impl Case {
    fn input(&self) -> Input {
        match (&self.path, &self.template) {
            (Some(path), None) => Input::Path(path.clone()),
            (None, Some(template)) => Input::Template {
                paths: self.paths.clone().into_iter().collect(),
                template: template.clone(),
            },
            _ => panic!("{}: a path or a template", self.name),
        }
    }

    fn event(&self) -> String {
        let head = r#"{"id":"00000000-0000-4000-8000-000000000001","time":"2024-05-13T10:00:00Z""#;
        let name = "core.update-account-command";
        format!(r#"{head},"source":"{name}","detail-type":"{name}","detail":{}}}"#, self.detail)
    }
}

/// 2024-05-13T10:00:00.123Z
const NOW: u64 = 1_715_594_400_123;

#[test]
fn inputs_are_made_as_the_vectors_say() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/events");
    let text = std::fs::read_to_string(vectors.join("inputs.toml")).unwrap();
    let vectors: Vectors = toml::from_str(&text).unwrap();
    assert!(vectors.case.len() > 20);
    for case in vectors.case {
        let clock = Arc::new(Clock::virtual_at(NOW));
        let engine = Engine::open(OpenOptions { clock, ..OpenOptions::memory() }).unwrap();
        let (end, dead) =
            (queue(&engine, "end", standard_queue()), queue(&engine, "dead", standard_queue()));
        let name = ResourceName::new(BUS, "111111111111", "us-east-1", "default");
        let (bus, _) = engine.bus(name, b"").unwrap();
        let target =
            NewTarget { input: case.input(), dead_letter: Some(dead.id()), ..target(end.id()) };
        let put = engine.put_rule(&bus, rule("rule", ANY, vec![target]));
        if let Some(part) = case.invalid {
            let error = put.unwrap_err();
            assert_eq!(error.code(), Code::InvalidParameterValue, "{}", case.name);
            assert!(error.message().contains(&part), "{}: {error}", case.name);
            continue;
        }
        put.unwrap();
        let outcome = try_put(&bus, &case.event()).unwrap();
        let got = receive(&end, 10);
        let got = bodies(&got);
        if case.refused.is_some() {
            assert_eq!((got.len(), outcome.failed), (0, 1), "{}", case.name);
            let dead = receive(&dead, 1);
            assert_eq!(details(&bodies(&dead)).len(), 1, "{}: the event is whole", case.name);
        } else if let Some(expected) = case.gets_json {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(got[0]), value(&expected), "{}", case.name);
        } else {
            assert_eq!(got[0], case.gets.unwrap(), "{}", case.name);
        }
    }
}

#[test]
fn a_constant_is_delivered_whatever_the_event_is_and_a_missing_path_is_null() {
    let engine = common::memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    let constant =
        NewTarget { input: Input::Constant(r#"{"a": 1}"#.to_owned()), ..target(end.id()) };
    let absent = NewTarget {
        id: "absent".to_owned(),
        input: Input::Path("$.detail.nothing".to_owned()),
        ..target(end.id())
    };
    engine.put_rule(&bus, rule("r", ANY, vec![constant, absent])).unwrap();
    put(&bus, "s", "{}");
    assert_eq!(bodies(&receive(&end, 10)), [r#"{"a": 1}"#, "null"]);
    let refused = NewTarget { input: Input::Constant("a".to_owned()), ..target(end.id()) };
    let error = engine.put_rule(&bus, rule("r", ANY, vec![refused])).unwrap_err();
    assert!(error.message().contains("not JSON"), "{error}");
}
