//! Properties of the search: it agrees with looking at every minute, is fast, and always ends.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use trunkline_schedule::{Dialect, Expression, Timetable, Zone};

fn timetable(expression: &str, zone: &str) -> Timetable {
    let expression = Expression::parse(expression, Dialect::Scheduler).unwrap();
    Timetable::new(expression, Zone::named(zone).unwrap(), 0, None, None).unwrap()
}

fn days() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..=31u8).prop_map(|day| format!("{day} * ?")),
        (1..=31u8).prop_map(|day| format!("{day}W * ?")),
        Just("L 2 ?".to_owned()),
        (1..=7u8, 1..=5u8).prop_map(|(day, nth)| format!("? * {day}#{nth}")),
        (1..=7u8).prop_map(|day| format!("? 1-12/3 {day}L")),
        Just("29 2 ?".to_owned()),
        Just("30 2 ?".to_owned()),
        Just("* * ?".to_owned()),
    ]
}

const ZONES: [&str; 6] = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn occurrences_increase_and_are_found_from_anywhere_before_them(
        minute in 0..60u8,
        hour in 0..24u8,
        days in days(),
        zone in 0..ZONES.len(),
        after in 0..7_000_000_000_000u64,
        back in 1..100_000_000u64,
    ) {
        let timetable = timetable(&format!("cron({minute} {hour} {days} *)"), ZONES[zone]);
        if let Some(next) = timetable.next(after) {
            prop_assert!(next > after);
            prop_assert_eq!(next % 1_000, 0);
            prop_assert_eq!(timetable.next(next - 1), Some(next));
            let earlier = timetable.next(after.saturating_sub(back)).unwrap();
            prop_assert!(earlier <= next);
            prop_assert!(earlier == next || earlier <= after);
        }
    }

    #[test]
    fn no_text_is_a_panic(text in ".{0,40}", fields in "[0-9A-Z*/#,?L -]{0,30}") {
        let _ = Expression::parse(&text, Dialect::Scheduler);
        for name in ["cron", "rate", "at"] {
            for dialect in [Dialect::Scheduler, Dialect::Rule] {
                let text = format!("{name}({fields})");
                if let Ok(expression) = Expression::parse(&text, dialect) {
                    let zone = Zone::named("Europe/London").unwrap();
                    let timetable = Timetable::new(expression, zone, 0, None, None).unwrap();
                    let _ = timetable.next(1_700_000_000_000);
                }
            }
        }
    }
}

#[test]
fn rare_dates_and_dates_that_never_come_are_found_in_no_time() {
    let rare = [
        ("cron(0 0 29 2 ? 2196)", "UTC", true),
        ("cron(0 0 30 2 ? *)", "UTC", false),
        ("cron(30 2 ? 3 SUN#2 *)", "America/New_York", true),
        ("cron(0 0 31 2,4,6,9,11 ? *)", "Europe/London", false),
    ];
    for (expression, zone, comes) in rare {
        let timetable = timetable(expression, zone);
        let begin = Instant::now();
        for _ in 0..100 {
            assert_eq!(timetable.next(0).is_some(), comes, "{expression}");
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{expression}: {:?}", begin.elapsed());
    }
}

#[test]
fn times_at_the_edges_of_numbers_have_no_occurrence_and_no_panic() {
    for expression in ["cron(* * * * ? *)", "rate(99999999 days)", "at(2199-12-31T23:59:59)"] {
        let timetable = timetable(expression, "UTC");
        for after in [u64::MAX, u64::MAX / 2, 1 << 60, 7_258_118_400_000] {
            assert_eq!(timetable.next(after), None, "{expression} after {after}");
        }
    }
}
