//! The text of a definition to a program, and all that is wrong with it.

mod choice;
mod errors;
mod fields;
mod graph;
mod map;
mod references;
mod state;
mod task;
mod template;

use std::collections::HashMap;
use std::sync::Arc;

use crate::finding::{Code, Finding, Severity};
use crate::limits::Limits;
use crate::program::{Language, MachineType, Program, Scope, ScopeId, State, StateId};
use crate::value::{Members, Value, parse};

use fields::Fields;

/// Deeper scopes are refused.
const SCOPE_DEPTH_MAX: usize = 50;

impl Program {
    /// Compiles the text of a definition. The error holds all findings, warnings too.
    pub fn compile(
        definition: &str,
        machine: MachineType,
        limits: &Limits,
    ) -> Result<Program, Vec<Finding>> {
        let members = match parse(definition) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                let message = "Definition must be a valid JSON object".to_owned();
                return Err(vec![Finding {
                    severity: Severity::Error,
                    code: Code::InvalidJsonDescription,
                    message,
                    location: None,
                }]);
            }
            Err(error) => {
                let (line, column) = (error.line, error.column);
                return Err(vec![Finding {
                    severity: Severity::Error,
                    code: Code::InvalidJsonDescription,
                    message: error.message,
                    location: Some(format!(
                        "[Source: (String)\"{definition}\"; line: {line}, column: {column}]"
                    )),
                }]);
            }
        };
        let mut compiler = Compiler {
            limits,
            machine,
            findings: Vec::new(),
            states: Vec::new(),
            scopes: Vec::new(),
            names: HashMap::new(),
            labels: HashMap::new(),
            without_start: Vec::new(),
        };
        let timeout_seconds = compiler.machine(&members);
        compiler.finish(timeout_seconds)
    }
}

/// What is known while a definition is compiled.
struct Compiler<'l> {
    limits: &'l Limits,
    machine: MachineType,
    findings: Vec<Finding>,
    states: Vec<Option<State>>,
    scopes: Vec<Scope>,
    /// All names of states, in all scopes.
    names: HashMap<Arc<str>, ()>,
    labels: HashMap<Arc<str>, ()>,
    /// Scopes whose `StartAt` names none of their states.
    without_start: Vec<ScopeId>,
}

/// Where a state stands.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    /// The states of the scope.
    targets: &'a HashMap<Arc<str>, StateId>,
    /// The language of the machine.
    machine: Language,
    depth: usize,
    /// Whether the states run in child executions of their own.
    distributed: bool,
}

impl Compiler<'_> {
    fn finding(&mut self, location: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding::schema(location, message));
    }

    fn other(&mut self, code: Code, location: Option<String>, message: String) {
        self.findings.push(Finding { severity: Severity::Error, code, message, location });
    }

    /// Reads the machine itself and returns its time-out.
    fn machine(&mut self, members: &Members) -> Option<u64> {
        let fields = Fields::new(members, String::new());
        const KNOWN: [&str; 6] =
            ["Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"];
        self.only(&fields, &KNOWN);
        self.string(&fields, "Comment");
        let language = Self::language(&fields).unwrap_or(Language::JsonPath);
        self.check_language(&fields);
        if let Some(version) = self.string(&fields, "Version")
            && &*version != "1.0"
        {
            self.finding("/Version", "Value should be one of the following: [1.0]");
        }
        let timeout = self.integer(&fields, "TimeoutSeconds", 1, 99_999_999);
        self.scope(&fields, language, 0, false);
        timeout.and_then(|seconds| u64::try_from(seconds).ok())
    }

    /// The language that `QueryLanguage` stands for. All but the exact name is JSONata.
    fn language(fields: &Fields<'_>) -> Option<Language> {
        match fields.get("QueryLanguage")? {
            Value::String(name) if &**name == "JSONPath" => Some(Language::JsonPath),
            _ => Some(Language::Jsonata),
        }
    }

    /// Finds a `QueryLanguage` that is none.
    fn check_language(&mut self, fields: &Fields<'_>) {
        let Some(name) = self.string(fields, "QueryLanguage") else { return };
        if !matches!(&*name, "JSONPath" | "JSONata") {
            let message = "Value should be one of the following: [JSONPath, JSONata]";
            self.finding(fields.at("QueryLanguage"), message);
        }
    }

    /// Reads `StartAt` and `States`; the scope gets the next number.
    fn scope(
        &mut self,
        fields: &Fields<'_>,
        machine: Language,
        depth: usize,
        distributed: bool,
    ) -> ScopeId {
        let id = ScopeId(self.scopes.len() as u32);
        self.scopes.push(Scope { start: StateId(0), states: Vec::new() });
        let missing: Vec<&str> =
            ["StartAt", "States"].into_iter().filter(|name| fields.get(name).is_none()).collect();
        if !missing.is_empty() {
            let message = format!("These fields are required: [{}]", missing.join(", "));
            self.finding(fields.here(), message);
        }
        if depth > SCOPE_DEPTH_MAX {
            let message = format!("States are nested more than {SCOPE_DEPTH_MAX} levels deep");
            self.other(Code::TooDeeplyNested, Some(fields.here()), message);
            return id;
        }
        let start = self.string(fields, "StartAt");
        let Some(states) = self.object(fields, "States") else { return id };
        if states.is_empty() {
            self.finding(fields.at("States"), "Value cannot be empty");
        }
        let mut targets = HashMap::new();
        for name in states.keys() {
            let state = StateId(self.states.len() as u32);
            self.states.push(None);
            self.scopes[id.0 as usize].states.push(state);
            targets.insert(Arc::clone(name), state);
            self.state_name(fields, name);
        }
        if let Some(start) = start {
            match targets.get(&start) {
                Some(state) => self.scopes[id.0 as usize].start = *state,
                None => {
                    self.without_start.push(id);
                    let message = format!("Missing 'Next' target: {start}");
                    let at = fields.at("StartAt");
                    self.other(Code::MissingTransitionTarget, Some(at), message);
                }
            }
        }
        let surroundings = Surroundings { targets: &targets, machine, depth, distributed };
        for (name, value) in states {
            let at = format!("{}/{name}", fields.at("States"));
            let Value::Object(members) = value else {
                self.finding(at, "Value must be a valid JSON object");
                continue;
            };
            let state = self.state(&Fields::new(members, at), name, surroundings);
            self.states[targets[name].0 as usize] = state;
        }
        id
    }

    fn state_name(&mut self, fields: &Fields<'_>, name: &Arc<str>) {
        let at = format!("{}/{name}", fields.at("States"));
        let most = self.limits.state_name_chars;
        if name.is_empty() || name.chars().count() > most {
            let message = format!("The name of a state has 1 to {most} characters");
            self.other(Code::InvalidStateName, Some(at.clone()), message);
        }
        if self.names.insert(Arc::clone(name), ()).is_some() {
            let message = format!("Duplicate state name: {name}");
            self.other(Code::DuplicateStateName, Some(at), message);
        }
    }

    /// The state that a transition leads to.
    fn target(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        surroundings: Surroundings<'_>,
    ) -> Option<StateId> {
        let name = self.string(fields, field)?;
        let target = surroundings.targets.get(&name).copied();
        if target.is_none() {
            let message = format!("Missing 'Next' target: {name}");
            self.other(Code::MissingTransitionTarget, Some(fields.at(field)), message);
        }
        target
    }

    fn finish(mut self, timeout_seconds: Option<u64>) -> Result<Program, Vec<Finding>> {
        let schema_holds = !self.findings.iter().any(|finding| {
            finding.severity == Severity::Error && finding.code == Code::SchemaValidationFailed
        });
        if schema_holds {
            self.check_graph();
        }
        let refused = self.findings.iter().any(|finding| finding.severity == Severity::Error);
        let states: Option<Vec<State>> = self.states.into_iter().collect();
        match states {
            Some(states) if !refused => Ok(Program {
                states,
                scopes: self.scopes,
                timeout_seconds,
                limits: self.limits.clone(),
                findings: self.findings,
            }),
            _ => Err(self.findings),
        }
    }
}
