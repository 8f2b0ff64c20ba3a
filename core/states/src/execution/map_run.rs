//! Distributed Map states: a map run is asked for, and its end taken.

use std::sync::Arc;

use super::branch::MapRunPhase;
use super::step::{See, Step};
use super::{BranchId, Phase};
use crate::effect::{Effect, ItemBatch, ItemSelection, MapItems, MapRunRequest};
use crate::entropy::Entropy;
use crate::evaluate::{Env, unexpected};
use crate::history::{Details, Failure};
use crate::payload::Payload;
use crate::problem::Problem;
use crate::program::{Distributed, Dynamic, Kind, Map, Program, State};
use crate::stimulus::TaskId;
use crate::value::{Members, Value};

impl Step<'_> {
    /// Starts the map run of a state whose input and items are known.
    pub fn start_map_run(
        &mut self,
        id: BranchId,
        state: &State,
        map: &Map,
        distributed: &Distributed,
        effective: &Value,
    ) -> Result<(), Problem> {
        let see = See::input(effective);
        let items = match &distributed.reader {
            Some(reader) => {
                let mut read = self.evaluate(id, see, |env| env.template(&reader.template))?;
                if let Some(most) = &reader.max_items {
                    let most = self.bound(id, see, "MaxItems", most)?;
                    read = with_max_items(&read, most);
                }
                MapItems::Reader(read)
            }
            None => MapItems::Given(self.items(id, map, effective)?),
        };
        let length = match &items {
            MapItems::Given(items) => items.as_array().map_or(0, <[Value]>::len),
            MapItems::Reader(_) => 0,
        };
        let again = self.ended_map_run(id);
        if again.is_none() {
            self.branch_event(id, Details::MapStateStarted { length: length as u64 });
        }
        let bound = |step: &mut Self, field: &str, dynamic: &Option<Dynamic>| match dynamic {
            Some(dynamic) => step.bound(id, see, field, dynamic),
            None => Ok(0),
        };
        let max_concurrency = bound(self, "MaxConcurrency", &map.max_concurrency)?;
        let tolerated = bound(self, "ToleratedFailureCount", &map.tolerated_count)?;
        let percentage = self.percentage(id, see, &map.tolerated_percentage)?;
        let batch = match &distributed.batcher {
            None => None,
            Some(batcher) => {
                let max_items = bound(self, "MaxItemsPerBatch", &batcher.max_items)?;
                let max_bytes = bound(self, "MaxInputBytesPerBatch", &batcher.max_bytes)?;
                let input = match &batcher.input {
                    Some(template) => Some(self.evaluate(id, see, |env| env.template(template))?),
                    None => None,
                };
                Some(ItemBatch { max_items, max_bytes, input })
            }
        };
        let writer = match &distributed.writer {
            Some(template) => Some(self.evaluate(id, see, |env| env.template(template))?),
            None => None,
        };
        let (label, run) = self.map_run(id, distributed, again);
        let task = self.next_task();
        let branch = self.execution.branches.get(id);
        let selection =
            branch.filter(|_| map.item_selector.is_some()).map(|branch| ItemSelection {
                state: branch.state,
                input: effective.clone(),
                context: self.execution.context(self.program, id, None),
                variables: self.execution.visible(id),
            });
        let request = MapRunRequest {
            task,
            state: Arc::clone(&state.name),
            label,
            map_run_arn: Arc::clone(&run.arn),
            redrives: run.redrives,
            processor: map.processor,
            express: distributed.express,
            items,
            selection,
            input: Payload::from(effective.clone()),
            max_concurrency,
            tolerated_failure_count: tolerated,
            tolerated_failure_percentage: percentage,
            batch,
            writer,
        };
        self.effects.push(Effect::StartMapRun(Box::new(request)));
        self.phase(id, Phase::MapRun { task, run });
        Ok(())
    }

    /// The map run of a state that failed or was aborted, and is to go on.
    fn ended_map_run(&self, id: BranchId) -> Option<MapRunPhase> {
        match &self.execution.branches.get(id)?.phase {
            Phase::MapRunEnded(run) if !run.arn.is_empty() => Some(run.clone()),
            _ => None,
        }
    }

    /// The map run that starts, or that goes on, with its label; the history tells of it.
    fn map_run(
        &mut self,
        id: BranchId,
        distributed: &Distributed,
        again: Option<MapRunPhase>,
    ) -> (Arc<str>, MapRunPhase) {
        if let Some(MapRunPhase { arn, redrives }) = again {
            let redrives = redrives + 1;
            let map_run_arn = Arc::clone(&arn);
            self.branch_event(id, Details::MapRunRedriven { map_run_arn, redrive_count: redrives });
            let label = arn.rsplit_once(':').map_or(&*arn, |(named, _)| named);
            let label = label.rsplit_once('/').map_or(label, |(_, label)| label);
            return (Arc::from(label), MapRunPhase { arn: Arc::clone(&arn), redrives });
        }
        let label = match &distributed.label {
            Some(label) => Arc::clone(label),
            None => Arc::from(self.entropy.uuid()),
        };
        let machine = &self.execution.identity.machine_arn;
        let machine = machine.replacen(":stateMachine:", ":mapRun:", 1);
        let arn: Arc<str> = Arc::from(format!("{machine}/{label}:{}", self.entropy.uuid()));
        let details = Details::MapRunStarted { map_run_arn: Arc::clone(&arn) };
        self.branch_event(id, details);
        (label, MapRunPhase { arn, redrives: 0 })
    }

    /// A whole number, which is not negative.
    pub fn bound(
        &mut self,
        id: BranchId,
        see: See<'_>,
        field: &str,
        dynamic: &Dynamic,
    ) -> Result<u64, Problem> {
        let value = self.evaluate(id, see, |env| env.dynamic(field, dynamic))?;
        match (value.as_i64(), dynamic) {
            (Some(number), _) if number >= 0 => Ok(number.unsigned_abs()),
            (Some(_), _) if field == "MaxItems" => {
                Err(Problem::state("States.ItemReaderFailed", "field MaxItems must be positive"))
            }
            (Some(_), _) => Err(Problem::runtime(format!("{field} cannot be negative."))),
            (None, Dynamic::Path(selector)) => {
                let text = plain(&value);
                Err(Problem::runtime(format!(
                    "The {field}Path field refers to value \"{text}\" which is not a valid \
                     integer: {}",
                    selector.source()
                )))
            }
            (None, Dynamic::Query(query)) => Err(unexpected(field, query, "number", &value)),
            (None, Dynamic::Given(_)) => {
                Err(Problem::runtime(format!("{field} has to be an integer.")))
            }
        }
    }

    pub fn percentage(
        &mut self,
        id: BranchId,
        see: See<'_>,
        dynamic: &Option<Dynamic>,
    ) -> Result<f64, Problem> {
        let Some(dynamic) = dynamic else { return Ok(0.0) };
        let field = "ToleratedFailurePercentage";
        let value = self.evaluate(id, see, |env| env.dynamic(field, dynamic))?;
        match (value.as_f64(), dynamic) {
            (Some(number), _) if (0.0..=100.0).contains(&number) => Ok(number),
            (Some(_), _) => Err(Problem::runtime(format!("{field} must be between 0 and 100."))),
            (None, Dynamic::Query(query)) => Err(unexpected(field, query, "number", &value)),
            (None, Dynamic::Path(selector)) => {
                let text = plain(&value);
                Err(Problem::runtime(format!(
                    "The {field}Path field refers to value \"{text}\" which is not a valid \
                     float: {}",
                    selector.source()
                )))
            }
            (None, Dynamic::Given(_)) => {
                Err(Problem::runtime(format!("{field} has to be a number.")))
            }
        }
    }

    fn map_run_of(&self, task: TaskId) -> Option<BranchId> {
        self.execution
            .branches
            .find(|phase| matches!(phase, Phase::MapRun { task: running, .. } if *running == task))
    }

    pub fn map_run_succeeded(&mut self, task: TaskId, output: &Payload) {
        let Some(id) = self.map_run_of(task) else { return };
        let Some(state) = self.state(id) else { return };
        self.phase(id, Phase::Work);
        // What follows names the start of the run, as on AWS since November 2024.
        let started = self.execution.branches.get(id).map_or(0, |branch| branch.previous);
        let run = self.event(started, Details::MapRunSucceeded);
        self.event(run, Details::MapStateSucceeded);
        self.work_done(id, state, output.value().clone());
    }

    pub fn map_run_failed(&mut self, task: TaskId, error: &str, cause: Option<String>) {
        let Some(id) = self.map_run_of(task) else { return };
        if let Some(branch) = self.execution.branches.get_mut(id)
            && let Phase::MapRun { run, .. } = &branch.phase
        {
            branch.phase = Phase::MapRunEnded(run.clone());
        }
        let problem = Problem::outside(Some(Arc::from(error)), cause.map(Arc::from));
        let Failure { error, cause } = problem.failure.clone();
        self.branch_event(id, Details::MapRunFailed(Failure { error, cause }));
        self.fail(id, problem);
    }
}

/// A value in a sentence: text without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

fn with_max_items(reader: &Value, most: u64) -> Value {
    let Value::Object(members) = reader else { return reader.clone() };
    let mut members: Members = (**members).clone();
    let config = members.get("ReaderConfig").and_then(Value::as_object);
    let mut config: Members = config.cloned().unwrap_or_default();
    config.shift_remove("MaxItemsPath");
    config.insert("MaxItems".into(), Value::from(most as i64));
    members.insert("ReaderConfig".into(), Value::Object(Arc::new(config)));
    Value::Object(Arc::new(members))
}

impl Program {
    /// The input of the child execution for one item of a map run: the item, or what
    /// `ItemSelector` makes of it.
    pub fn select_item(
        &self,
        selection: Option<&ItemSelection>,
        index: u64,
        item: &Value,
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> Result<Value, Failure> {
        let selected = selection.and_then(|seen| match self.states.get(seen.state.0 as usize) {
            Some(State { kind: Kind::Map(map), .. }) => Some((seen, map.item_selector.as_ref()?)),
            _ => None,
        });
        let Some((seen, template)) = selected else { return Ok(item.clone()) };
        let context = || {
            let mut members = seen.context.as_object().cloned().unwrap_or_default();
            let item = [("Index", Value::from(index as i64)), ("Value", item.clone())];
            let map = Value::object([("Item", Value::object(item))]);
            members.insert("Map".into(), map);
            Value::Object(Arc::new(members))
        };
        let mut env = Env {
            input: &seen.input,
            result: None,
            error_output: None,
            context: &context,
            variable: &|name| seen.variables.get(name).cloned(),
            entropy,
            limits: &self.limits,
            now_ms,
        };
        env.template(template).map_err(|problem| problem.failure)
    }
}
