//! Any text as a schedule expression: an occurrence, none, or an error that names a field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_schedule::{Dialect, Expression, Timetable, Zone};

fuzz_target!(|input: (&str, u64)| {
    let (text, after) = input;
    for dialect in [Dialect::Scheduler, Dialect::Rule] {
        match Expression::parse(text, dialect) {
            Ok(expression) => {
                let zone = Zone::named("Europe/London").expect("it is compiled in");
                let timetable = Timetable::new(expression, zone, 0, None, None);
                let timetable = timetable.expect("it has no bounds");
                if let Some(next) = timetable.next(after) {
                    assert!(next > after);
                    assert_eq!(timetable.next(next - 1), Some(next));
                }
            }
            Err(error) => assert!(!error.problem.is_empty() && !error.remedy.is_empty()),
        }
    }
});
