//! State machines: executions that wait for a time or for the end of a task, and the tasks that
//! they have delivered. Injected faults strike them at the queues of their tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::delivery::RetryTable;
use trunkline_engine::states::{FailedAt, Identity};
use trunkline_engine::{
    Delivery, DestinationConfig, Engine, ExecutionState, Machine, Millis, Polled, Result, Signal,
    StartRequest, TaskEnd, TaskToken, Ticket, Transport, machine_name,
};
use trunkline_journal::sim::Random;

use crate::Noun;

/// State machines under test.
pub struct MachineNoun;

const HOUR: Millis = 3_600_000;

const WAITS: &str = r#"{"StartAt":"Wait","States":{
    "Wait":{"Type":"Wait","Seconds":3600,"Next":"Done"},
    "Done":{"Type":"Pass","Result":"done","End":true}}}"#;

/// Two tasks, one behind the other, and a retry of the second.
const TASKS: &str = r#"{"StartAt":"Charge","States":{
    "Charge":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:000000000000:function:charge",
        "Next":"Ship"},
    "Ship":{"Type":"Task","Resource":"arn:aws:states:::sns:publish.waitForTaskToken",
        "Parameters":{"Message":{"token.$":"$$.Task.Token"}},
        "TimeoutSeconds":1000000,"End":true}}}"#;

fn create_destination(engine: &Engine) {
    let config = DestinationConfig {
        transport: Transport::Handler { lease: 30_000 },
        retry: RetryTable::none(),
        dead_letter: None,
        concurrency: 1,
        renderer: None,
        http: Default::default(),
    };
    engine.create_destination("states", &config).unwrap();
}

fn start(machine: &Machine, name: &str, program: u32) -> Result<Option<Ticket>> {
    let request = StartRequest {
        name,
        program,
        input: r#"{"order":1}"#,
        identity: Identity { name: name.into(), ..Identity::default() },
        document: b"kept",
        tells_end: true,
        ..StartRequest::default()
    };
    machine.start(&request).map(|started| started.ticket)
}

/// Everything that is told of an execution.
fn state(machine: &Machine, name: &str) -> String {
    let status = machine.status(name).unwrap();
    let history = machine.history(name, usize::MAX).unwrap();
    format!("{status:?} {history:?}")
}

/// What waits for the handler of tasks.
fn delivered(engine: &Engine) -> Vec<String> {
    let Some(id) = engine.find_destination("states").unwrap() else { return Vec::new() };
    let mut all = Vec::new();
    let see = |message: Delivery<'_>| {
        all.push(format!("{}: {}", message.seq, String::from_utf8_lossy(message.body)));
    };
    engine.queue_by_id(id).unwrap().peek(usize::MAX >> 1, true, see).unwrap();
    all.sort();
    all
}

/// Reports the end of the task that an execution waits for, or stops it when it waits for none.
fn go_on(engine: &Engine, machine: &Machine, name: &str, random: &mut Random) -> Option<Ticket> {
    let number = machine.status(name).unwrap().number;
    let end = if random.once_in(3) {
        TaskEnd::Failed(FailedAt::Run, Some("Refused"), Some("no money"))
    } else {
        TaskEnd::Succeeded(r#"{"ok":true}"#)
    };
    for task in 1..40 {
        let token = TaskToken { machine: machine.id(), execution: number, task };
        let reported = engine.machines().report(&token.encode(engine.key()), &end).unwrap();
        if let Some((trunkline_engine::TaskEnded::Taken, ticket)) = reported {
            return ticket;
        }
    }
    machine.stop(name, Some("Stopped"), None).unwrap()
}

impl Noun for MachineNoun {
    fn name(&self) -> &'static str {
        "machines"
    }

    fn fill(&self, engine: &Engine) {
        create_destination(engine);
        let machine = engine.machines().get_or_create(machine_name("orders")).unwrap();
        let waits = machine.add_program(WAITS, false, b"").unwrap();
        let tasks = machine.add_program(TASKS, false, b"document").unwrap();
        start(&machine, "waits", waits).unwrap();
        start(&machine, "charges", tasks).unwrap();
        start(&machine, "stopped", tasks).unwrap();
        machine.stop("stopped", Some("Why"), None).unwrap();
        let gone = engine.machines().get_or_create(machine_name("gone")).unwrap();
        let program = gone.add_program(WAITS, false, b"").unwrap();
        start(&gone, "waits", program).unwrap();
        gone.remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut all = delivered(engine);
        for machine in engine.machines().list(None, None, "") {
            for execution in machine.executions(None, None, usize::MAX).unwrap() {
                all.push(state(&machine, &execution.name));
            }
        }
        all
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["2", "states", "orders"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        engine.machines().get_or_create(machine_name("late")).map(drop)
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        let machine = engine.find_machine(&machine_name("orders")).unwrap().unwrap();
        let mut wait = machine.end_wait("waits", HOUR).unwrap();
        let polled = wait.poll(|| Ok::<_, ()>(signal), || Ok(None::<()>)).unwrap();
        // It lasts as long as the engine.
        std::mem::forget(wait);
        matches!(polled, Polled::Wait(_))
    }

    fn first_timer(&self) -> Option<Millis> {
        Some(HOUR)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let Some(machine) = engine.find_machine(&machine_name("sagas")).unwrap() else {
            if engine.find_destination("states").unwrap().is_none() {
                create_destination(engine);
                return None;
            }
            engine.machines().get_or_create(machine_name("sagas")).unwrap();
            return None;
        };
        let Ok(program) = machine.program(1).map(|_| 1) else {
            machine.add_program(TASKS, false, b"").unwrap();
            return None;
        };
        let name = ["a", "b", "c", "d", "e", "f", "g", "h"][random.below(8)];
        match machine.status(name).map(|status| status.status) {
            Err(_) => start(&machine, name, program).unwrap(),
            Ok(ExecutionState::Running) => go_on(engine, &machine, name, random),
            Ok(ExecutionState::Succeeded) => None,
            // It may be redriven where the language can: then it runs again.
            Ok(_) => machine.redrive(name).ok().flatten(),
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let Some(machine) = engine.find_machine(&machine_name("sagas")).unwrap() else {
            return BTreeMap::new();
        };
        let all = machine.executions(None, None, usize::MAX).unwrap();
        let entry = |name: &str| (format!("execution {name}"), state(&machine, name).into());
        all.iter().map(|execution| entry(&execution.name)).collect()
    }
}
