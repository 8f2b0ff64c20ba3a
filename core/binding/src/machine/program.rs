//! Definitions: what is wrong with one, and what it names.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use trunkline_engine::states::{
    Finding, Limits, MachineType, Program, StateType, invalid_definition, parse,
};

use crate::error::guard;

/// Severity, code, message and location.
type PlainFinding = (&'static str, &'static str, String, Option<String>);

fn compile(text: &str, express: bool) -> Result<Program, Vec<Finding>> {
    let kind = if express { MachineType::Express } else { MachineType::Standard };
    Program::compile(text, kind, &Limits::default())
}

/// A compiled definition.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct StatesProgram {
    pub program: Arc<Program>,
    /// Whether each step of its executions is short.
    pub is_brief: bool,
}

#[pymethods]
impl StatesProgram {
    /// Compiles a definition; a ValueError with AWS's words for one that is refused.
    #[new]
    fn new(text: &str, express: bool) -> PyResult<Self> {
        guard(|| match compile(text, express) {
            Ok(program) => {
                let is_brief = program.is_brief();
                Ok(Self { program: Arc::new(program), is_brief })
            }
            Err(findings) => Err(PyValueError::new_err(invalid_definition(&findings))),
        })
    }

    /// What the validator finds in a definition, warnings included.
    #[staticmethod]
    fn check(text: &str, express: bool) -> PyResult<Vec<PlainFinding>> {
        guard(|| {
            Ok(match compile(text, express) {
                Ok(program) => program.warnings().iter().map(plain).collect(),
                Err(findings) => findings.iter().map(plain).collect(),
            })
        })
    }

    /// What is wrong with a text that is to be JSON, in AWS's words; None for nothing.
    #[staticmethod]
    fn malformed(text: &str) -> PyResult<Option<String>> {
        guard(|| Ok(parse(text).err().map(|problem| problem.message)))
    }

    /// The names of the resources of Task states, each with its location.
    fn resources(&self) -> Vec<(String, String)> {
        let resources = self.program.resources();
        resources.map(|(location, resource)| (location, resource.arn().to_string())).collect()
    }

    /// The variables that each state refers to, by the state's name.
    fn variable_references(&self) -> Vec<(String, Vec<String>)> {
        let plain = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect();
        let references = self.program.variable_references();
        references.map(|(state, names)| (state.to_string(), plain(names))).collect()
    }

    /// The type of the state of this name, in any scope.
    fn state_type(&self, name: &str) -> Option<&'static str> {
        let state = self.program.find(name)?;
        self.program.describe(state).map(|(_, kind): (_, StateType)| kind.as_str())
    }
}

fn plain(finding: &Finding) -> PlainFinding {
    let Finding { severity, code, message, location } = finding;
    (severity.as_str(), code.as_str(), message.clone(), location.clone())
}
