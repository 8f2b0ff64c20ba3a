//! What one transition costs, with a payload of 1 KiB: entering a Pass state and leaving it, both
//! events as JSON text. Run with `cargo bench -p trunkline-states`.

use std::hint::black_box;
use std::time::Instant;

use trunkline_states::{
    Effect, Entropy, Execution, Identity, Limits, MachineType, Payload, Program, Stimulus, TaskId,
};

const ROUNDS: usize = 15;
const EXECUTIONS: u32 = 200;
const STATES: u32 = 100;

struct NoEntropy;

impl Entropy for NoEntropy {
    fn random(&mut self) -> u64 {
        7
    }

    fn task_token(&mut self, _: TaskId) -> String {
        String::new()
    }
}

/// A chain of states with these fields.
fn chain(fields: &str, top: &str) -> Program {
    let states: Vec<String> = (0..STATES)
        .map(|index| {
            let next = match index + 1 {
                last if last == STATES => r#""End":true"#.to_owned(),
                next => format!(r#""Next":"S{next}""#),
            };
            format!(r#""S{index}":{{"Type":"Pass",{fields}{next}}}"#)
        })
        .collect();
    let text = format!(r#"{{{top}"StartAt":"S0","States":{{{}}}}}"#, states.join(","));
    Program::compile(&text, MachineType::Standard, &Limits::default()).expect("it compiles")
}

/// A payload of about 1 KiB, of 20 members.
fn payload() -> String {
    let members: Vec<String> =
        (0..20).map(|index| format!(r#""member{index:02}":"{}""#, "x".repeat(35))).collect();
    format!("{{{},\"counter\":1}}", members.join(","))
}

fn measure(name: &str, program: &Program) {
    let text = payload();
    let mut nanos = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..EXECUTIONS {
            let input = Payload::parse(&text).expect("it is JSON");
            let mut execution = Execution::new(program, Identity::default());
            let effects = execution.step(program, Stimulus::Start { input }, 0, &mut NoEntropy);
            for effect in effects {
                if let Effect::History(event) = effect {
                    black_box(event.to_text(true).len());
                }
            }
        }
        nanos.push(start.elapsed().as_nanos() as u64 / u64::from(EXECUTIONS * STATES));
    }
    nanos.sort_unstable();
    println!("{name:>24}: {} ns a transition", nanos[ROUNDS / 2]);
}

fn main() {
    measure("pass", &chain("", ""));
    measure("result in its place", &chain(r#""Result":{"a":1},"ResultPath":"$.result","#, ""));
    measure(
        "parameters",
        &chain(r#""Parameters":{"m.$":"$.member03","all.$":"$"},"OutputPath":"$.all","#, ""),
    );
    measure(
        "jsonata",
        &chain(
            r#""Output":"{% $merge([$states.input, {'counter': $states.input.counter + 1}]) %}","#,
            r#""QueryLanguage":"JSONata","#,
        ),
    );
}
