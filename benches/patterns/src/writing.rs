//! Measures the memory of a rule, and the time of adding a rule to a million beside a reader.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use trunkline_pattern::{Event, Pattern, Scratch};

use crate::lines::Line;
use crate::{compiled, set_of};

const RULES: usize = 1_000_000;
const ADDED: usize = 5_000;

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

pub fn run(lines: &[Line]) {
    for fields in [1, 3] {
        let rule = |index: usize| match fields {
            1 => format!("{{\"properties\":{{\"MAPBLKLOT\":[\"{index:09}\"]}}}}"),
            _ => format!(
                "{{\"properties\":{{\"MAPBLKLOT\":[\"{index:09}\"],\"LOT_NUM\":[\"{:07}\"],\
                 \"STREET\":[\"{}\"]}}}}",
                index / 3,
                crate::lines::street(index % 2000)
            ),
        };
        let rules: Vec<String> = (0..RULES).map(rule).collect();
        let before = resident();
        let set = set_of(&rules);
        let bytes = (resident() - before) as f64 / RULES as f64;
        let more: Vec<Pattern> = (RULES..RULES + ADDED).map(|id| compiled(&rule(id))).collect();
        let (is_over, read) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut times = Vec::with_capacity(ADDED);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut scratch, mut out) = (Scratch::default(), Vec::new());
                for line in lines.iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    out.clear();
                    let event = Event::trusted(&line.text);
                    set.matches(event, &mut scratch, &mut out).expect("an event");
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
            for (at, pattern) in more.iter().enumerate() {
                let started = Instant::now();
                set.add((RULES + at) as u32, pattern);
                times.push(started.elapsed().as_nanos() as f64 / 1e3);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        times.sort_by(f64::total_cmp);
        println!(
            "{{\"writing\":\"{fields} fields\",\"bytes_a_rule\":{bytes:.1},\"add_us_p50\":{:.2},\
             \"add_us_p99\":{:.2},\"add_us_max\":{:.2},\"read_beside\":{}}}",
            times[ADDED / 2],
            times[ADDED * 99 / 100],
            times[ADDED - 1],
            read.load(Ordering::Relaxed)
        );
    }
}
