//! Runs an execution; its tasks are answered from the recorded history.

use trunkline_states::{
    Batcher, Effect, Entropy, Execution, FailedAt, Identity, ItemReader, Limits, MachineType,
    MapItems, MapRunRequest, Outcome, Payload, Program, Stimulus, TaskId, TimerId, Value,
};

use crate::case::{Case, History, repeated};
use crate::compare::first_difference;

const STEPS_MAX: usize = 2_000;

pub struct Counter(u64);

impl Counter {
    pub fn new() -> Counter {
        Counter(7)
    }
}

impl Entropy for Counter {
    fn random(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
        self.0 ^ (self.0 >> 33)
    }

    fn task_token(&mut self, task: TaskId) -> String {
        format!("recorded-token-{}", task.0)
    }
}

/// An answer that a task still gets: with the number of its event, where it is known.
struct Answer {
    event: i64,
    stimulus: Stimulus,
}

struct Driver<'a> {
    case: &'a Case,
    history: &'a History,
    program: &'a Program,
    execution: Execution,
    entropy: Counter,
    now_ms: u64,
    timers: Vec<(u64, TimerId)>,
    answers: Vec<Answer>,
    events: Vec<Value>,
    tasks: usize,
    finished: bool,
}

/// The status of a history: `equal`, or the first difference.
pub fn run(case: &Case, history: &History) -> String {
    let machine = if case.express { MachineType::Express } else { MachineType::Standard };
    let mut status = "has no definition".to_owned();
    for definition in &case.definitions {
        status = match Program::compile(definition, machine, &Limits::default()) {
            Ok(program) if fits(history, &program) => run_program(case, history, &program),
            Ok(_) => continue,
            Err(findings) => format!("is refused: {}", findings[0]),
        };
        if status == "equal" {
            break;
        }
    }
    status
}

/// The score of inputs with their outputs, a line each.
pub fn outputs(case: &Case) -> Vec<String> {
    let created = case.submitted.iter().filter(|one| one.op == "CreateStateMachine");
    let mut lines = Vec::new();
    for (index, (submitted, (input, output))) in created.zip(&case.outputs).enumerate() {
        let program =
            Program::compile(&submitted.definition, MachineType::Standard, &Limits::default());
        let Ok(program) = program else { continue };
        let mut execution = Execution::new(&program, Identity::default());
        let input = Payload::from(input.clone());
        let start = Stimulus::Start { input: input.clone() };
        let effects = execution.step(&program, start, 0, &mut Counter(7));
        let status = match effects.last() {
            Some(Effect::Finish(Outcome::Succeeded { output: found }))
                if found.value() == output =>
            {
                "equal".to_owned()
            }
            found => format!("not {output} but {found:?} of {}", input.text()),
        };
        lines.push(format!("{} output {index}: {status}", case.name));
    }
    lines
}

fn run_program(case: &Case, history: &History, program: &Program) -> String {
    let identity = Identity {
        execution_arn: "arn:aws:states:us-east-1:111111111111:execution:recorded:one".into(),
        name: "one".into(),
        role_arn: role_of(history),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:recorded".into(),
        machine_name: "recorded".into(),
        region: "us-east-1".into(),
        ..Identity::default()
    };
    let mut driver = Driver {
        case,
        history,
        program,
        execution: Execution::new(program, identity),
        entropy: Counter(7),
        now_ms: 1_700_000_000_000,
        timers: Vec::new(),
        answers: Vec::new(),
        events: Vec::new(),
        tasks: 0,
        finished: false,
    };
    let Some(input) = input_of(case, history) else { return "has no input".to_owned() };
    let Ok(input) = Payload::parse(&input) else { return "has an unknown input".to_owned() };
    driver.step(Stimulus::Start { input });
    for _ in 0..STEPS_MAX {
        if driver.finished || !driver.next() {
            break;
        }
    }
    match first_difference(case, &driver.events, &history.events) {
        None => "equal".to_owned(),
        Some(difference) => difference.replace('\n', " "),
    }
}

/// Whether a program has the states that the history enters.
fn fits(history: &History, program: &Program) -> bool {
    history.events.iter().all(|event| {
        let details = event.get("stateEnteredEventDetails");
        let name = details.and_then(|details| details.get("name")?.as_str());
        name.is_none_or(|name| program.find(name).is_some())
    })
}

fn role_of(history: &History) -> std::sync::Arc<str> {
    let details = history.events[0].get("executionStartedEventDetails");
    let role = details.and_then(|details| details.get("roleArn")?.as_str());
    role.unwrap_or("snf_role_arn").into()
}

/// The recorded input; the caller's own, where words stand for values in the recorded one.
fn input_of(case: &Case, history: &History) -> Option<String> {
    let details = history.events[0].get("executionStartedEventDetails")?;
    let recorded = repeated(&json_text(details.get("input")?));
    let stands = |text: &str| recorded.contains(text);
    let hidden = case.words.iter().any(|word| stands(word)) || stands("<timestamp");
    match &history.input {
        Some(input) if hidden && !input.contains("recorded-") => Some(input.clone()),
        _ => Some(recorded),
    }
}

/// The text of a document that may be shown parsed.
fn json_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

impl Driver<'_> {
    fn step(&mut self, stimulus: Stimulus) {
        // A written execution goes on as the one that was not written.
        let bytes = self.execution.encode();
        let read = Execution::decode(self.program, &bytes).unwrap();
        assert_eq!(read, self.execution, "decode(encode(x)) is x");
        self.execution = read;
        let effects = self.execution.step(self.program, stimulus, self.now_ms, &mut self.entropy);
        let mut last = 0;
        for effect in effects {
            match effect {
                Effect::History(event) => {
                    last = event.id;
                    assert_eq!(event.to_text(true), event.to_value(true).to_string());
                    self.events.push(event.to_value(true));
                }
                Effect::StartTask(request) => self.answer_task(request.task, last),
                Effect::StartMapRun(request) => self.answer_map_run(&request, last),
                Effect::ArmTimer { timer, at_ms, .. } => self.timers.push((at_ms, timer)),
                Effect::CancelTimer { timer } => {
                    self.timers.retain(|(_, known)| *known != timer);
                }
                Effect::CancelTask { .. } | Effect::CancelMapRun { .. } => {}
                Effect::Finish(_) => self.finished = true,
            }
        }
    }

    /// Gives the next answer or fires the next timer.
    fn next(&mut self) -> bool {
        let next_event = self.events.len() as i64 + 1;
        let due = self.answers.iter().position(|answer| answer.event == next_event);
        // An answer before the next timer, if the history has one.
        let first = (0..self.answers.len()).min_by_key(|at| self.answers[*at].event);
        if let Some(at) = due.or(first) {
            let answer = self.answers.remove(at);
            self.step(answer.stimulus);
            return true;
        }
        let Some(at) = (0..self.timers.len()).min_by_key(|at| self.timers[*at].0) else {
            return false;
        };
        let (at_ms, timer) = self.timers.remove(at);
        self.now_ms = self.now_ms.max(at_ms);
        self.step(Stimulus::TimerFired { timer });
        true
    }

    /// Plans the answers of a task from the events that follow its scheduling.
    fn answer_task(&mut self, task: TaskId, scheduled: u64) {
        let events = &self.history.events;
        let mut at = scheduled as i64;
        let numbered = events.iter().all(|event| event.get("id").unwrap().as_i64().is_some());
        self.tasks += 1;
        if !numbered {
            let ends = events.iter().filter(|event| {
                let kind = event.get("type").unwrap().as_str().unwrap();
                kind.starts_with("Task")
                    && kind.ends_with("ed")
                    && outcome(task, event).is_some()
                    && !kind.ends_with("Started")
                    && !kind.ends_with("Submitted")
            });
            if let Some(stimulus) = ends.skip(self.tasks - 1).find_map(|e| outcome(task, e)) {
                self.answers.push(Answer { event: i64::MAX, stimulus });
            }
            return;
        }
        loop {
            let next = events.iter().find(|event| {
                event.get("previousEventId").unwrap().as_i64() == Some(at)
                    && outcome(task, event).is_some()
            });
            let Some(event) = next else { return };
            at = event.get("id").unwrap().as_i64().unwrap();
            let stimulus = outcome(task, event).unwrap();
            self.answers.push(Answer { event: at, stimulus });
        }
    }

    fn answer_map_run(&mut self, request: &MapRunRequest, started: u64) {
        let events = &self.history.events;
        let next = events
            .iter()
            .find(|event| event.get("previousEventId").unwrap().as_i64() == Some(started as i64));
        let Some(event) = next else { return };
        let at = event.get("id").unwrap().as_i64().unwrap();
        let stimulus = match event.get("type").unwrap().as_str().unwrap() {
            "MapRunFailed" => {
                let details = event.get("mapRunFailedEventDetails").unwrap();
                let text = |name: &str| details.get(name).map(json_text);
                let error = text("error").unwrap_or_default();
                Stimulus::MapRunFailed { task: request.task, error, cause: text("cause") }
            }
            "MapRunSucceeded" => {
                let output = self.map_run_output(request);
                Stimulus::MapRunSucceeded { task: request.task, output }
            }
            _ => return,
        };
        self.answers.push(Answer { event: at, stimulus });
    }

    /// Runs the items, where the case has them and nothing writes the results; else takes the
    /// recorded output.
    fn map_run_output(&mut self, request: &MapRunRequest) -> Payload {
        if let Some(items) = self.items(request)
            && request.writer.is_none()
            && let Some(outputs) = self.run_items(request, items)
        {
            return Payload::from(Value::array(outputs));
        }
        let exited = self.history.events.iter().find_map(|event| {
            let kind = event.get("type")?.as_str()?;
            let details = event.get("stateExitedEventDetails")?;
            (kind == "MapStateExited").then(|| details.get("output").cloned())?
        });
        let exited = exited.unwrap_or(Value::Null);
        let exited = exited.get("Values").cloned().unwrap_or(exited);
        let text = json_text(&exited);
        Payload::parse(&text).unwrap_or(Payload::from(Value::Null))
    }
}

impl Driver<'_> {
    fn items(&self, request: &MapRunRequest) -> Option<Vec<Value>> {
        let reader = match &request.items {
            MapItems::Given(items) => return items.as_array().map(<[Value]>::to_vec),
            MapItems::Reader(reader) => reader,
        };
        let parameters = reader.get("Parameters").or(reader.get("Arguments"))?;
        let key = parameters.get("Key")?.as_str()?;
        let (_, body) = self.case.objects.iter().find(|(known, _)| known == key)?;
        let mut items = Vec::new();
        let mut reader = ItemReader::new(reader.get("ReaderConfig")?).unwrap();
        reader.feed(body.as_bytes(), &mut items).unwrap();
        reader.finish(&mut items).unwrap();
        Some(items)
    }

    /// The outputs of the child executions, if all of them end well without tasks.
    fn run_items(&mut self, request: &MapRunRequest, items: Vec<Value>) -> Option<Vec<Value>> {
        let mut inputs = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let index = index as u64;
            let entropy = &mut self.entropy;
            let selection = request.selection.as_ref();
            let selected = self.program.select_item(selection, index, item, self.now_ms, entropy);
            inputs.push(selected.ok()?);
        }
        if let Some(batch) = &request.batch {
            let mut batcher = Batcher::new(batch.clone());
            let mut batches = Vec::new();
            for item in inputs {
                batches.extend(batcher.push(item));
            }
            batches.extend(batcher.close());
            inputs = batches.into_iter().map(|(input, _)| input).collect();
        }
        let mut outputs = Vec::new();
        for input in inputs {
            let mut child = Execution::child(self.program, request.processor, Identity::default());
            let start = Stimulus::Start { input: Payload::from(input) };
            let effects = child.step(self.program, start, self.now_ms, &mut self.entropy);
            let Some(Effect::Finish(Outcome::Succeeded { output })) = effects.last() else {
                return None;
            };
            outputs.push(output.value().clone());
        }
        Some(outputs)
    }
}

/// What an event says about a task.
fn outcome(task: TaskId, event: &Value) -> Option<Stimulus> {
    let kind = event.get("type")?.as_str()?;
    let details = event.as_object()?.iter().find(|(key, _)| key.ends_with("EventDetails"));
    let details = details.map_or(Value::Null, |(_, details)| details.clone());
    let text = |name: &str| details.get(name).map(json_text);
    let output = || {
        let text = text("output").unwrap_or_else(|| "null".to_owned());
        Payload::parse(&text)
            .unwrap_or_else(|_| Payload::from(details.get("output").unwrap().clone()))
    };
    let failed = |at: FailedAt| Stimulus::TaskFailed {
        task,
        at,
        error: text("error"),
        cause: text("cause"),
    };
    Some(match kind {
        "TaskStarted" | "LambdaFunctionStarted" => Stimulus::TaskStarted { task, worker: None },
        "ActivityStarted" => Stimulus::TaskStarted { task, worker: text("workerName") },
        "TaskSubmitted" => Stimulus::TaskSubmitted { task, output: output() },
        "TaskSucceeded" | "LambdaFunctionSucceeded" | "ActivitySucceeded" => {
            Stimulus::TaskSucceeded { task, output: output() }
        }
        "TaskFailed" | "LambdaFunctionFailed" | "ActivityFailed" => failed(FailedAt::Run),
        "TaskSubmitFailed" => failed(FailedAt::Submit),
        "TaskStartFailed" | "LambdaFunctionStartFailed" => failed(FailedAt::Start),
        "LambdaFunctionScheduleFailed" => failed(FailedAt::Schedule),
        _ => return None,
    })
}
