//! How a branch leaves a state: the output is made, variables are set, the next state follows.

use std::sync::Arc;

use super::step::{See, Step};
use super::{BranchId, Phase};
use crate::history::{Details, StateType};
use crate::payload::Payload;
use crate::problem::Problem;
use crate::program::template::Template;
use crate::program::{Assign, Kind, Language, ResultPlace, Rule, State, StateId};
use crate::value::Value;

/// Variables and their values.
pub(super) type Assigned = Vec<(Arc<str>, Value)>;

impl Step<'_> {
    /// Leaves a JSONPath state with the result of its work.
    pub fn exit_with_result(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
        result: Value,
    ) -> Result<(), Problem> {
        let assigned = self.assigned(id, &state.flow.assign, See::input(&result))?;
        let selected = match &state.flow.result_selector {
            Some(template) => {
                self.evaluate(id, See::input(&result), |env| env.template(template))?
            }
            None => result,
        };
        let works = matches!(
            state.kind,
            Kind::Pass { .. } | Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_)
        );
        if works {
            self.note("afterResultSelector", &selected);
        }
        let combined = placed(&state.flow.result_path, input.value(), selected)?;
        if works {
            self.note("afterResultPath", &combined);
        }
        let output = self.evaluate(id, See::input(&combined), |env| {
            env.place(&state.flow.output_path, env.input)
        })?;
        self.leave(id, state, input, output, assigned, state.next)
    }

    /// Leaves a JSONata state; a Task, Parallel or Map state with a result.
    pub fn exit_jsonata(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
        result: Option<Value>,
    ) -> Result<(), Problem> {
        let see = See { result: result.as_ref(), ..See::input(input.value()) };
        let assigned = self.assigned(id, &state.flow.assign, see)?;
        let output = match &state.flow.output {
            Some(template) => self.evaluate(id, see, |env| env.template(template))?,
            None => result.clone().unwrap_or_else(|| input.value().clone()),
        };
        self.leave(id, state, input, output, assigned, state.next)
    }

    /// Leaves a Choice state by its default.
    pub fn exit_choice(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
        effective: &Value,
        next: StateId,
    ) -> Result<(), Problem> {
        let assigned = self.assigned(id, &state.flow.assign, See::input(effective))?;
        let output = self.choice_output(id, state, effective, state.flow.output.as_ref())?;
        self.leave(id, state, input, output, assigned, Some(next))
    }

    /// Leaves a Choice state by a rule, whose own fields go before those of the state.
    pub fn exit_by_rule(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
        effective: &Value,
        _index: usize,
        rule: &Rule,
    ) -> Result<(), Problem> {
        let assigned = self.assigned(id, &rule.assign, See::input(effective))?;
        let output = self.choice_output(id, state, effective, rule.output.as_ref())?;
        self.leave(id, state, input, output, assigned, Some(rule.next))
    }

    fn choice_output(
        &mut self,
        id: BranchId,
        state: &State,
        effective: &Value,
        template: Option<&Template>,
    ) -> Result<Value, Problem> {
        let see = See::input(effective);
        match (state.language, template) {
            (Language::Jsonata, Some(template)) => {
                self.evaluate(id, see, |env| env.template(template))
            }
            (Language::Jsonata, None) => Ok(effective.clone()),
            (Language::JsonPath, _) => {
                self.evaluate(id, see, |env| env.place(&state.flow.output_path, env.input))
            }
        }
    }

    /// Leaves a failed state by a catcher.
    pub fn exit_caught(
        &mut self,
        id: BranchId,
        state: &State,
        catcher: usize,
        error_output: &Value,
    ) -> Result<(), Problem> {
        let catcher = &state.catch[catcher];
        let input = self.input(id);
        let (assigned, output) = match state.language {
            Language::JsonPath => {
                let assigned = self.assigned(id, &catcher.assign, See::input(error_output))?;
                let output = placed(&catcher.result_path, input.value(), error_output.clone())?;
                (assigned, output)
            }
            Language::Jsonata => {
                let see = See { error_output: Some(error_output), ..See::input(input.value()) };
                let assigned = self.assigned(id, &catcher.assign, see)?;
                let output = match &catcher.output {
                    Some(template) => self.evaluate(id, see, |env| env.template(template))?,
                    None => error_output.clone(),
                };
                (assigned, output)
            }
        };
        self.leave(id, state, &input, output, assigned, Some(catcher.next))
    }

    /// The values of variables. All templates see the variables as they were.
    fn assigned(
        &mut self,
        id: BranchId,
        assign: &Assign,
        see: See<'_>,
    ) -> Result<Assigned, Problem> {
        let mut assigned = Assigned::with_capacity(assign.len());
        for (name, template) in assign {
            let value = self.evaluate(id, see, |env| env.template(template))?;
            assigned.push((Arc::clone(name), value));
        }
        Ok(assigned)
    }

    /// The document of a value, which is not too large.
    pub fn payload(&self, state: &State, value: Value) -> Result<Payload, Problem> {
        let limits = &self.program.limits;
        if value.is_deeper_than(limits.payload_depth) {
            return Err(Problem::too_large(&state.name));
        }
        let payload = Payload::from(value);
        if payload.text().len() > limits.payload_bytes {
            return Err(Problem::too_large(&state.name));
        }
        Ok(payload)
    }

    fn leave(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
        output: Value,
        assigned: Assigned,
        next: Option<StateId>,
    ) -> Result<(), Problem> {
        // A state that changes nothing hands its input on, with the text that was made of it.
        let output = if output.is_same(input.value()) {
            input.clone()
        } else {
            self.payload(state, output)?
        };
        let assigned_texts = self.set_variables(id, state, assigned)?;
        let kind = state.kind.state_type();
        if kind != StateType::Fail {
            let name = Arc::clone(&state.name);
            let details = Details::StateExited {
                kind,
                name,
                output: output.clone(),
                assigned: assigned_texts,
            };
            self.branch_event(id, details);
        }
        match next {
            Some(next) if !matches!(state.kind, Kind::Succeed) => {
                if let Some(branch) = self.execution.branches.get_mut(id) {
                    branch.state = next;
                    branch.input = output;
                    branch.phase = Phase::Enter;
                }
                self.ready.push_back(id);
            }
            _ => self.end_branch(id, output),
        }
        Ok(())
    }

    fn set_variables(
        &mut self,
        id: BranchId,
        state: &State,
        assigned: Assigned,
    ) -> Result<Vec<(Arc<str>, Payload)>, Problem> {
        if assigned.is_empty() {
            return Ok(Vec::new());
        }
        let mut texts = Vec::with_capacity(assigned.len());
        let mut bytes = 0;
        for (name, value) in &assigned {
            // What is too deep to be read again is too large.
            if value.is_deeper_than(self.program.limits.payload_depth) {
                return Err(Problem::too_large(&state.name));
            }
            let text = Payload::from(value.clone());
            bytes += text.text().len();
            texts.push((Arc::clone(name), text));
        }
        if bytes > self.program.limits.assign_bytes {
            return Err(Problem::too_large(&state.name));
        }
        let Some(branch) = self.execution.branches.get_mut(id) else { return Ok(texts) };
        for (name, value) in assigned {
            match branch.variables.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => branch.variables.push((name, value)),
            }
        }
        Ok(texts)
    }
}

/// The input of a state with a result at its place.
fn placed(place: &ResultPlace, input: &Value, result: Value) -> Result<Value, Problem> {
    match place {
        ResultPlace::Whole => Ok(result),
        ResultPlace::Nothing => Ok(input.clone()),
        ResultPlace::At(path) => path.set(input, result.clone()).ok_or_else(|| {
            let cause = format!("Unable to apply step \"{}\" to input {input}", path.source());
            Problem::state("States.ResultPathMatchFailure", cause)
        }),
    }
}
