//! What a branch does next: it enters a state, and does its work.

use std::sync::Arc;

use super::step::{See, Step};
use super::{BranchId, Phase};
use crate::evaluate::unexpected;
use crate::history::Details;
use crate::moment;
use crate::payload::Payload;
use crate::problem::Problem;
use crate::program::{Dynamic, Kind, Language, Rule, State, StateId, Wait};
use crate::value::{Number, Value};

/// The longest wait, in seconds.
const WAIT_SECONDS_MAX: i64 = 99_999_999;

impl Step<'_> {
    /// Lets a branch do its next piece of work.
    pub fn advance(&mut self, id: BranchId) {
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        let entering = match branch.phase {
            Phase::Enter => true,
            Phase::Work | Phase::MapRunEnded(_) => false,
            _ => return,
        };
        if self.history_is_full() {
            let limit = self.program.limits.history_events;
            let cause =
                format!("The execution reached the maximum number of history events ({limit}).");
            let problem = Problem::outside(None, Some(Arc::from(cause)));
            return self.fail_execution(id, problem);
        }
        if entering {
            self.enter(id);
        }
        self.work(id);
    }

    fn enter(&mut self, id: BranchId) {
        let Some(state) = self.state(id) else { return };
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        branch.entered_previous = branch.previous;
        branch.entered_ms = self.now_ms;
        branch.retry_count = 0;
        branch.retries.clear();
        branch.phase = Phase::Work;
        let input = branch.input.clone();
        let (kind, name) = (state.kind.state_type(), Arc::clone(&state.name));
        self.branch_event(id, Details::StateEntered { kind, name, input });
        if let Some(branch) = self.execution.branches.get_mut(id) {
            branch.entered = branch.previous;
        }
    }

    /// Does the work of a state that was entered.
    fn work(&mut self, id: BranchId) {
        let Some(state) = self.state(id) else { return };
        if let Some(done) = self.mocked(id, state) {
            if let Err(problem) = done {
                self.fail(id, problem);
            }
            return;
        }
        let done = match &state.kind {
            Kind::Pass { result } => self.pass(id, state, result.as_ref()),
            Kind::Succeed => self.succeed(id, state),
            Kind::Fail { error, cause } => self.fail_state(id, state, error, cause),
            Kind::Wait(wait) => self.wait(id, state, wait),
            Kind::Choice { rules, default } => self.choose(id, state, rules, *default),
            Kind::Task(task) => self.start_task(id, state, task),
            Kind::Parallel { branches } => self.start_branches(id, state, branches),
            Kind::Map(map) => self.start_map(id, state, map),
        };
        if let Err(problem) = done {
            self.fail(id, problem);
        }
    }

    /// The input of a branch's state.
    pub fn input(&self, id: BranchId) -> Payload {
        match self.execution.branches.get(id) {
            Some(branch) => branch.input.clone(),
            None => Payload::trusted("{}"),
        }
    }

    /// What `InputPath` leaves of the input.
    pub fn effective_input(
        &mut self,
        id: BranchId,
        state: &State,
        input: &Payload,
    ) -> Result<Value, Problem> {
        let place = &state.flow.input_path;
        let effective =
            self.evaluate(id, See::input(input.value()), |env| env.place(place, env.input))?;
        let given = matches!(state.kind, Kind::Pass { result: Some(_) });
        if state.language == Language::JsonPath && !given {
            self.note("afterInputPath", &effective);
        }
        Ok(effective)
    }

    fn pass(&mut self, id: BranchId, state: &State, result: Option<&Value>) -> Result<(), Problem> {
        let input = self.input(id);
        if state.language == Language::Jsonata {
            return self.exit_jsonata(id, state, &input, None);
        }
        let effective = self.effective_input(id, state, &input)?;
        let result = match (result, &state.flow.parameters) {
            (Some(result), _) => {
                self.note("result", result);
                result.clone()
            }
            (None, Some(template)) => {
                let made =
                    self.evaluate(id, See::input(&effective), |env| env.template(template))?;
                self.note_parameters(state, &made);
                made
            }
            (None, None) => {
                self.note_parameters(state, &effective);
                effective
            }
        };
        self.exit_with_result(id, state, &input, result)
    }

    fn succeed(&mut self, id: BranchId, state: &State) -> Result<(), Problem> {
        let input = self.input(id);
        match state.language {
            Language::Jsonata => self.exit_jsonata(id, state, &input, None),
            Language::JsonPath => {
                let effective = self.effective_input(id, state, &input)?;
                self.exit_with_result(id, state, &input, effective)
            }
        }
    }

    fn fail_state(
        &mut self,
        id: BranchId,
        state: &State,
        error: &Option<Dynamic>,
        cause: &Option<Dynamic>,
    ) -> Result<(), Problem> {
        let input = self.input(id);
        let mut texts = [None, None];
        for (text, (field, dynamic)) in texts.iter_mut().zip([("Error", error), ("Cause", cause)]) {
            let Some(dynamic) = dynamic else { continue };
            let value = self.evaluate(id, See::input(input.value()), |env| match dynamic {
                Dynamic::Path(selector) => env.member(&format!("{field}Path"), selector),
                _ => env.dynamic(field, dynamic),
            })?;
            *text = Some(match (&value, dynamic) {
                (Value::String(text), _) => Arc::clone(text),
                (other, Dynamic::Query(query)) => {
                    return Err(unexpected(field, query, "string", other));
                }
                (other, _) => {
                    let path = format!("{field}Path");
                    return Err(Problem::runtime(format!(
                        "The field '{path}' of state '{}' has to be a string but was: {other}",
                        state.name
                    )));
                }
            });
        }
        let [error, cause] = texts;
        Err(Problem::outside(error, cause))
    }

    fn wait(&mut self, id: BranchId, state: &State, wait: &Wait) -> Result<(), Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        let see = See::input(&effective);
        let (until_ms, is_fixed) = match wait {
            Wait::Seconds(dynamic) => {
                let value = self.wait_value(id, see, "Seconds", dynamic)?;
                let seconds = wait_seconds(dynamic, &value)?;
                (self.now_ms.saturating_add(seconds.saturating_mul(1_000)), false)
            }
            Wait::Timestamp(dynamic) => {
                let value = self.wait_value(id, see, "Timestamp", dynamic)?;
                (u64::try_from(wait_timestamp(dynamic, &value)?).unwrap_or(0), true)
            }
        };
        if until_ms <= self.now_ms || self.probe.is_some() {
            self.waited(id);
            return Ok(());
        }
        let timer = self.arm_at(until_ms, is_fixed);
        self.phase(id, Phase::Waiting { timer });
        Ok(())
    }

    fn wait_value(
        &mut self,
        id: BranchId,
        see: See<'_>,
        field: &str,
        dynamic: &Dynamic,
    ) -> Result<Value, Problem> {
        let found = self.evaluate(id, see, |env| match dynamic {
            Dynamic::Path(selector) => Ok(env.find(selector)),
            _ => env.dynamic(field, dynamic).map(Some),
        })?;
        found.ok_or_else(|| {
            let path = match dynamic {
                Dynamic::Path(selector) => selector.source(),
                _ => String::new(),
            };
            Problem::runtime(format!(
                "The {field}Path parameter does not reference an input value: {path}"
            ))
        })
    }

    /// The time of a Wait state came.
    pub fn waited(&mut self, id: BranchId) {
        let Some(state) = self.state(id) else { return };
        let input = self.input(id);
        let done = match state.language {
            Language::Jsonata => self.exit_jsonata(id, state, &input, None),
            Language::JsonPath => self
                .effective_input(id, state, &input)
                .and_then(|effective| self.exit_with_result(id, state, &input, effective)),
        };
        if let Err(problem) = done {
            self.fail(id, problem);
        }
    }

    fn choose(
        &mut self,
        id: BranchId,
        state: &State,
        rules: &[Rule],
        default: Option<StateId>,
    ) -> Result<(), Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        for (index, rule) in rules.iter().enumerate() {
            let holds =
                self.evaluate(id, See::input(&effective), |env| env.holds(&rule.condition, index))?;
            if holds {
                return self.exit_by_rule(id, state, &input, &effective, index, rule);
            }
        }
        let Some(next) = default else {
            let cause = "Failed to transition out of the state. The state does not point to a \
                         next state.";
            return Err(Problem::state("States.NoChoiceMatched", cause));
        };
        self.exit_choice(id, state, &input, &effective, next)
    }
}

fn wait_seconds(dynamic: &Dynamic, value: &Value) -> Result<u64, Problem> {
    let whole = match (dynamic, value) {
        (_, Value::Number(Number::Int(seconds))) => Some(*seconds),
        (Dynamic::Path(_), Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    match (dynamic, whole) {
        (_, Some(seconds)) if (0..=WAIT_SECONDS_MAX).contains(&seconds) => Ok(seconds as u64),
        (Dynamic::Path(selector), None) => {
            let path = selector.source();
            Err(Problem::runtime(format!(
                "The SecondsPath parameter cannot be parsed as a long value: {path} == {value}"
            )))
        }
        (Dynamic::Path(selector), Some(seconds)) if seconds < 0 => {
            let path = selector.source();
            Err(Problem::runtime(format!(
                "The SecondsPath parameter cannot be negative: {path} == {value}"
            )))
        }
        (Dynamic::Query(query), None) => Err(unexpected("Seconds", query, "number", value)),
        (Dynamic::Query(_), Some(seconds)) if seconds < 0 => {
            let cause = format!("Seconds cannot be negative: {value}");
            Err(Problem::value("Seconds", cause))
        }
        _ => Err(Problem::runtime("Wait state delay is too long.")),
    }
}

fn wait_timestamp(dynamic: &Dynamic, value: &Value) -> Result<i64, Problem> {
    if let Some(at) = value.as_str().and_then(moment::parse) {
        return Ok(at);
    }
    let plain = match value {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    Err(match dynamic {
        Dynamic::Path(selector) => Problem::runtime(format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
             date-time format string: {} == {plain}",
            selector.source()
        )),
        Dynamic::Query(query) if value.as_str().is_none() => {
            unexpected("Timestamp", query, "string", value)
        }
        _ => Problem::value(
            "Timestamp",
            format!(
                "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time \
                 format string: {plain}"
            ),
        ),
    })
}
