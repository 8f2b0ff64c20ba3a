//! The histories that AWS recorded, event by event.
//!
//! A case gives a definition, an input and the history that AWS answered. Tasks and map runs are
//! answered from that history; everything else has to come out of the crate. `score.txt` says of
//! each history whether it is equal, or its first difference, with its reason from `reasons.txt`.
//! `UPDATE_SCORE=1` writes it anew.

#![allow(clippy::unwrap_used)]

mod case;
mod compare;
mod definitions;
mod drive;
mod state;

use std::fmt::Write;
use std::path::Path;

const SCORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/score.txt");

const REASONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/reasons.txt");

/// The status of each history, a line each.
fn score() -> String {
    let filter = std::env::var("CASE").unwrap_or_default();
    let mut lines = Vec::new();
    for case in case::all() {
        if !case.name.contains(&filter) {
            continue;
        }
        for history in &case.histories {
            let status = drive::run(&case, history);
            lines.push(format!("{} {}: {status}", case.name, history.key));
        }
        lines.extend(definitions::lines(&case));
        lines.extend(drive::outputs(&case));
        lines.extend(state::lines(&case));
    }
    lines.sort();
    let reasons = std::fs::read_to_string(REASONS).unwrap();
    for line in &mut lines {
        let reason = reasons
            .lines()
            .filter_map(|reason| reason.split_once(": "))
            .find(|(name, _)| line.split(' ').next().is_some_and(|case| case.ends_with(name)));
        if let Some((_, reason)) = reason
            && !line.ends_with(": equal")
        {
            *line = format!("{line} [{reason}]");
        }
    }
    let equal = lines.iter().filter(|line| line.ends_with(": equal")).count();
    let mut out = String::new();
    let _ = writeln!(out, "{equal} of {} are equal.", lines.len());
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[test]
fn histories_come_out_as_recorded() {
    let found = score();
    if std::env::var_os("CASE").is_some() {
        println!("{found}");
        return;
    }
    if std::env::var_os("UPDATE_SCORE").is_some() {
        std::fs::write(SCORE, &found).unwrap();
    }
    let known = std::fs::read_to_string(Path::new(SCORE)).unwrap_or_default();
    for (found, known) in found.lines().zip(known.lines()) {
        assert_eq!(found, known, "the score changed: look, then set UPDATE_SCORE=1");
    }
    assert_eq!(found.lines().count(), known.lines().count());
}
