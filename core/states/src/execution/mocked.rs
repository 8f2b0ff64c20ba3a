//! A look into one state while it runs, and its work mocked, for `TestState`.

use std::sync::Arc;

use super::BranchId;
use super::step::{See, Step};
use crate::map_run::{Ended, MapRunProgress};
use crate::problem::Problem;
use crate::program::{Dynamic, Items, Kind, Language, Map, State};
use crate::value::{Number, Value};

impl Step<'_> {
    /// Notes a value on the way through a state.
    pub fn note(&mut self, name: &str, value: &Value) {
        if let Some(probe) = &mut self.probe {
            probe.notes.insert(name.into(), value.clone());
        }
    }

    pub fn note_failure(&mut self, problem: &Problem) {
        if let Some(probe) = &mut self.probe
            && probe.failure.is_none()
        {
            probe.failure = Some(problem.failure.clone());
        }
    }

    /// What `Parameters` or `Arguments` made.
    pub fn note_parameters(&mut self, state: &State, value: &Value) {
        match state.language {
            Language::JsonPath => self.note("afterParameters", value),
            Language::Jsonata => self.note("afterArguments", value),
        }
    }

    /// The mocked work of a state; none if it is not mocked.
    pub fn mocked(&mut self, id: BranchId, state: &State) -> Option<Result<(), Problem>> {
        let mock = self.probe.as_ref()?.mock.clone()?;
        match &state.kind {
            Kind::Task(_) | Kind::Parallel { .. } => {
                if let Err(problem) = self.mocked_input(id, state) {
                    return Some(Err(problem));
                }
            }
            Kind::Map(map) => {
                if let Err(problem) = self.mocked_map(id, state, map) {
                    return Some(Err(problem));
                }
            }
            _ => return None,
        }
        match mock {
            Ok(result) => {
                if state.language == Language::JsonPath && matches!(state.kind, Kind::Task(_)) {
                    self.note("result", &result);
                }
                self.work_done(id, state, result);
                Some(Ok(()))
            }
            Err(failure) => Some(Err(Problem::outside(failure.error, failure.cause))),
        }
    }

    fn mocked_input(&mut self, id: BranchId, state: &State) -> Result<Value, Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        if let Some(template) = &state.flow.parameters {
            let token = Some("mocked-task-token");
            let see = See { token, ..See::input(&effective) };
            let parameters = self.evaluate(id, see, |env| env.template(template))?;
            if matches!(state.kind, Kind::Task(_)) {
                self.note_parameters(state, &parameters);
            }
        }
        Ok(effective)
    }

    fn mocked_map(&mut self, id: BranchId, state: &State, map: &Map) -> Result<(), Problem> {
        let effective = self.mocked_input(id, state)?;
        let see = See::input(&effective);
        let reads = map.distributed.as_ref().is_some_and(|map| map.reader.is_some());
        let items = if reads { None } else { Some(self.items(id, map, &effective)?) };
        if let (Some(items), Items::Path(_)) = (&items, &map.items) {
            self.note("afterItemsPath", items);
        }
        let bound = |step: &mut Self, field: &str, dynamic: &Option<Dynamic>| match dynamic {
            Some(dynamic) => step.bound(id, see, field, dynamic).map(Some),
            None => Ok(None),
        };
        let most = bound(self, "MaxConcurrency", &map.max_concurrency)?;
        self.note("maxConcurrency", &Value::from(most.unwrap_or(0) as i64));
        let count = bound(self, "ToleratedFailureCount", &map.tolerated_count)?;
        if let Some(count) = count {
            self.note("toleratedFailureCount", &Value::from(count as i64));
        }
        let percentage = self.percentage(id, see, &map.tolerated_percentage)?;
        if map.tolerated_percentage.is_some() {
            let value = Value::Number(Number::Float(percentage));
            self.note("toleratedFailurePercentage", &value);
        }
        let failed = self.probe.as_ref().and_then(|probe| probe.failed_iterations).unwrap_or(0);
        let total = items.as_ref().and_then(Value::as_array).map_or(failed, |all| all.len() as u64);
        let mut progress = MapRunProgress::new(0, count.unwrap_or(0), percentage);
        progress.read(total.max(failed));
        progress.all_read();
        progress.started(failed);
        progress.ended(failed, Ended::Failed);
        let mock_fails =
            self.probe.as_ref().is_some_and(|probe| matches!(probe.mock, Some(Err(_))));
        if progress.has_failed() && !mock_fails {
            return Err(Problem::outside(
                Some(Arc::from(MapRunProgress::ERROR)),
                Some(Arc::from(MapRunProgress::CAUSE)),
            ));
        }
        Ok(())
    }
}
