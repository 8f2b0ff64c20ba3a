//! `GetWorkflowExecutionHistory`: pages of histories.

use std::borrow::Cow;

use serde::Deserialize;
use trunkline_engine::HistoryPage;

use super::check::Violations;
use super::errors::from_failure;
use super::lookup::domain;
use crate::codec::object::Object;
use crate::error::Result;
use crate::limits::{SWF_NAME_CHARS_MAX, SWF_PAGE_TOKEN_CHARS_MAX, SWF_RUN_ID_CHARS_MAX};
use crate::service::{Call, Finished, Input, Outcome};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryInput<'a> {
    #[serde(borrow)]
    domain: Option<Cow<'a, str>>,
    #[serde(borrow)]
    execution: Option<ExecutionInput<'a>>,
    #[serde(borrow)]
    next_page_token: Option<Cow<'a, str>>,
    maximum_page_size: Option<i64>,
    reverse_order: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionInput<'a> {
    #[serde(borrow)]
    workflow_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    run_id: Option<Cow<'a, str>>,
}

pub(super) fn start(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: HistoryInput<'_> = input.read()?;
    let mut violations = Violations::default();
    violations.name(input.domain.as_deref(), "domain");
    let execution = input.execution.as_ref();
    let workflow_id = execution.and_then(|one| one.workflow_id.as_deref());
    let run_id = execution.and_then(|one| one.run_id.as_deref());
    if execution.is_none() {
        violations.required(None, "execution", 0);
    } else {
        violations.required(workflow_id, "execution.workflowId", SWF_NAME_CHARS_MAX);
        violations.required(run_id, "execution.runId", SWF_RUN_ID_CHARS_MAX);
    }
    let token = input.next_page_token.as_deref();
    violations.length(token, "nextPageToken", SWF_PAGE_TOKEN_CHARS_MAX);
    let size = violations.page_size(input.maximum_page_size);
    violations.finish()?;
    let domain = domain(call, input.domain.as_deref().unwrap_or_default())?;
    let (workflow_id, run_id) = (workflow_id.unwrap_or_default(), run_id.unwrap_or_default());
    let range = domain.history_of(workflow_id, run_id).map_err(from_failure)?;
    let page = match token {
        Some(token) => domain.history_page(token).map_err(from_failure)?,
        None => HistoryPage::first(range, 1, input.reverse_order.unwrap_or_default()),
    };
    let (events, next) = domain.read_page(&page, size).map_err(from_failure)?;
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    write_events(&mut answer, &events);
    if let Some(next) = next {
        answer.plain("nextPageToken", next.as_bytes());
    }
    answer.close();
    Ok(Outcome::Done(Finished::from(out)))
}

/// Writes events, each a JSON text.
pub(super) fn write_events(answer: &mut Object<'_>, events: &[String]) {
    let out = answer.key("events");
    out.push(b'[');
    out.extend_from_slice(events.join(",").as_bytes());
    out.push(b']');
}
