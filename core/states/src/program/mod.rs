//! A compiled definition: states and scopes in tables, names resolved.

mod brief;
pub(crate) mod template;

use std::sync::Arc;

use crate::history::StateType;
use crate::jsonata::Query;
use crate::limits::Limits;
use crate::resource::Resource;
use crate::selector::Selector;
use crate::value::Value;

use template::Template;

/// A state of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub u32);

/// The states of a program that may reach each other: those of the machine, of a branch of a
/// Parallel state, or of the processor of a Map state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(pub u32);

/// The language of the expressions of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JSONPath.
    JsonPath,
    /// JSONata.
    Jsonata,
}

/// Whether executions are durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineType {
    /// Durable, up to a year long, with a history.
    Standard,
    /// Short and without a history.
    Express,
}

/// A compiled state machine. It is immutable and may be shared between threads.
#[derive(Debug)]
pub struct Program {
    pub(crate) states: Vec<State>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) limits: Limits,
    pub(crate) findings: Vec<crate::finding::Finding>,
}

/// States that may reach each other.
#[derive(Debug)]
pub(crate) struct Scope {
    pub start: StateId,
    pub states: Vec<StateId>,
}

/// One state.
#[derive(Debug)]
pub(crate) struct State {
    pub name: Arc<str>,
    pub location: Arc<str>,
    /// The variables that its fields name.
    pub references: Vec<Arc<str>>,
    pub language: Language,
    pub flow: Flow,
    /// Whether the state ends its scope.
    pub end: bool,
    pub next: Option<StateId>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub kind: Kind,
}

/// What a state does to the data that passes through it.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub input_path: Place,
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPlace,
    pub output_path: Place,
    pub output: Option<Template>,
    pub assign: Assign,
}

/// Variables and the templates of their values.
pub(crate) type Assign = Vec<(Arc<str>, Template)>;

/// Where an input or an output is taken from.
#[derive(Debug, Default)]
pub(crate) enum Place {
    /// The whole document.
    #[default]
    Whole,
    /// An empty object.
    Nothing,
    /// A path.
    At(Selector),
}

/// Where a result goes.
#[derive(Debug, Default)]
pub(crate) enum ResultPlace {
    /// In place of the input.
    #[default]
    Whole,
    /// Nowhere: the input stays.
    Nothing,
    /// Into the input.
    At(crate::path::ReferencePath),
}

/// A value that is given, or found when the state runs.
#[derive(Debug)]
pub(crate) enum Dynamic {
    Given(Value),
    Path(Selector),
    Query(Query),
}

#[derive(Debug)]
pub(crate) struct Retrier {
    pub errors: Vec<Arc<str>>,
    pub interval_seconds: f64,
    pub max_attempts: u32,
    pub backoff_rate: f64,
    pub max_delay_seconds: Option<f64>,
    pub full_jitter: bool,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub errors: Vec<Arc<str>>,
    pub next: StateId,
    pub result_path: ResultPlace,
    pub output: Option<Template>,
    pub assign: Assign,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Pass { result: Option<Value> },
    Succeed,
    Fail { error: Option<Dynamic>, cause: Option<Dynamic> },
    Wait(Wait),
    Choice { rules: Vec<Rule>, default: Option<StateId> },
    Task(Box<Task>),
    Parallel { branches: Vec<ScopeId> },
    Map(Box<Map>),
}

#[derive(Debug)]
pub(crate) enum Wait {
    Seconds(Dynamic),
    Timestamp(Dynamic),
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub condition: crate::choice::Condition,
    pub next: StateId,
    pub assign: Assign,
    pub output: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct Task {
    pub resource: Resource,
    pub timeout: Option<Dynamic>,
    pub heartbeat: Option<Dynamic>,
    pub credentials: Option<Template>,
    pub needs_token: bool,
}

#[derive(Debug)]
pub(crate) struct Map {
    pub processor: ScopeId,
    pub distributed: Option<Distributed>,
    pub items: Items,
    pub item_selector: Option<Template>,
    pub max_concurrency: Option<Dynamic>,
    pub tolerated_count: Option<Dynamic>,
    pub tolerated_percentage: Option<Dynamic>,
}

#[derive(Debug)]
pub(crate) enum Items {
    /// The effective input of the state.
    Input,
    Path(Selector),
    Template(Template),
}

#[derive(Debug)]
pub(crate) struct Distributed {
    pub express: bool,
    pub label: Option<Arc<str>>,
    pub reader: Option<Reader>,
    pub writer: Option<Template>,
    pub batcher: Option<Batcher>,
}

#[derive(Debug)]
pub(crate) struct Reader {
    pub template: Template,
    pub max_items: Option<Dynamic>,
}

#[derive(Debug)]
pub(crate) struct Batcher {
    pub max_items: Option<Dynamic>,
    pub max_bytes: Option<Dynamic>,
    pub input: Option<Template>,
}

impl State {
    /// The states that may follow this one.
    pub fn targets(&self) -> Vec<StateId> {
        let mut found: Vec<StateId> = self.next.into_iter().collect();
        found.extend(self.catch.iter().map(|catcher| catcher.next));
        if let Kind::Choice { rules, default } = &self.kind {
            found.extend(rules.iter().map(|rule| rule.next));
            found.extend(*default);
        }
        found
    }
}

impl Kind {
    pub fn state_type(&self) -> StateType {
        match self {
            Kind::Pass { .. } => StateType::Pass,
            Kind::Succeed => StateType::Succeed,
            Kind::Fail { .. } => StateType::Fail,
            Kind::Wait(_) => StateType::Wait,
            Kind::Choice { .. } => StateType::Choice,
            Kind::Task(_) => StateType::Task,
            Kind::Parallel { .. } => StateType::Parallel,
            Kind::Map(_) => StateType::Map,
        }
    }
}

impl Program {
    /// The states of the machine itself.
    pub fn root(&self) -> ScopeId {
        ScopeId(0)
    }

    /// What the validator found that is no error.
    pub fn warnings(&self) -> &[crate::finding::Finding] {
        &self.findings
    }

    /// The state of this name, in any scope.
    pub fn find(&self, name: &str) -> Option<StateId> {
        let at = self.states.iter().position(|state| &*state.name == name)?;
        Some(StateId(at as u32))
    }

    /// The name and the type of a state.
    pub fn describe(&self, state: StateId) -> Option<(&Arc<str>, StateType)> {
        let state = self.states.get(state.0 as usize)?;
        Some((&state.name, state.kind.state_type()))
    }

    /// What the Task states call, with the location of each.
    pub fn resources(&self) -> impl Iterator<Item = (String, &Resource)> {
        self.states.iter().filter_map(|state| match &state.kind {
            Kind::Task(task) => Some((format!("{}/Resource", state.location), &task.resource)),
            _ => None,
        })
    }

    /// What a Task state calls; nothing of a state of another type.
    pub(crate) fn resource(&self, state: StateId) -> Option<&Resource> {
        match &self.state(state).kind {
            Kind::Task(task) => Some(&task.resource),
            _ => None,
        }
    }

    /// Whether a state is a Map state whose results are written elsewhere.
    pub(crate) fn writes_results(&self, state: StateId) -> bool {
        match &self.state(state).kind {
            Kind::Map(map) => map.distributed.as_ref().is_some_and(|map| map.writer.is_some()),
            _ => false,
        }
    }

    /// The scope of this number, if there is one.
    pub fn scope_of(&self, number: u32) -> Option<ScopeId> {
        ((number as usize) < self.scopes.len()).then_some(ScopeId(number))
    }

    /// The variables that each state names, without states that name none.
    pub fn variable_references(&self) -> impl Iterator<Item = (&Arc<str>, &[Arc<str>])> {
        let states = self.states.iter().filter(|state| !state.references.is_empty());
        states.map(|state| (&state.name, state.references.as_slice()))
    }

    pub(crate) fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }
}
