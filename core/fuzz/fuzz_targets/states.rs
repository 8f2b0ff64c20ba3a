//! A definition and an input: neither the compiler nor an execution panics, hangs or grows without
//! bound, and an execution that was written is read as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_states::{
    Effect, Entropy, Execution, Identity, Limits, MachineType, Payload, Program, Stimulus, TaskId,
};

struct Seeded(u64);

impl Entropy for Seeded {
    fn random(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0
    }

    fn task_token(&mut self, task: TaskId) -> String {
        task.0.to_string()
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (definition, input) = text.split_once('\0').unwrap_or((text, "{}"));
    let limits = Limits { history_events: 500, jsonata_ms: 50, ..Limits::default() };
    let Ok(program) = Program::compile(definition, MachineType::Standard, &limits) else {
        // The same bytes as an expression of each language.
        for text in [format!("$.x[{definition}]"), format!("States.Format({definition})")] {
            let value = trunkline_states::Value::string(text);
            let machine = format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","End":true,
                "Parameters":{{"x.$":{value}}}}}}}}}"#
            );
            run(&machine, "{}", &limits);
        }
        let value = trunkline_states::Value::string(format!("{{% {definition} %}}"));
        let machine = format!(
            r#"{{"QueryLanguage":"JSONata","StartAt":"A","States":{{"A":{{"Type":"Pass",
            "End":true,"Output":{value}}}}}}}"#
        );
        run(&machine, "{}", &limits);
        return;
    };
    drop(program);
    run(definition, input, &limits);
});

fn run(definition: &str, input: &str, limits: &Limits) {
    let Ok(program) = Program::compile(definition, MachineType::Standard, limits) else { return };
    let Ok(input) = Payload::parse(input) else { return };
    let mut execution = Execution::new(&program, Identity::default());
    let mut entropy = Seeded(7);
    let mut now_ms = 0;
    let mut stimulus = Stimulus::Start { input };
    for _ in 0..50 {
        let effects = execution.step(&program, stimulus, now_ms, &mut entropy);
        let read = Execution::decode(&program, &execution.encode()).expect("it was written");
        assert_eq!(read, execution);
        let next = effects.iter().rev().find_map(|effect| match effect {
            Effect::ArmTimer { timer, at_ms, .. } => Some((*timer, *at_ms)),
            _ => None,
        });
        let Some((timer, at_ms)) = next else { return };
        now_ms = now_ms.max(at_ms);
        stimulus = Stimulus::TimerFired { timer };
    }
}
