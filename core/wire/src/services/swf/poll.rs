//! The long polls of deciders and workers: one try, and what has to be known to try again.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::workflows::TaskKind;
use trunkline_engine::{Awaited, DecisionTask, Domain, Engine, HistoryPage, TaskList, Ticket};
use trunkline_types::Millis;

use super::check::Violations;
use super::errors::from_failure;
use super::history::write_events;
use super::lookup::{domain, finish};
use crate::codec::object::Object;
use crate::error::{Result, WireError};
use crate::limits::{SWF_NAME_CHARS_MAX, SWF_PAGE_TOKEN_CHARS_MAX, SWF_POLL_WAIT_MAX};
use crate::service::{Call, Finished, Input, Outcome, Output, Wait};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PollInput<'a> {
    #[serde(borrow)]
    domain: Option<Cow<'a, str>>,
    #[serde(borrow)]
    task_list: Option<ListInput<'a>>,
    #[serde(borrow)]
    identity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    next_page_token: Option<Cow<'a, str>>,
    maximum_page_size: Option<i64>,
    reverse_order: Option<bool>,
    start_at_previous_started_event: Option<bool>,
}

#[derive(Deserialize)]
struct ListInput<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

/// A poll that may wait.
struct Poll {
    engine: Arc<Engine>,
    domain: Arc<Domain>,
    kind: TaskKind,
    waits_for: Arc<TaskList>,
    list: String,
    identity: Option<String>,
    size: u64,
    reverse: bool,
    from_previous: bool,
}

pub(super) fn decision(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: PollInput<'_> = input.read()?;
    let poll = read(call, &input, TaskKind::Decision)?;
    match input.next_page_token.as_deref() {
        Some(token) => poll.next_page(token).map(Outcome::Done),
        None => Ok(Outcome::Wait(Box::new(poll))),
    }
}

pub(super) fn activity(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: PollInput<'_> = input.read()?;
    Ok(Outcome::Wait(Box::new(read(call, &input, TaskKind::Activity)?)))
}

fn read(call: &Call<'_>, input: &PollInput<'_>, kind: TaskKind) -> Result<Poll> {
    let mut violations = Violations::default();
    violations.name(input.domain.as_deref(), "domain");
    let list = input.task_list.as_ref().and_then(|list| list.name.as_deref());
    match input.task_list {
        None => violations.required(None, "taskList", 0),
        Some(_) => violations.name(list, "taskList.name"),
    }
    violations.length(input.identity.as_deref(), "identity", SWF_NAME_CHARS_MAX);
    let token = input.next_page_token.as_deref();
    violations.length(token, "nextPageToken", SWF_PAGE_TOKEN_CHARS_MAX);
    let size = violations.page_size(input.maximum_page_size);
    violations.finish()?;
    let domain = domain(call, input.domain.as_deref().unwrap_or_default())?;
    let list = list.unwrap_or_default();
    Ok(Poll {
        engine: call.engine.clone(),
        waits_for: domain.task_list(kind, list),
        domain,
        kind,
        list: list.to_owned(),
        identity: input.identity.as_deref().map(str::to_owned),
        size,
        reverse: input.reverse_order.unwrap_or_default(),
        from_previous: input.start_at_previous_started_event.unwrap_or_default(),
    })
}

impl Wait for Poll {
    fn attempt(&mut self) -> Result<Option<Finished>> {
        match self.kind {
            TaskKind::Decision => self.try_decision(),
            _ => self.try_activity(),
        }
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.waits_for.clone()
    }

    fn patience(&self) -> Millis {
        SWF_POLL_WAIT_MAX
    }

    fn empty(&self) -> Output {
        let text: &[u8] = match self.kind {
            TaskKind::Decision => {
                br#"{"taskToken":"","startedEventId":0,"previousStartedEventId":0}"#
            }
            _ => br#"{"taskToken":"","startedEventId":0}"#,
        };
        Output(text.to_vec())
    }
}

impl Poll {
    fn try_decision(&self) -> Result<Option<Finished>> {
        let polled = self.domain.poll_decision(&self.list, self.identity.as_deref());
        let Some((task, ticket)) = polled.map_err(from_failure)? else { return Ok(None) };
        let first = if self.from_previous { task.previous_started.max(1) } else { 1 };
        let mut page = HistoryPage::first(task.history, first, self.reverse);
        page.task = Some((task.scheduled, task.previous_started));
        self.write_decision(&task, &page, ticket).map(Some)
    }

    /// The next page of the history of a task that was handed out.
    fn next_page(&self, token: &str) -> Result<Finished> {
        let page = self.domain.history_page(token).map_err(from_failure)?;
        let task = self.domain.task_of_page(&page).map_err(from_failure)?;
        self.write_decision(&task, &page, None)
    }

    fn write_decision(
        &self,
        task: &DecisionTask,
        page: &HistoryPage,
        ticket: Option<Ticket>,
    ) -> Result<Finished> {
        let (events, next) = self.domain.read_page(page, self.size).map_err(from_failure)?;
        let mut out = Vec::new();
        let mut answer = Object::open(&mut out);
        answer.plain("taskToken", task.token.as_bytes());
        write_number(&mut answer, "startedEventId", task.started);
        write_json(&mut answer, "workflowExecution", &task.execution)?;
        write_json(&mut answer, "workflowType", &task.workflow_type)?;
        write_events(&mut answer, &events);
        if let Some(next) = next {
            answer.plain("nextPageToken", next.as_bytes());
        }
        write_number(&mut answer, "previousStartedEventId", task.previous_started);
        answer.close();
        finish(&self.engine, &self.domain, ticket, out)
    }

    fn try_activity(&self) -> Result<Option<Finished>> {
        let polled = self.domain.poll_activity(&self.list, self.identity.as_deref());
        let Some((task, ticket)) = polled.map_err(from_failure)? else { return Ok(None) };
        let mut out = Vec::new();
        let mut answer = Object::open(&mut out);
        answer.plain("taskToken", task.token.as_bytes());
        answer.text("activityId", &task.id);
        write_number(&mut answer, "startedEventId", task.started);
        write_json(&mut answer, "workflowExecution", &task.execution)?;
        write_json(&mut answer, "activityType", &task.activity_type)?;
        if let Some(input) = &task.input {
            answer.text("input", input);
        }
        answer.close();
        finish(&self.engine, &self.domain, ticket, out).map(Some)
    }
}

fn write_number(answer: &mut Object<'_>, name: &str, number: u64) {
    answer.key(name).extend_from_slice(number.to_string().as_bytes());
}

fn write_json(answer: &mut Object<'_>, name: &str, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|error| WireError::internal(error.to_string()))?;
    answer.key(name).extend_from_slice(&text);
    Ok(())
}
