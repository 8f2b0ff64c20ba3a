//! The vectors that every language runs.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use trunkline_schedule::{Dialect, Expression, InvalidSchedule, Timetable, Zone};

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    expression: String,
    dialect: Option<String>,
    timezone: Option<String>,
    created: Option<String>,
    start: Option<String>,
    end: Option<String>,
    after: Option<String>,
    #[serde(default)]
    next: Vec<String>,
    #[serde(default)]
    ends: bool,
    refused: Option<String>,
    aws: Option<String>,
}

fn millis(text: &str) -> u64 {
    text.parse::<Timestamp>().unwrap().as_millisecond() as u64
}

impl Case {
    fn dialect(&self) -> Dialect {
        match self.dialect.as_deref() {
            None => Dialect::Scheduler,
            Some("rule") => Dialect::Rule,
            Some(other) => panic!("{}: no dialect {other}", self.name),
        }
    }

    fn timetable(&self) -> Result<Timetable, InvalidSchedule> {
        let expression = Expression::parse(&self.expression, self.dialect())?;
        let zone = Zone::named(self.timezone.as_deref().unwrap_or("UTC"))?;
        let moment = |text: &Option<String>| text.as_deref().map(millis);
        let created = moment(&self.created).unwrap_or(0);
        Timetable::new(expression, zone, created, moment(&self.start), moment(&self.end))
    }

    fn run(&self) {
        if let Some(field) = &self.refused {
            let error = self.timetable().expect_err(&self.name);
            assert_eq!(error.field, field, "{}", self.name);
            assert!(!error.problem.is_empty() && !error.remedy.is_empty(), "{}", self.name);
            if let Some(text) = &self.aws {
                assert_eq!(self.dialect().refusal(&self.expression), *text);
            }
            return;
        }
        let timetable = self.timetable().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut after = millis(self.after.as_deref().unwrap());
        for wanted in &self.next {
            let found = timetable.next(after).map(shown);
            assert_eq!(found.as_ref(), Some(wanted), "{}", self.name);
            after = millis(wanted);
        }
        if self.ends {
            assert_eq!(timetable.next(after).map(shown), None, "{}", self.name);
        }
    }
}

fn shown(at: u64) -> String {
    Timestamp::from_millisecond(at as i64).unwrap().to_string()
}

#[test]
fn every_vector() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/schedules");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let vectors: Vectors = toml::from_str(&text).unwrap();
        vectors.case.iter().for_each(Case::run);
        count += vectors.case.len();
    }
    assert!(count > 80, "{count} vectors were found");
}
