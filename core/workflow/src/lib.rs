//! Workflow executions with the semantics of Amazon SWF, pure: the state of an execution, a command
//! and the time become events of its history and effects on other executions.
//!
//! It knows no disk, no thread, no clock and no task list; ids and the time come from outside. So
//! an execution can be replayed, and a crash is a matter of what was appended.
//!
//! **Size.** An execution keeps what is open: its configuration (about 400 bytes as JSON), and per
//! open activity, timer or child some 150 bytes. Inputs and results are in its events only. A step
//! of a usual workflow (three activities open) so writes about 1 KiB of state and 300 bytes an
//! event; 100,000 open executions take about 100 MB of memory. The state is bounded by the limits
//! of AWS: 1,000 open activities, timers and children each, 25,000 events.
//!
//! **Layout.**
//!
//! | file | what is in it |
//! |---|---|
//! | `command.rs` | commands, and which function carries out each |
//! | `execution.rs` | the state, what is due, which tasks wait |
//! | `step.rs`, `effect.rs` | one step: events, decision tasks, the end; effects on others |
//! | `decision.rs`, `decide/` | the decisions of a decider, and what each does |
//! | `tasks.rs`, `lambda.rs` | what workers report |
//! | `external.rs` | signals, cancellations, and what becomes of children |
//! | `due.rs` | timers and time-outs |
//! | `start.rs`, `begin.rs`, `registry.rs` | how an execution starts; types with defaults |

mod begin;
mod command;
mod decide;
mod decision;
mod due;
mod effect;
mod event;
mod execution;
mod external;
mod fault;
mod lambda;
mod limits;
mod registry;
mod set_back;
mod start;
mod step;
mod tasks;
mod text;

pub use command::{Command, apply};
pub use decision::{Decision, read_decisions};
pub use effect::{ChildEnd, Effect, External, Origin, Outcome};
pub use event::Event;
pub use execution::{
    Activity, Child, CloseStatus, Closed, DecisionTask, Execution, ExecutionId, Lambda, Parent,
    TaskKind, Timer, Waiting,
};
pub use fault::{Fault, FaultKind};
pub use limits::Limits;
pub use registry::{
    ActivityDefaults, ChildPolicy, TaskList, TypeId, TypeState, Types, WorkflowDefaults,
};
pub use start::{StartRequest, Started, Undefined};
pub use step::Context;

/// Milliseconds since 1970.
pub type Millis = u64;
