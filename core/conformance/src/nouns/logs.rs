//! Retained logs, which streams and archives are built of, tried without them: appends, sealed
//! files, expiry and removal.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{Code, Engine, Error, Result, Ticket};
use trunkline_host::{Component, Log, Logs};
use trunkline_journal::sim::Random;

use crate::{Noun, START};

/// Logs under test.
pub struct LogNoun;

/// How the entries of this noun begin. Logs of other kinds hold other entries.
const MARK: &str = "log entry";

fn logs(engine: &Engine) -> Result<Arc<Logs>> {
    engine.check_open()?;
    let absent = || Error::new(Code::InternalError, "The engine has no logs.");
    engine.host().component().ok_or_else(absent)
}

/// More than a record of a log has beside the bytes of its entry.
const HEAD_BYTES: usize = 64;

/// Appends `texts` to `log` in one step, of which a crash leaves all or nothing.
fn append(engine: &Engine, log: &Log, time: u64, texts: &[String]) -> Result<Option<Ticket>> {
    let ticket = {
        let mut step = engine.host().append()?;
        let size = |text: &String| HEAD_BYTES + MARK.len() + text.len();
        step.reserve(texts.len(), texts.iter().map(size).sum());
        for text in texts {
            log.append(&mut step, time, &[MARK.as_bytes(), text.as_bytes()])?;
        }
        step.ticket()
    };
    logs(engine)?.on_append(log);
    Ok(ticket)
}

/// Every log that is there, also those of other kinds.
fn all(engine: &Engine) -> Vec<Arc<Log>> {
    let Ok(logs) = logs(engine) else { return Vec::new() };
    let reports = logs.report(START);
    let ids = reports.iter().map(|report| report.name.name.parse().unwrap());
    ids.filter_map(|id| logs.get(trunkline_engine::ResourceId(id))).collect()
}

/// The entries of a log: sequence number, time and bytes.
fn entries(log: &Log) -> Vec<(u64, u64, Vec<u8>)> {
    let mut entries = Vec::new();
    let see = &mut |entry: trunkline_journal::retained::Entry<'_>| {
        entries.push((entry.sequence, entry.time, entry.payload.to_vec()));
        true
    };
    log.read(log.range().0, see).unwrap();
    entries
}

/// The logs in which this noun has entries.
fn own(engine: &Engine) -> Vec<Arc<Log>> {
    let is_own = |log: &Arc<Log>| {
        entries(log).first().is_some_and(|(_, _, payload)| payload.starts_with(MARK.as_bytes()))
    };
    all(engine).into_iter().filter(is_own).collect()
}

impl Noun for LogNoun {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn fill(&self, engine: &Engine) {
        let logs = logs(engine).unwrap();
        let [plain, removed, cut] = [(); 3].map(|()| logs.create().unwrap());
        let wide = |number: usize| format!("{number:0900}");
        for number in 0..30 {
            for (log, time) in [(&plain, START), (&removed, START), (&cut, START - 1_000)] {
                append(engine, log, time, &[wide(number)]).unwrap();
            }
        }
        // On a disk the entries of the oldest segments are sealed, so that they can expire.
        (0..4).for_each(|_| engine.compact_oldest().unwrap());
        append(engine, &cut, START, &[wide(30), wide(31)]).unwrap();
        assert!(logs.expire(&cut, START).unwrap() > 0, "nothing was sealed");
        logs.remove(removed.id()).unwrap();
        append(engine, &plain, START, &[wide(30)]).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let tell = |log: &Arc<Log>| {
            let entries = entries(log);
            let texts = entries.iter().map(|(sequence, time, payload)| {
                format!("log {} {sequence} {time} {}", log.id().0, payload.escape_ascii())
            });
            let range = format!("log {} {:?}", log.id().0, log.range());
            std::iter::once(range).chain(texts).collect::<Vec<_>>()
        };
        all(engine).iter().flat_map(tell).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["1", "3"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let log = logs(engine)?.create()?;
        append(engine, &log, START, &["late".to_owned()]).map(drop)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let (logs, own, now) = (logs(engine).unwrap(), own(engine), engine.clock().now());
        if own.len() < 2 {
            let log = logs.create().unwrap();
            return append(engine, &log, now, &["first".to_owned()]).unwrap();
        }
        let log = &own[random.below(own.len())];
        match random.below(8) {
            0 => logs.remove(log.id()).unwrap(),
            1 => drop(logs.expire(log, now.saturating_sub(5_000)).unwrap()),
            _ => {
                let width = [10, 2_500][random.below(2)];
                let text = |_| format!("{:0width$}", random.next_u64());
                let texts: Vec<_> = (0..3).map(text).collect();
                return append(engine, log, now, &texts).unwrap();
            }
        }
        engine.host().append().unwrap().ticket()
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let mut states = BTreeMap::new();
        for log in own(engine) {
            for (sequence, time, payload) in entries(&log) {
                let name = format!("log {} entry {sequence} of {time}", log.id().0);
                states.insert(name, payload);
            }
        }
        states
    }
}
