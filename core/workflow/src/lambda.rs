//! What becomes of Lambda functions that a decider asked for.

use serde_json::json;

use crate::execution::Lambda;
use crate::fault::Fault;
use crate::step::Step;

impl Step<'_> {
    pub fn start_lambda(&mut self, task: u64) -> Result<(), Fault> {
        let waits = |one: &&Lambda| one.started == 0;
        if self.execution.lambdas.get(&task).filter(waits).is_none() {
            return Err(unknown(task));
        }
        let event = self.record("LambdaFunctionStarted", json!({"scheduledEventId": task}));
        let now = self.now;
        if let Some(one) = self.execution.lambdas.get_mut(&task) {
            one.started = event;
            one.start_to_close = one.start_to_close.map(|span| now.saturating_add(span));
        }
        Ok(())
    }

    fn end_lambda(&mut self, task: u64) -> Result<Lambda, Fault> {
        match self.execution.lambdas.get(&task) {
            Some(one) if one.started != 0 => {}
            _ => return Err(unknown(task)),
        }
        self.execution.lambdas.remove(&task).ok_or_else(|| unknown(task))
    }

    pub fn complete_lambda(&mut self, task: u64, result: Option<String>) -> Result<(), Fault> {
        let one = self.end_lambda(task)?;
        let attributes = json!({
            "scheduledEventId": task, "startedEventId": one.started, "result": result,
        });
        self.record("LambdaFunctionCompleted", attributes);
        self.schedule_decision();
        Ok(())
    }

    pub fn fail_lambda(
        &mut self,
        task: u64,
        reason: Option<String>,
        details: Option<String>,
    ) -> Result<(), Fault> {
        let one = self.end_lambda(task)?;
        let attributes = json!({
            "scheduledEventId": task,
            "startedEventId": one.started,
            "reason": reason,
            "details": details,
        });
        self.record("LambdaFunctionFailed", attributes);
        self.schedule_decision();
        Ok(())
    }
}

#[cold]
fn unknown(task: u64) -> Fault {
    Fault::unknown(format!("Lambda function, scheduledEventId = {task}"))
}
