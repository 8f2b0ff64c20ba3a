//! Measures rule sets against the quamina crate and event-ruler, in alternating passes. Prints JSON
//! lines for `run.py`.
//!
//! `trunkline-pattern-bench [writing] [--lines N] [--only NAME] [--alone | --in-turns]
//! [--java CLASSPATH]`
//!
//! `--alone` leaves the peers out. `--in-turns` does too, and has the rows take turns, so that they
//! can be compared with each other.

mod java;
mod lines;
mod rows;
mod writing;

use std::hint::black_box;
use std::time::Instant;

use java::Java;
use lines::{LINES, Line};
use quamina::Quamina;
use rows::Row;
use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};

const ROUNDS: usize = 5;
/// Rounds in which rows are compared with each other.
const ROUNDS_IN_TURNS: usize = 25;

struct Options {
    /// The number of events measured; rules are always made from all of them.
    lines: usize,
    only: String,
    is_alone: bool,
    java: Option<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let options = Options {
        lines: value("--lines").and_then(|count| count.parse().ok()).unwrap_or(LINES).min(LINES),
        only: value("--only").unwrap_or_default(),
        is_alone: arguments.contains(&"--alone".to_owned()),
        java: value("--java"),
    };
    let lines: Vec<Line> = (0..LINES).map(|index| lines::line(index, 1)).collect();
    if arguments.first().is_some_and(|argument| argument == "writing") {
        return writing::run(&lines);
    }
    let mut chosen = rows::rows(&lines);
    chosen.retain(|row| row.name.contains(&options.only));
    let lines = &lines[..options.lines];
    if arguments.contains(&"--in-turns".to_owned()) {
        return run_in_turns(&chosen, lines);
    }
    chosen.iter().for_each(|row| run(row, lines, &options));
}

pub fn compiled(text: &str) -> Pattern {
    let limits = Limits { wildcard_complexity: 100, ..Limits::default() };
    Pattern::compile(text.as_bytes(), Dialect::EventPattern, &limits).expect("a pattern")
}

/// Adds rules in chunks, so that compiled patterns do not count as memory of the set.
pub fn set_of(rules: &[String]) -> RuleSet {
    let set = RuleSet::new();
    for (chunk, texts) in rules.chunks(1000).enumerate() {
        let patterns: Vec<Pattern> = texts.iter().map(|text| compiled(text)).collect();
        let first = (chunk * 1000) as u32;
        set.add_many(patterns.iter().enumerate().map(|(at, p)| (first + at as u32, p)));
    }
    set
}

/// A candidate. A pass returns microseconds per event and the number of matches.
struct Turn<'a> {
    name: &'static str,
    built: f64,
    pass: Box<dyn FnMut() -> (f64, usize) + 'a>,
}

fn passed<'l>(lines: &'l [Line], mut matches: impl FnMut(&'l Line) -> usize) -> (f64, usize) {
    let started = Instant::now();
    let matched = lines.iter().map(|line| black_box(matches(line))).sum();
    (started.elapsed().as_secs_f64() * 1e6 / lines.len() as f64, matched)
}

/// The set of some rules, and the seconds that it took to build.
fn build(rules: &[String]) -> (RuleSet, f64) {
    let started = Instant::now();
    let set = set_of(rules);
    let built = started.elapsed().as_secs_f64();
    (set, built)
}

fn ours<'l>(
    name: &'static str,
    (set, built): &(RuleSet, f64),
    lines: &'l [Line],
    event: fn(&'l [u8]) -> Event<'l>,
) -> Turn<'l> {
    let snapshot = set.snapshot();
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let pass = move || {
        passed(lines, |line| {
            out.clear();
            snapshot.matches(event(&line.text), &mut scratch, &mut out).expect("an event");
            out.len()
        })
    };
    Turn { name, built: *built, pass: Box::new(pass) }
}

fn run_in_turns(rows: &[Row<'_>], lines: &[Line]) {
    let mut counts = Vec::new();
    let plain = |row: &Row<'_>| {
        let rules = (row.rules)();
        counts.push(rules.len());
        ours("plain", &build(&rules), lines, Event::plain)
    };
    let mut turns: Vec<Turn<'_>> = rows.iter().map(plain).collect();
    let (times, matched) = measure(&mut turns, ROUNDS_IN_TURNS);
    for (at, row) in rows.iter().enumerate() {
        show(&row.name, counts[at], &turns[at..=at], &times[at..=at], &matched[at..=at]);
    }
}

fn run<'l>(row: &Row<'_>, lines: &'l [Line], options: &Options) {
    let rules = (row.rules)();
    let built = build(&rules);
    let mut turns = vec![ours("plain", &built, lines, Event::plain)];
    if !options.is_alone {
        turns.push(ours("trusted", &built, lines, Event::trusted));
        turns.push(ours("validated", &built, lines, Event::new));
        turns.extend(row.has_quamina.then(|| quamina(&rules, lines)).flatten());
        if let Some(classes) = options.java.as_deref().filter(|_| row.has_ruler) {
            turns.extend(ruler(classes, &rules, lines));
        }
    }
    let (times, matched) = measure(&mut turns, ROUNDS);
    show(&row.name, rules.len(), &turns, &times, &matched);
}

fn quamina<'l>(rules: &[String], lines: &'l [Line]) -> Option<Turn<'l>> {
    let started = Instant::now();
    let mut peer = Quamina::new();
    let is_added = rules.iter().enumerate().all(|(id, text)| peer.add_pattern(id, text).is_ok());
    let built = started.elapsed().as_secs_f64();
    let pass = move || {
        passed(lines, |line| peer.matches_for_event(&line.text).map_or(0, |matched| matched.len()))
    };
    is_added.then(|| Turn { name: "quamina", built, pass: Box::new(pass) })
}

fn ruler(classes: &str, rules: &[String], lines: &[Line]) -> Option<Turn<'static>> {
    let folder = std::env::temp_dir().join(format!("pattern-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let all: Vec<&[u8]> = lines.iter().map(|line| line.text.as_slice()).collect();
    std::fs::write(folder.join("lines"), all.join(&b'\n')).expect("a writable folder");
    std::fs::write(folder.join("rules"), rules.join("\n")).expect("a writable folder");
    let peer = Java::start(classes, &folder.join("lines"), &folder.join("rules"));
    std::fs::remove_dir_all(&folder).expect("our own folder");
    let mut peer = peer?;
    Some(Turn { name: "event-ruler", built: peer.built, pass: Box::new(move || peer.turn()) })
}

/// Has all take turns. By turn: the microseconds of each round, and the matches of the last.
fn measure(turns: &mut [Turn<'_>], rounds: usize) -> (Vec<Vec<f64>>, Vec<usize>) {
    let mut times = vec![Vec::new(); turns.len()];
    let mut matched = vec![0; turns.len()];
    for round in 0..=rounds {
        for step in 0..turns.len() {
            let at = (step + round) % turns.len();
            let (time, count) = (turns[at].pass)();
            matched[at] = count;
            // The first round is a warm-up.
            if round > 0 {
                times[at].push(time);
            }
        }
    }
    (times, matched)
}

fn show(name: &str, rules: usize, turns: &[Turn<'_>], times: &[Vec<f64>], matched: &[usize]) {
    let candidates: Vec<String> = turns
        .iter()
        .zip(times.iter().zip(matched))
        .map(|(Turn { name, built, .. }, (times, matched))| {
            format!("\"{name}\":{{\"us\":{times:.4?},\"built\":{built:.4},\"matched\":{matched}}}")
        })
        .collect();
    println!("{{\"row\":{name:?},\"rules\":{rules},{}}}", candidates.join(","));
}
