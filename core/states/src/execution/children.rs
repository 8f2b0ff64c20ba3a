//! Parallel and Map states: branches that run side by side.

use std::sync::Arc;

use super::branch::Children;
use super::step::{See, Step};
use super::{Branch, BranchId, Phase, Status};
use crate::effect::Outcome;
use crate::evaluate::unexpected;
use crate::history::Details;
use crate::payload::Payload;
use crate::problem::Problem;
use crate::program::template::Template;
use crate::program::{Items, Kind, Map, ScopeId, State};
use crate::selector::Selector;
use crate::value::Value;

impl Step<'_> {
    pub fn start_branches(
        &mut self,
        id: BranchId,
        state: &State,
        scopes: &[ScopeId],
    ) -> Result<(), Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        let effective = match &state.flow.parameters {
            Some(template) => {
                self.evaluate(id, See::input(&effective), |env| env.template(template))?
            }
            None => effective,
        };
        let payload =
            if effective.is_same(input.value()) { input } else { self.payload(state, effective)? };
        self.branch_event(id, Details::ParallelStateStarted);
        let previous = self.execution.branches.get(id).map_or(0, |branch| branch.previous);
        let mut children = Children {
            results: vec![None; scopes.len()],
            running: Vec::with_capacity(scopes.len()),
            items: Value::Null,
            next: scopes.len() as u64,
            done: 0,
        };
        for (index, scope) in scopes.iter().enumerate() {
            let child = self.add_child(id, *scope, index as u64, payload.clone(), previous);
            children.running.push(child);
        }
        self.phase(id, Phase::Children(children));
        Ok(())
    }

    fn add_child(
        &mut self,
        parent: BranchId,
        scope: ScopeId,
        index: u64,
        input: Payload,
        previous: u64,
    ) -> BranchId {
        let child = self.execution.branches.add(Branch {
            parent: Some(parent),
            index,
            state: self.program.scope(scope).start,
            input,
            previous,
            entered: 0,
            entered_previous: 0,
            entered_ms: 0,
            retries: Vec::new(),
            retry_count: 0,
            variables: Vec::new(),
            phase: Phase::Enter,
        });
        self.ready.push_back(child);
        child
    }

    pub fn start_map(&mut self, id: BranchId, state: &State, map: &Map) -> Result<(), Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        if let Some(distributed) = &map.distributed {
            return self.start_map_run(id, state, map, distributed, &effective);
        }
        let items = self.items(id, map, &effective)?;
        let see = See::input(&effective);
        let most = match &map.max_concurrency {
            Some(dynamic) => self.bound(id, see, "MaxConcurrency", dynamic)?,
            None => 0,
        };
        let length = items.as_array().map_or(0, <[Value]>::len);
        self.branch_event(id, Details::MapStateStarted { length: length as u64 });
        let children =
            Children { results: vec![None; length], running: Vec::new(), items, next: 0, done: 0 };
        self.phase(id, Phase::Children(children));
        if length == 0 {
            self.children_done(id);
            return Ok(());
        }
        let at_once = self.program.limits.inline_concurrency as u64;
        let at_once = if most == 0 { at_once } else { most.min(at_once) };
        let previous = self.execution.branches.get(id).map_or(0, |branch| branch.previous);
        for _ in 0..at_once {
            self.start_iteration(id, state, previous)?;
        }
        Ok(())
    }

    /// The items of a Map state, as an array.
    pub fn items(&mut self, id: BranchId, map: &Map, effective: &Value) -> Result<Value, Problem> {
        let see = See::input(effective);
        let (found, query) = match &map.items {
            Items::Input => (effective.clone(), None),
            Items::Path(selector) => (self.evaluate(id, see, |env| env.path(selector))?, None),
            Items::Template(template) => {
                let query = match template {
                    Template::Query { query, .. } => Some(query),
                    _ => None,
                };
                (self.evaluate(id, see, |env| env.template(template))?, query)
            }
        };
        if found.is_deeper_than(self.program.limits.payload_depth) {
            let name = self.state(id).map_or("", |state| &state.name);
            return Err(Problem::too_large(name));
        }
        match (&found, query) {
            (Value::Array(_), _) => Ok(found),
            (_, Some(query)) => Err(unexpected("Items", query, "array", &found)),
            (other, None) => {
                let state = self.state(id);
                let jsonata =
                    state.is_some_and(|state| state.language == crate::program::Language::Jsonata);
                if jsonata {
                    let cause = format!("Map state input must be an array but was: {other}");
                    return Err(Problem::evaluation(None, cause));
                }
                let path = match &map.items {
                    Items::Path(Selector::Context(text, _)) => text[1..].to_owned(),
                    Items::Path(selector) => selector.source(),
                    _ => "$".to_owned(),
                };
                let cause = format!("Reference path \"{path}\" must point to array.");
                Err(Problem::runtime(cause))
            }
        }
    }

    /// Starts the next item of a Map state, if there is one.
    fn start_iteration(
        &mut self,
        id: BranchId,
        state: &State,
        previous: u64,
    ) -> Result<(), Problem> {
        let Kind::Map(map) = &state.kind else { return Ok(()) };
        let Some(branch) = self.execution.branches.get_mut(id) else { return Ok(()) };
        let Phase::Children(children) = &mut branch.phase else { return Ok(()) };
        let index = children.next;
        let item = children.items.as_array().and_then(|items| items.get(index as usize));
        let Some(value) = item.cloned() else { return Ok(()) };
        children.next += 1;
        let name = Arc::clone(&state.name);
        let started = self.event(previous, Details::MapIterationStarted { name, index });
        let payload = Payload::from(value);
        let child = self.add_child(id, map.processor, index, payload, started);
        if let Some(branch) = self.execution.branches.get_mut(id)
            && let Phase::Children(children) = &mut branch.phase
        {
            children.running.push(child);
        }
        if let Some(template) = &map.item_selector {
            let input = self.input(id);
            let effective = self.effective_input(id, state, &input)?;
            let selected =
                self.evaluate(child, See::input(&effective), |env| env.template(template))?;
            let payload = self.payload(state, selected)?;
            if let Some(branch) = self.execution.branches.get_mut(child) {
                branch.input = payload;
            }
        }
        Ok(())
    }

    /// A branch reached its end.
    pub fn end_branch(&mut self, id: BranchId, output: Payload) {
        let Some(branch) = self.execution.branches.get(id) else { return };
        let (parent, index, last) = (branch.parent, branch.index, branch.previous);
        let Some(parent_id) = parent else {
            return self.finish(Status::Succeeded, last, Outcome::Succeeded { output });
        };
        self.execution.branches.remove(id);
        let Some(state) = self.state(parent_id) else { return };
        let is_map = matches!(state.kind, Kind::Map(_));
        let mut ended = last;
        if is_map {
            let name = Arc::clone(&state.name);
            ended = self.event(last, Details::MapIterationSucceeded { name, index });
        }
        let Some(parent) = self.execution.branches.get_mut(parent_id) else { return };
        parent.previous = ended;
        let Phase::Children(children) = &mut parent.phase else { return };
        if let Some(result) = children.results.get_mut(index as usize) {
            *result = Some(output.value().clone());
        }
        children.running.retain(|running| *running != id);
        children.done += 1;
        if children.done == children.results.len() as u64 {
            return self.children_done(parent_id);
        }
        if is_map && let Err(problem) = self.start_iteration(parent_id, state, last) {
            self.fail(parent_id, problem);
        }
    }

    /// All branches of a state reached their ends.
    fn children_done(&mut self, id: BranchId) {
        let Some(state) = self.state(id) else { return };
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        let previous = branch.previous;
        let Phase::Children(children) = std::mem::replace(&mut branch.phase, Phase::Work) else {
            return;
        };
        let results = children.results.into_iter().map(|result| result.unwrap_or(Value::Null));
        let result = Value::array(results.collect());
        let details = match &state.kind {
            Kind::Map(_) => Details::MapStateSucceeded,
            _ => Details::ParallelStateSucceeded,
        };
        self.event(previous, details);
        self.work_done(id, state, result);
    }

    /// One branch failed; the others of its state are aborted.
    pub fn abort_children(&mut self, parent: BranchId, failed: BranchId, last: u64) {
        let Some(state) = self.state(parent) else { return };
        let Some(branch) = self.execution.branches.get(parent) else { return };
        let Phase::Children(children) = &branch.phase else { return };
        let mut running = children.running.clone();
        running.sort_by_key(|child| *child != failed);
        for child in running {
            self.abort_child(state, child, failed, last);
        }
    }

    fn abort_child(&mut self, state: &State, child: BranchId, failed: BranchId, last: u64) {
        let Some(branch) = self.execution.branches.get(child) else { return };
        let index = branch.index;
        if matches!(state.kind, Kind::Map(_)) {
            let name = Arc::clone(&state.name);
            let details = if child == failed {
                Details::MapIterationFailed { name, index }
            } else {
                Details::MapIterationAborted { name, index }
            };
            self.event(last, details);
        }
        if let Some(inner) = self.state(child)
            && aborts(&inner.kind)
        {
            let kind = inner.kind.state_type();
            self.event(last, Details::StateAborted { kind });
        }
        self.stop_tree(child);
    }

    fn stop_tree(&mut self, id: BranchId) {
        let inner = match self.execution.branches.get(id).map(|branch| &branch.phase) {
            Some(Phase::Children(children)) => children.running.clone(),
            _ => Vec::new(),
        };
        for child in inner {
            self.stop_tree(child);
        }
        self.stop_work(id);
        self.ready.retain(|ready| *ready != id);
    }

    /// Forgets the branches of a state that is tried again, or whose failure is caught.
    pub fn drop_children(&mut self, id: BranchId) {
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        if !matches!(branch.phase, Phase::Children(_)) {
            return;
        }
        let phase = std::mem::replace(&mut branch.phase, Phase::Work);
        let Phase::Children(children) = phase else { return };
        for child in children.running {
            self.drop_children(child);
            self.stop_work(child);
            self.execution.branches.remove(child);
            self.ready.retain(|ready| *ready != child);
        }
    }
}

/// Whether a state of this kind says in the history that it was aborted.
fn aborts(kind: &Kind) -> bool {
    matches!(kind, Kind::Task(_) | Kind::Wait(_) | Kind::Map(_) | Kind::Parallel { .. })
}
