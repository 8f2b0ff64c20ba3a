//! Schedules on a virtual clock: order, windows, pauses, missed occurrences, failures.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{START, bodies, counts, memory, on_disk, queue, receive};
use trunkline_engine::timetable::utc_text;
use trunkline_engine::{
    Clock, Code, Engine, Millis, NewRule, NewTarget, OpenOptions, Queue, ResourceName, SCHEDULE,
    Schedule, ScheduleConfig, Subscription, TargetResource, attributes, bus_name, fifo_queue,
    standard_queue,
};

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

fn name(name: &str) -> ResourceName {
    ResourceName::local(SCHEDULE, format!("default/{name}"))
}

fn config(expression: &str, target: &Queue) -> ScheduleConfig {
    let input = Some("<aws.scheduler.scheduled-time>".to_owned());
    ScheduleConfig { input, ..ScheduleConfig::new(expression, target.name().clone()) }
}

fn create(engine: &Engine, schedule: &str, config: ScheduleConfig) -> Arc<Schedule> {
    engine.create_schedule(name(schedule), config).unwrap().0
}

fn take(queue: &Queue) -> Vec<String> {
    let got = receive(queue, usize::MAX >> 1);
    for message in &got {
        queue.delete(&message.receipt).unwrap();
    }
    bodies(&got).into_iter().map(str::to_owned).collect()
}

/// What comes within a year. A queue keeps it for some days, so it is taken out day by day.
fn year(engine: &Engine, queue: &Queue) -> Vec<String> {
    let day = |_| {
        engine.advance(DAY).unwrap();
        take(queue)
    };
    (0..365).flat_map(day).collect()
}

#[test]
fn a_year_brings_every_occurrence_of_every_schedule_in_order() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let mut wanted: Vec<(Millis, String)> = Vec::new();
    for (number, expression) in [
        "cron(0 2 * * ? *)",
        "cron(30 2 ? * SUN *)",
        "cron(0 0 L * ? *)",
        "rate(7 hours)",
        "cron(0 0 29 2 ? *)",
        "at(2024-06-01T12:00:00)",
    ]
    .into_iter()
    .enumerate()
    {
        let zone = if number == 1 { "America/New_York" } else { "UTC" };
        let input = Some(format!("{number} <aws.scheduler.scheduled-time>"));
        let config =
            ScheduleConfig { input, timezone: zone.to_owned(), ..config(expression, &queue) };
        let schedule = create(&engine, &format!("s{number}"), config);
        let all = schedule.next(5_000).unwrap();
        let in_time = all.into_iter().filter(|at| *at <= START + 365 * DAY);
        wanted.extend(in_time.map(|at| (at, format!("{number} {}", utc_text(at)))));
    }
    wanted.sort_by_key(|(at, _)| *at);
    let got = year(&engine, &queue);
    assert!(got.len() > 1_600, "{}", got.len());
    let times: Vec<&str> = got.iter().map(|body| &body[2..]).collect();
    assert!(times.is_sorted(), "not in the order of time");
    let mut sorted = got.clone();
    sorted.sort_by_key(|body| (body[2..].to_owned(), body.clone()));
    let mut expected: Vec<String> = wanted.into_iter().map(|(_, body)| body).collect();
    expected.sort_by_key(|body| (body[2..].to_owned(), body.clone()));
    assert_eq!(sorted, expected);
    let over = engine.find_schedule(&name("s5")).unwrap().unwrap().status().unwrap();
    assert_eq!((over.is_active, over.next, over.progress.delivered), (false, None, 1));
}

#[test]
fn a_rate_falls_due_at_once_and_then_in_its_interval_until_its_end() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let end = Some(START + 10 * MINUTE);
    create(&engine, "s", ScheduleConfig { end, ..config("rate(5 minutes)", &queue) });
    assert_eq!(counts(&queue).0, 1);
    engine.advance(DAY).unwrap();
    assert_eq!(take(&queue).len(), 3);
    let past = ScheduleConfig { end: Some(START), ..config("rate(5 minutes)", &queue) };
    assert!(!create(&engine, "t", past).status().unwrap().is_active);
}

#[test]
fn a_flexible_window_draws_a_moment_that_a_seed_repeats() {
    let run = |window: Millis| {
        let engine = memory();
        let queue = queue(&engine, "q", standard_queue());
        let window = Some(window);
        create(&engine, "s", ScheduleConfig { window, ..config("cron(0 * * * ? *)", &queue) });
        engine.advance(DAY).unwrap();
        let got = receive(&queue, 100);
        got.iter().map(|message| (message.body.clone(), message.sent)).collect::<Vec<_>>()
    };
    let got = run(30 * MINUTE);
    assert_eq!(got, run(30 * MINUTE));
    // That of the last hour may be drawn for later than the day's end.
    assert!((23..=24).contains(&got.len()));
    let moments: std::collections::BTreeSet<_> = got.iter().map(|(_, sent)| sent % HOUR).collect();
    assert!(moments.len() > 20, "{moments:?}");
    assert!(moments.iter().all(|moment| *moment < 30 * MINUTE));
}

#[test]
fn a_pause_is_not_made_up_for() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let schedule = create(&engine, "s", config("rate(1 hour)", &queue));
    engine.advance(HOUR).unwrap();
    schedule.set_enabled(false).unwrap();
    assert!(schedule.next(3).unwrap().is_empty());
    engine.advance(10 * HOUR).unwrap();
    assert_eq!(take(&queue).len(), 2);
    schedule.set_enabled(true).unwrap();
    engine.advance(90 * MINUTE).unwrap();
    // One at this very moment, which is a moment of the rate, and one an hour later.
    assert_eq!(take(&queue).len(), 2);
    assert_eq!(schedule.status().unwrap().progress.missed, 0);
}

#[test]
fn a_new_definition_takes_over_and_a_removed_schedule_is_silent() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let schedule = create(&engine, "s", config("rate(1 hour)", &queue));
    engine.advance(30 * MINUTE).unwrap();
    schedule.configure(config("rate(10 minutes)", &queue)).unwrap();
    engine.advance(30 * MINUTE).unwrap();
    let at = |minutes: Millis| utc_text(START + minutes * MINUTE);
    assert_eq!(take(&queue), [at(0), at(30), at(40), at(50), at(60)]);
    schedule.remove().unwrap();
    engine.advance(DAY).unwrap();
    assert_eq!(take(&queue).len(), 0);
    assert_eq!(schedule.next(1).unwrap_err().code(), Code::ResourceNotFoundException);
    create(&engine, "s", config("rate(1 hour)", &queue));
    let twice = engine.create_schedule(name("s"), config("rate(1 hour)", &queue)).err().unwrap();
    assert_eq!(twice.message(), "Schedule s already exists.");
    assert_eq!(twice.code(), Code::ConflictException);
}

#[test]
fn a_schedule_may_remove_itself_behind_its_last_occurrence() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let once = config("at(2024-01-01T00:00:00)", &queue);
    create(&engine, "once", ScheduleConfig { delete_after_completion: true, ..once.clone() });
    create(&engine, "kept", once);
    assert_eq!(year(&engine, &queue).len(), 2);
    assert_eq!(engine.schedules(None, None, "").unwrap().len(), 1);
}

#[test]
fn what_was_missed_while_the_engine_was_closed_is_counted_and_a_one_time_schedule_is_late() {
    let folder = tempfile::tempdir().unwrap();
    let open = |now: Millis| on_disk(folder.path(), now);
    {
        let engine = open(START);
        let queue = queue(&engine, "q", standard_queue());
        let input = |text: &str| Some(text.to_owned());
        let hourly = ScheduleConfig { input: input("hourly"), ..config("rate(1 hour)", &queue) };
        create(&engine, "hourly", hourly);
        let once = config("at(2023-11-15T00:00:00)", &queue);
        create(&engine, "once", ScheduleConfig { input: input("once"), ..once.clone() });
        let old = config("at(2023-11-14T22:30:00)", &queue);
        create(&engine, "old", ScheduleConfig { input: input("old"), ..old });
        engine.advance(HOUR + MINUTE).unwrap();
        assert_eq!(take(&queue), ["hourly", "old", "hourly"]);
        engine.close().unwrap();
    }
    // A short absence misses nothing: an occurrence has a minute.
    let engine = open(START + 2 * HOUR + 30 * SECOND);
    let found = |engine: &Engine, schedule: &str| {
        engine.find_schedule(&name(schedule)).unwrap().unwrap().status().unwrap().progress
    };
    assert_eq!(take(&common::find(&engine, "q")), ["once", "hourly"]);
    engine.close().unwrap();
    let engine = open(START + 10 * HOUR + 5 * MINUTE);
    assert_eq!(take(&common::find(&engine, "q")).len(), 0);
    assert_eq!((found(&engine, "hourly").delivered, found(&engine, "hourly").missed), (3, 8));
    engine.advance(HOUR).unwrap();
    assert_eq!(take(&common::find(&engine, "q")), ["hourly"]);
    engine.close().unwrap();
    let engine = open(START + 11 * HOUR + 6 * MINUTE);
    assert_eq!((found(&engine, "hourly").delivered, found(&engine, "hourly").missed), (4, 8));
}

#[test]
fn a_one_time_schedule_is_given_up_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    for (late, delivered) in [(23 * HOUR, 1), (25 * HOUR, 0)] {
        let folder = folder.path().join(delivered.to_string());
        {
            let engine = on_disk(&folder, START);
            let queue = queue(&engine, "q", standard_queue());
            create(&engine, "s", config("at(2023-11-15T00:00:00)", &queue));
            engine.close().unwrap();
        }
        let midnight = 1_700_006_400_000;
        let engine = on_disk(&folder, midnight + late);
        assert_eq!(counts(&common::find(&engine, "q")).0, delivered);
        let schedule = engine.find_schedule(&name("s")).unwrap().unwrap();
        let progress = schedule.status().unwrap().progress;
        assert_eq!((progress.delivered, progress.missed), (delivered, 1 - delivered));
    }
}

#[test]
fn a_target_that_is_gone_sends_the_message_to_the_dead_letter_queue() {
    let engine = memory();
    let target = queue(&engine, "q", standard_queue());
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(dead.name().clone());
    let schedule =
        create(&engine, "s", ScheduleConfig { dead_letter, ..config("rate(1 hour)", &target) });
    let silent = create(&engine, "t", config("rate(1 hour)", &target));
    engine.advance(MINUTE).unwrap();
    target.remove().unwrap();
    engine.advance(HOUR).unwrap();
    let mut told = Vec::new();
    dead.peek(10, true, |message| told.extend(attributes::decode(message.attributes).unwrap()))
        .unwrap();
    let value = |name: &str| {
        let found = told.iter().find(|attribute| attribute.name == name).unwrap();
        String::from_utf8(found.value.clone()).unwrap()
    };
    assert_eq!(value("ERROR_CODE"), "NO_RESOURCE");
    let arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s";
    assert_eq!(value("SCHEDULE_ARN"), arn);
    assert_eq!(value("SCHEDULED_TIME"), utc_text(START + HOUR));
    assert_eq!(take(&dead), [utc_text(START + HOUR)]);
    for schedule in [&schedule, &silent] {
        let status = schedule.status().unwrap();
        assert_eq!((status.progress.delivered, status.progress.failed), (1, 1));
        assert!(status.failure.unwrap().contains("\"q\", does not exist"));
    }
    // A queue of the same name is the target again.
    let target = queue(&engine, "q", standard_queue());
    engine.advance(HOUR).unwrap();
    assert_eq!(take(&target).len(), 2);
}

#[test]
fn a_fifo_queue_gets_each_occurrence_in_its_group_and_its_delay_holds() {
    let engine = memory();
    let fifo = queue(&engine, "q.fifo", fifo_queue());
    let refused = engine.create_schedule(name("s"), config("rate(1 minute)", &fifo));
    assert!(refused.err().unwrap().message().contains("group"));
    let group = Some("g".to_owned());
    let same = Some("same".to_owned());
    let config_of = |queue: &Queue| ScheduleConfig {
        group: group.clone(),
        input: same.clone(),
        ..config("rate(1 minute)", queue)
    };
    create(&engine, "s", config_of(&fifo));
    let mut later = standard_queue();
    later.delay = 90 * SECOND;
    let later = queue(&engine, "later", later);
    create(&engine, "t", ScheduleConfig { group: None, ..config_of(&later) });
    engine.advance(2 * MINUTE).unwrap();
    assert_eq!(counts(&fifo).0, 3);
    assert_eq!(counts(&later), (1, 0, 2));
}

#[test]
fn without_an_input_the_target_gets_the_envelope_of_a_scheduled_event() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let target = queue.name().clone();
    create(&engine, "s", ScheduleConfig::new("rate(1 hour)", target));
    let body = take(&queue).remove(0);
    let (head, tail) = body.split_once("\"id\":\"").unwrap();
    assert_eq!(head, "{\"version\":\"0\",");
    assert_eq!(tail.find('"'), Some(36));
    assert!(tail[36..].starts_with(
        "\",\"detail-type\":\"Scheduled Event\",\"source\":\"aws.scheduler\",\
         \"account\":\"000000000000\",\"time\":\"2023-11-14T22:13:20Z\",\"region\":\"us-east-1\",\
         \"resources\":[\"arn:aws:scheduler:us-east-1:000000000000:schedule/default/s\"],"
    ));
}

#[test]
fn bad_definitions_are_refused_by_the_name_of_their_field() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let good = config("rate(1 hour)", &queue);
    let refused = |schedule: &str, config: ScheduleConfig| {
        let error = engine.create_schedule(name(schedule), config).err().unwrap();
        (error.code(), error.message().to_owned())
    };
    let text = |text: &str| text.to_owned();
    for (changed, told) in [
        (
            ScheduleConfig { expression: text("cron(71 8 1 * ? *)"), ..good.clone() },
            "Invalid Schedule Expression cron(71 8 1 * ? *). minutes: 71 is out of range.",
        ),
        (ScheduleConfig { timezone: text("Mars/Olympus"), ..good.clone() }, "timezone: "),
        (ScheduleConfig { window: Some(5), ..good.clone() }, "window: "),
        (ScheduleConfig { start: Some(2), end: Some(1), ..good.clone() }, "end: "),
        (ScheduleConfig { group: Some(text("")), ..good.clone() }, "group: "),
        (ScheduleConfig { input: Some(text("")), ..good.clone() }, "input: "),
        (ScheduleConfig { input: Some("x".repeat(2 << 20)), ..good.clone() }, "input: "),
    ] {
        let (code, message) = refused("s", changed);
        assert_eq!(code, Code::ValidationException);
        assert!(message.starts_with(told), "{message}");
    }
    let long = "x".repeat(65);
    for bad in ["", "a b", "a/b", &long, "é"] {
        assert!(refused(bad, good.clone()).1.starts_with("name: "), "{bad}");
    }
    let absent = trunkline_engine::queue_name("absent");
    let (code, message) = refused("s", ScheduleConfig { target: absent, ..good });
    assert_eq!(code, Code::ResourceNotFoundException);
    assert!(message.starts_with("target: "), "{message}");
    assert!(engine.schedules(None, None, "").unwrap().is_empty());
}

#[test]
fn a_fork_and_a_copy_go_on_by_themselves_and_a_reader_delivers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(&folder.path().join("engine"), START);
    let target = queue(&engine, "q", standard_queue());
    create(&engine, "s", config("rate(1 hour)", &target));
    assert_eq!(counts(&target).0, 1);
    let fork = engine.fork(Arc::new(Clock::virtual_at(START))).unwrap();
    fork.advance(3 * HOUR).unwrap();
    assert_eq!(counts(&common::find(&fork, "q")).0, 4);
    assert_eq!(counts(&target).0, 1);
    let copy = folder.path().join("copy");
    engine.snapshot(&copy).unwrap();
    let clock = Arc::new(Clock::virtual_at(START));
    let options = OpenOptions { clock, ..OpenOptions::at(&copy) };
    let reader = Engine::open(OpenOptions { read_only: true, ..options }).unwrap();
    reader.advance(3 * HOUR).unwrap();
    assert_eq!(counts(&common::find(&reader, "q")).0, 1);
    drop(reader);
    let copy = on_disk(&copy, START);
    copy.advance(3 * HOUR).unwrap();
    assert_eq!(counts(&common::find(&copy, "q")).0, 4);
}

#[test]
fn an_event_bus_gets_an_event_and_a_kind_that_takes_nothing_is_refused() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let bus = engine.bus(bus_name("default"), b"").unwrap().0;
    let target = NewTarget::new("main", TargetResource::Resource(end.id()));
    let pattern = r#"{"source":["aws.scheduler"],"detail-type":["Scheduled Event"]}"#;
    let targets = Some(vec![target]);
    let rule = NewRule { name: "r", pattern, is_enabled: true, targets, document: b"" };
    engine.put_rule(&bus, rule).unwrap();
    let schedule = create(&engine, "s", ScheduleConfig::new("rate(1 hour)", bus_name("default")));
    engine.advance(2 * HOUR).unwrap();
    assert_eq!(schedule.status().unwrap().failure, None);
    assert_eq!(schedule.status().unwrap().progress.delivered, 3);
    assert!(take(&end)[0].contains("\"source\":\"aws.scheduler\""));
    let counter = ScheduleConfig::new("rate(1 hour)", name("s"));
    let refused = engine.create_schedule(name("t"), counter).err().unwrap();
    assert_eq!(refused.code(), Code::UnsupportedOperation);
    assert!(refused.message().contains("cannot send to a schedule"), "{refused}");
}

#[test]
fn on_the_systems_clock_a_schedule_falls_due_without_a_verb() {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let queue = queue(&engine, "q", standard_queue());
    let begin = Instant::now();
    let start = Some(engine.clock().now() + 300);
    create(&engine, "s", ScheduleConfig { start, ..config("rate(1 hour)", &queue) });
    let (sender, sent) = std::sync::mpsc::channel();
    struct Tell(std::sync::Mutex<std::sync::mpsc::Sender<()>>);
    impl trunkline_engine::Signal for Tell {
        fn signal(&self) {
            let _ = self.0.lock().unwrap().send(());
        }
    }
    let signal = Arc::new(Tell(std::sync::Mutex::new(sender)));
    let _waits = Subscription::new(queue.clone(), signal, None);
    sent.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(250), "{:?}", begin.elapsed());
    assert_eq!(take(&queue).len(), 1);
}
