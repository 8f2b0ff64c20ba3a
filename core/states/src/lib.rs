//! Amazon States Language as pure functions: text to a [`Program`], and a program with an
//! [`Execution`] to [`Effect`]s.
//!
//! It knows no queue, no HTTP, no clock and no disk. What happens outside comes in as a
//! [`Stimulus`] with its time; what is to happen outside goes out as an [`Effect`]. Random numbers
//! and tokens come from an [`Entropy`]. The same stimuli with the same entropy give the same
//! effects, so an execution can be replayed, and an execution that was written down with
//! [`Execution::encode`] goes on where it stood.
//!
//! ```
//! use trunkline_states::{
//!     Effect, Entropy, Execution, Identity, Limits, MachineType, Outcome, Payload, Program,
//!     Stimulus, TaskId,
//! };
//!
//! struct Fixed;
//!
//! impl Entropy for Fixed {
//!     fn random(&mut self) -> u64 {
//!         4
//!     }
//!
//!     fn task_token(&mut self, task: TaskId) -> String {
//!         format!("token-{}", task.0)
//!     }
//! }
//!
//! let text = r#"{"StartAt":"Greet","States":{"Greet":{
//!     "Type":"Pass","Parameters":{"text.$":"States.Format('Hello, {}', $.name)"},"End":true}}}"#;
//! let program = Program::compile(text, MachineType::Standard, &Limits::default()).unwrap();
//! let mut execution = Execution::new(&program, Identity::default());
//! let input = Payload::parse(r#"{"name":"Ada"}"#)?;
//! let effects = execution.step(&program, Stimulus::Start { input }, 0, &mut Fixed);
//! let Some(Effect::Finish(Outcome::Succeeded { output })) = effects.last() else { panic!() };
//! assert_eq!(&**output.text(), r#"{"text":"Hello, Ada"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod compile;
mod effect;
mod entropy;
mod evaluate;
mod execution;
mod finding;
mod history;
mod integrations;
mod intrinsic;
mod jsonata;
mod limits;
mod map_run;
mod moment;
mod path;
mod payload;
mod problem;
mod program;
mod resource;
mod selector;
mod state_test;
mod stimulus;
mod value;

pub use effect::{Effect, ItemBatch, ItemSelection, MapItems, MapRunRequest, Outcome, TaskRequest};
pub use entropy::{Entropy, SeededEntropy};
pub use execution::{Execution, Identity, MalformedExecution, Status};
pub use finding::{Code, Finding, Severity, invalid_definition};
pub use history::{Details, Event, Failure, ServiceCall, StateType};
pub use limits::Limits;
pub use map_run::{
    Batcher, ChildInput, ChildInputs, Ended, ItemCounts, ItemReader, MapRunProgress, ReaderFailed,
};
pub use path::{InvalidPath, select};
pub use payload::Payload;
pub use program::{Language, MachineType, Program, ScopeId, StateId};
pub use resource::{Pattern, Resource};
pub use state_test::{MockError, StateTest, TestRefused, TestReport, TestRequest, TestStep};
pub use stimulus::{FailedAt, Stimulus, TaskId, TimerId};
pub use value::{MalformedJson, Members, Number, Value, parse};
