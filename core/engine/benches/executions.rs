//! Durable executions: the memory of those that wait, and a start of one Pass state among them.
//! Run with `cargo bench -p trunkline-engine --bench executions`.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use trunkline_engine::states::Identity;
use trunkline_engine::{Clock, Engine, Machine, OpenOptions, StartRequest, machine_name};

const WAITING: usize = 100_000;
const STARTS: usize = 20_000;
const PASS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;
const WAIT: &str =
    r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":31536000,"End":true}}}"#;

/// A machine, and a way to start executions of it.
struct Starter {
    machine: Arc<Machine>,
    program: u32,
    input: String,
    started: usize,
}

impl Starter {
    fn new(engine: &Engine, name: &str, definition: &str, payload_bytes: usize) -> Self {
        let machine = engine.machines().get_or_create(machine_name(name)).unwrap();
        let program = machine.add_program(definition, false, b"{}").unwrap();
        let input = format!(r#"{{"text":"{}"}}"#, "x".repeat(payload_bytes));
        Self { machine, program, input, started: 0 }
    }

    fn start(&mut self) {
        self.started += 1;
        let name = format!("0c2f6e1a-execution-{:016}", self.started);
        let arn = "arn:aws:states:us-east-1:000000000000";
        let request = StartRequest {
            name: &name,
            program: self.program,
            input: &self.input,
            identity: Identity {
                execution_arn: format!("{arn}:execution:bench:{name}").into(),
                name: name.as_str().into(),
                role_arn: "arn:aws:iam::000000000000:role/states".into(),
                machine_arn: format!("{arn}:stateMachine:bench").into(),
                machine_name: "bench".into(),
                region: "us-east-1".into(),
                ..Identity::default()
            },
            document: br#"{"version": null, "alias": null}"#,
            ..StartRequest::default()
        };
        self.machine.start(&request).unwrap();
    }

    /// Microseconds of a start.
    fn measure(&mut self) -> f64 {
        let begun = Instant::now();
        (0..STARTS).for_each(|_| self.start());
        begun.elapsed().as_secs_f64() * 1e6 / STARTS as f64
    }
}

fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    kib * 1_024.0
}

fn main() {
    let clock = Arc::new(Clock::virtual_at(1_700_000_000_000));
    let engine = Engine::open(OpenOptions { clock, ..OpenOptions::memory() }).unwrap();
    let mut pass = Starter::new(&engine, "pass", PASS, 1_000);
    pass.measure();
    println!("one Pass to SUCCEEDED, 1 KiB, none waits     {:>8.2} us", pass.measure());
    let mut waits = Starter::new(&engine, "waits", WAIT, 100);
    let before = resident_bytes();
    (0..WAITING).for_each(|_| waits.start());
    let each = (resident_bytes() - before) / WAITING as f64;
    // Their histories lie in the log of the machine, which in memory is memory too.
    println!("{WAITING} executions wait, 100 B, with histories {each:>8.0} B each");
    println!("one Pass to SUCCEEDED while they wait        {:>8.2} us", pass.measure());
}
