//! The context object of a state.

use std::sync::Arc;

use super::{BranchId, Execution, Phase};
use crate::moment;
use crate::program::{Kind, Program};
use crate::value::{Members, Value};

impl Execution {
    /// The context object (`$$`, `$states.context`) in a branch.
    pub(super) fn context(
        &self,
        program: &Program,
        branch: BranchId,
        token: Option<&str>,
    ) -> Value {
        let text = |text: &Arc<str>| Value::String(Arc::clone(text));
        let mut execution = Members::new();
        execution.insert("Id".into(), text(&self.identity.execution_arn));
        execution.insert("Input".into(), self.input.value().clone());
        execution.insert("StartTime".into(), Value::string(moment::format(self.started_ms)));
        execution.insert("Name".into(), text(&self.identity.name));
        execution.insert("RoleArn".into(), text(&self.identity.role_arn));
        if !self.identity.is_test {
            execution.insert("RedriveCount".into(), Value::from(self.redrives as i64));
        }
        if self.redrives > 0 {
            let time = Value::string(moment::format(self.redriven_ms));
            execution.insert("RedriveTime".into(), time);
        }
        let mut context = Members::new();
        context.insert("Execution".into(), Value::Object(Arc::new(execution)));
        let machine =
            [("Id", text(&self.identity.machine_arn)), ("Name", text(&self.identity.machine_name))];
        context.insert("StateMachine".into(), Value::object(machine));
        if let Some(branch) = self.branches.get(branch) {
            let spec = program.state(branch.state);
            let mut state = Members::new();
            state.insert("Name".into(), text(&spec.name));
            let entered = moment::format(branch.entered_ms);
            state.insert("EnteredTime".into(), Value::string(entered));
            // Only states that can be tried again have a count.
            if matches!(spec.kind, Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_)) {
                let count = Value::from(i64::from(branch.retry_count));
                state.insert("RetryCount".into(), count);
            }
            context.insert("State".into(), Value::Object(Arc::new(state)));
        }
        if let Some(token) = token {
            let task = Value::object([("Token", Value::string(token))]);
            context.insert("Task".into(), task);
        }
        if let Some(map) = self.map_item(branch) {
            context.insert("Map".into(), map);
        }
        Value::Object(Arc::new(context))
    }

    /// The item of the innermost Map state around a branch.
    fn map_item(&self, branch: BranchId) -> Option<Value> {
        let mut branch = self.branches.get(branch)?;
        loop {
            let parent = self.branches.get(branch.parent?)?;
            if let Phase::Children(children) = &parent.phase
                && let Some(items) = children.items.as_array()
            {
                let index = branch.index;
                let value = items.get(index as usize)?.clone();
                let item = [("Index", Value::from(index as i64)), ("Value", value)];
                return Some(Value::object([("Item", Value::object(item))]));
            }
            branch = parent;
        }
    }

    /// The value of a variable, from the scope of a branch outwards.
    pub(super) fn variable(&self, branch: BranchId, name: &str) -> Option<Value> {
        let mut at = Some(branch);
        while let Some(id) = at {
            let branch = self.branches.get(id)?;
            if let Some((_, value)) = branch.variables.iter().find(|(known, _)| &**known == name) {
                return Some(value.clone());
            }
            at = branch.parent;
        }
        None
    }

    /// The variables that a branch sees, as an object.
    pub(super) fn visible(&self, branch: BranchId) -> Value {
        let mut seen = Members::new();
        let mut at = Some(branch);
        while let Some(branch) = at.and_then(|id| self.branches.get(id)) {
            for (name, value) in &branch.variables {
                seen.entry(Arc::clone(name)).or_insert_with(|| value.clone());
            }
            at = branch.parent;
        }
        Value::Object(Arc::new(seen))
    }
}
