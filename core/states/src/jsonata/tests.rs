//! The cases of JSONata's own suite, through our interface.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use jsonata_core::evaluator::Context;
use jsonata_core::value::JValue;

use super::{Bindings, Query, convert};
use crate::limits::Limits;
use crate::value::{Value, parse};

fn lines(name: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jsonata/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    text.lines().map(|line| parse(line).unwrap()).collect()
}

fn result(case: &Value, data: &JValue, expression: &str) -> Result<Option<Value>, String> {
    let query = Query::parse(expression)?;
    let mut context = Context::new();
    if let Some(bound) = case.get("bindings").and_then(Value::as_object) {
        for (name, value) in bound {
            context.bind(name.to_string(), convert::to_jsonata(value));
        }
    }
    // What has a result gets the time that a slow machine takes; some of the rest never ends.
    let jsonata_ms = if case.get("result").is_some() { 600_000 } else { 5_000 };
    let limits = Limits { jsonata_depth: 1_000, jsonata_ms, ..Limits::default() };
    let bindings = Bindings {
        states: &|_| None,
        variable: &|_| None,
        limits: &limits,
        now_ms: 1_700_000_000_000,
        seed: 7,
    };
    query.run(context, data, &bindings)
}

/// Why a case does not end as the suite says.
fn difference(case: &Value, data: &JValue) -> Option<String> {
    let expression = case.get("expr")?.as_str()?;
    let found = result(case, data, expression);
    if let Some(wanted) = case.get("result") {
        return match found {
            Ok(Some(found)) if same(&found, wanted, case.get("unordered").is_some()) => None,
            found => Some(format!("not {wanted} but {found:?}")),
        };
    }
    if case.get("undefinedResult").is_some() {
        return match found {
            Ok(None) => None,
            found => Some(format!("not undefined but {found:?}")),
        };
    }
    let code = case.get("code").and_then(Value::as_str).unwrap_or("");
    match found {
        Err(message) if message.contains(code) => None,
        found => Some(format!("not the error {code} but {found:?}")),
    }
}

fn same(found: &Value, wanted: &Value, unordered: bool) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => {
            let (found, wanted) = (found.as_f64(), wanted.as_f64());
            found == wanted || (found - wanted).abs() < wanted.abs() * 1e-14
        }
        (Value::Array(found), Value::Array(wanted)) if unordered => {
            found.len() == wanted.len() && found.iter().all(|item| wanted.contains(item))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found.iter().zip(wanted.iter()).all(|(a, b)| same(a, b, false))
        }
        (Value::Object(found), Value::Object(wanted)) => {
            found.len() == wanted.len()
                && found.iter().all(|(key, a)| wanted.get(key).is_some_and(|b| same(a, b, false)))
        }
        (found, wanted) => found == wanted,
    }
}

#[test]
fn the_suite_of_jsonata_passes() {
    let datasets: HashMap<String, Value> = lines("datasets.jsonl")
        .into_iter()
        .map(|line| {
            let name = line.get("name").and_then(Value::as_str).unwrap().to_owned();
            (name, line.get("data").cloned().unwrap())
        })
        .collect();
    let known =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jsonata/known.txt"))
            .unwrap_or_default();
    let mut differences = Vec::new();
    let cases = lines("cases.jsonl");
    for case in &cases {
        let id = case.get("id").and_then(Value::as_str).unwrap();
        let data = match (case.get("data"), case.get("dataset")) {
            (Some(data), _) => convert::to_jsonata(data),
            (None, Some(Value::String(name))) => convert::to_jsonata(&datasets[&**name]),
            _ => JValue::Undefined,
        };
        let found = difference(case, &data);
        let expected = known.lines().find(|line| line.split(' ').next() == Some(id));
        match (found, expected) {
            (Some(found), None) => differences.push(format!("{id} {found}")),
            (None, Some(_)) => differences.push(format!("{id} passes, but is in known.txt")),
            _ => {}
        }
    }
    let count = differences.len();
    assert!(differences.is_empty(), "{count} of {}:\n{}", cases.len(), differences.join("\n"));
}

fn hostile(expression: &str) -> String {
    let query = match Query::parse(expression) {
        Ok(query) => query,
        Err(message) => return message,
    };
    let limits = Limits::default();
    let bindings =
        Bindings { states: &|_| None, variable: &|_| None, limits: &limits, now_ms: 0, seed: 0 };
    query.evaluate(&bindings).unwrap_err()
}

#[test]
fn expressions_that_grow_without_bound_end() {
    let grown = [
        "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('a', 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f([$s, $s], $n - 1) }; $f('a', 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1) }; $f(1, 60))",
        "$reduce([1..60], function($a, $i) { [$a, $a] }, 1)",
        "$reduce([1..60], function($a, $i) { $a & $a }, 'a')",
        "$reduce([1..60], function($a, $i) { $append($a, $a) }, [1])",
        "$string($reduce([1..60], function($a, $i) { {'x': [$a, $a]} }, 1))",
        "$pad('a', 2000000000)",
        "($s := $pad('a', 1000000); $join([1..1000000].($s), $s))",
        "($s := $pad('a', 1000000); $replace($s, 'a', $s))",
        "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        "($f := function($n) { $f($n + 1) }; $f(0))",
        "[1..100000000]",
        "$range(1, 100000000, 1)",
    ];
    // A path whose every step doubles what the one before gave.
    let path = format!("[1]{}", ".{'a': $, 'b': $}".repeat(60));
    for expression in grown.into_iter().chain([path.as_str()]) {
        let message = hostile(expression);
        let codes = ["D2015", "D1011", "D1012", "U1001", "D2014"];
        assert!(codes.iter().any(|code| message.contains(code)), "{expression}: {message}");
    }
}

#[test]
fn expressions_that_are_nested_too_deeply_are_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("$f(", ")"), ("-", ""), ("1+", "")] {
        let text = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        assert!(Query::parse(&text).is_err(), "{open}");
    }
}
