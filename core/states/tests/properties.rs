//! Random machines under random stimuli: what holds of every execution.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use trunkline_states::{
    Effect, Entropy, Event, Execution, FailedAt, Identity, Limits, MachineType, Payload, Program,
    Status, Stimulus, TaskId, TimerId, parse,
};

const LAMBDA: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

#[derive(Clone)]
struct Seeded(u64);

impl Entropy for Seeded {
    fn random(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
        self.0 ^ (self.0 >> 29)
    }

    fn task_token(&mut self, task: TaskId) -> String {
        format!("token-{}", task.0)
    }
}

/// The states of a scope, a chain; `names` makes names that are used once.
fn scope(depth: u32, names: &mut u32, choices: &mut impl FnMut(u32) -> u32) -> String {
    let count = 1 + choices(3);
    let first = *names;
    *names += count;
    let mut states = Vec::new();
    for index in 0..count {
        let end = match index + 1 {
            last if last == count => r#""End":true"#.to_owned(),
            next => format!(r#""Next":"S{}""#, first + next),
        };
        let body = match choices(if depth == 0 { 5 } else { 7 }) {
            0 => format!(r#""Type":"Pass","Assign":{{"v{index}.$":"$"}},{end}"#),
            1 => format!(r#""Type":"Pass","Parameters":{{"x.$":"$","u.$":"States.UUID()"}},{end}"#),
            2 => format!(r#""Type":"Wait","Seconds":{},{end}"#, choices(3)),
            3 => format!(
                r#""Type":"Task","Resource":"{LAMBDA}","TimeoutSeconds":9,"ResultPath":"$.r",
                "Retry":[{{"ErrorEquals":["Broken"],"MaxAttempts":1,
                    "JitterStrategy":"FULL"}}],{end}"#
            ),
            4 => format!(
                r#""Type":"Pass","QueryLanguage":"JSONata",
                "Output":"{{% {{'at': $states.input, 'r': $random()}} %}}",{end}"#
            ),
            5 => {
                let one = scope(depth - 1, names, choices);
                let two = scope(depth - 1, names, choices);
                format!(
                    r#""Type":"Parallel","Branches":[{{{one}}},{{{two}}}],"ResultPath":"$.p",{end}"#
                )
            }
            _ => {
                let inner = scope(depth - 1, names, choices);
                format!(
                    r#""Type":"Map","MaxConcurrency":2,"ItemsPath":"$$.Execution.Input.items",
                    "ItemProcessor":{{{inner}}},"ResultPath":"$.m",{end}"#
                )
            }
        };
        states.push(format!(r#""S{}":{{{body}}}"#, first + index));
    }
    format!(r#""StartAt":"S{first}","States":{{{}}}"#, states.join(","))
}

/// What an execution waits for.
#[derive(Default)]
struct World {
    timers: Vec<(TimerId, u64)>,
    tasks: Vec<TaskId>,
    events: Vec<Event>,
}

impl World {
    fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::History(event) => self.events.push(event.clone()),
                Effect::StartTask(request) => self.tasks.push(request.task),
                Effect::ArmTimer { timer, at_ms, .. } => self.timers.push((*timer, *at_ms)),
                Effect::CancelTimer { timer } => self.timers.retain(|(own, _)| own != timer),
                Effect::CancelTask { task } => self.tasks.retain(|own| own != task),
                _ => {}
            }
        }
    }

    /// Something that may happen next.
    fn next(&mut self, choice: u32, now_ms: &mut u64) -> Option<Stimulus> {
        let fire = self.tasks.is_empty() || choice.is_multiple_of(4);
        if fire && !self.timers.is_empty() {
            self.timers.sort_by_key(|(timer, at_ms)| (*at_ms, *timer));
            let (timer, at_ms) = self.timers.remove(0);
            *now_ms = (*now_ms).max(at_ms);
            return Some(Stimulus::TimerFired { timer });
        }
        if self.tasks.is_empty() {
            return None;
        }
        let task = self.tasks.swap_remove(choice as usize % self.tasks.len());
        Some(match choice % 5 {
            0 => Stimulus::TaskFailed {
                task,
                at: FailedAt::Run,
                error: Some("Broken".to_owned()),
                cause: None,
            },
            _ => Stimulus::TaskSucceeded { task, output: Payload::parse("{\"ok\":true}").unwrap() },
        })
    }
}

fn run(definition: &str, choices: &[u32]) {
    let program = Program::compile(definition, MachineType::Standard, &Limits::default());
    let program = program.unwrap_or_else(|findings| panic!("{definition}: {findings:?}"));
    let mut execution = Execution::new(&program, Identity::default());
    let (mut entropy, mut now_ms, mut world) = (Seeded(7), 1_000, World::default());
    let input = Payload::parse(r#"{"items":[1,2,3]}"#).unwrap();
    let mut stimulus = Some(Stimulus::Start { input });
    for at in 0.. {
        let Some(given) = stimulus.take() else { break };
        let bytes = execution.encode();
        let mut replayed = Execution::decode(&program, &bytes).unwrap();
        assert_eq!(replayed, execution, "decode(encode(x)) is x");
        let mut same = entropy.clone();
        let effects = execution.step(&program, given.clone(), now_ms, &mut entropy);
        let again = replayed.step(&program, given, now_ms, &mut same);
        assert_eq!(format!("{effects:?}"), format!("{again:?}"), "a replay has the same effects");
        assert_eq!(replayed.encode(), execution.encode());
        world.take(&effects);
        if execution.status() != Status::Running {
            assert!(matches!(effects.last(), Some(Effect::Finish(_))));
            break;
        }
        let choice = choices.get(at % choices.len().max(1)).copied().unwrap_or(1);
        stimulus = world.next(choice, &mut now_ms);
        assert!(stimulus.is_some(), "a running execution waits for something");
        assert!(at < 5_000, "an execution ends");
    }
    for (index, event) in world.events.iter().enumerate() {
        assert_eq!(event.id, index as u64 + 1, "events are numbered without a gap");
        assert!(event.previous_id < event.id, "an event follows from an earlier one");
        let text = event.to_text(true);
        assert_eq!(parse(&text).unwrap().to_string(), text, "written as a value is");
    }
    assert!(world.timers.is_empty(), "no timer outlives its execution: {:?}", world.timers);
    assert!(world.tasks.is_empty(), "no task outlives its execution");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn executions_replay_and_end(
        shape in proptest::collection::vec(any::<u32>(), 40),
        choices in proptest::collection::vec(any::<u32>(), 1..40),
    ) {
        let mut at = 0;
        let mut choose = |bound: u32| {
            at += 1;
            shape[at % shape.len()].wrapping_add(at as u32) % bound
        };
        let definition = format!("{{{}}}", scope(2, &mut 0, &mut choose));
        run(&definition, &choices);
    }

    #[test]
    fn written_json_is_read_as_it_was(text in "[\\PC\\x00-\\x1f]{0,40}", number in any::<f64>()) {
        prop_assume!(number.is_finite());
        let value = trunkline_states::Value::object([
            (text.as_str(), trunkline_states::Value::string(&text)),
            ("n", trunkline_states::Value::Number(trunkline_states::Number::Float(number))),
        ]);
        prop_assert_eq!(parse(&value.to_string()).unwrap(), value);
    }

    #[test]
    fn bytes_that_are_no_execution_are_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        cut in any::<prop::sample::Index>(),
    ) {
        let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":9,"End":true}}}"#;
        let program =
            Program::compile(definition, MachineType::Standard, &Limits::default()).unwrap();
        let _ = Execution::decode(&program, &bytes);
        let mut execution = Execution::new(&program, Identity::default());
        let input = Payload::parse("[1]").unwrap();
        execution.step(&program, Stimulus::Start { input }, 0, &mut Seeded(1));
        let whole = execution.encode();
        prop_assert!(Execution::decode(&program, &whole[..cut.index(whole.len())]).is_err());
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text in "\\PC{0,60}") {
        let _ = Program::compile(&text, MachineType::Standard, &Limits::default());
        let quoted = trunkline_states::Value::string(&text);
        let definition = format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","InputPath":{quoted},
            "End":true}}}}}}"#
        );
        let _ = Program::compile(&definition, MachineType::Standard, &Limits::default());
    }
}
