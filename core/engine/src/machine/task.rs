//! The bodies of the deliveries of tasks: JSON objects for the handlers outside the engine.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trunkline_states::{
    Event, ItemBatch, ItemSelection, MapItems, MapRunRequest, TaskId, TaskRequest, Value,
};
use trunkline_types::{Code, Error, ResourceName, Result};

use super::chance::Chance;
use super::execution::Row;

/// Which execution a task is of.
pub(super) struct Context<'a> {
    pub machine: &'a ResourceName,
    pub row: &'a Row,
    pub chance: &'a Chance,
}

/// What every body begins with.
#[derive(Serialize)]
struct Head<'a> {
    kind: &'static str,
    account: &'a str,
    region: &'a str,
    machine: &'a str,
    execution: &'a str,
    program: u32,
}

impl<'a> Head<'a> {
    fn new(kind: &'static str, context: &Context<'a>) -> Self {
        let ResourceName { account, region, name, .. } = context.machine;
        let (execution, program) = (&*context.row.name, context.row.program);
        Self { kind, account, region, machine: name, execution, program }
    }
}

#[derive(Serialize)]
struct Scheduled<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    token: String,
    /// The token that the parameters name, for tasks that wait for one.
    waits: bool,
    state: &'a str,
    resource: &'a str,
    attempt: u32,
    credentials: Option<Box<RawValue>>,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
}

/// A task that is scheduled.
pub(super) fn scheduled(context: &Context<'_>, request: &TaskRequest) -> Result<Vec<u8>> {
    let mut body = write(&Scheduled {
        head: Head::new("task", context),
        token: context.chance.token(request.task),
        waits: request.token.is_some(),
        state: &request.state,
        resource: request.resource.arn(),
        attempt: request.attempt,
        credentials: request.credentials.as_ref().map(json).transpose()?,
        timeout_seconds: request.timeout_seconds,
        heartbeat_seconds: request.heartbeat_seconds,
    })?;
    // The parameters are a JSON text already, which may be long.
    body.pop();
    body.extend_from_slice(b",\"input\":");
    body.extend_from_slice(request.input.text().as_bytes());
    body.push(b'}');
    Ok(body)
}

/// What the body of a delivery says of a task that calls something.
#[derive(Debug, Deserialize)]
pub struct AskedTask<'a> {
    kind: &'a str,
    /// Account, region and name of the state machine.
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    /// The same.
    #[serde(borrow)]
    pub region: Cow<'a, str>,
    /// The same.
    #[serde(borrow)]
    pub machine: Cow<'a, str>,
    /// By it the end is reported.
    pub token: &'a str,
    /// The ARN of what is called.
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
    #[serde(borrow)]
    input: &'a RawValue,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
}

impl<'a> AskedTask<'a> {
    /// Reads a body. `None`: it is of a delivery of another kind.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|task: &Self| task.kind == "task")
    }

    /// The parameters.
    pub fn input(&self) -> Result<Value> {
        trunkline_states::parse(self.input.get())
            .map_err(|problem| Error::new(Code::InternalError, problem.to_string()))
    }

    /// Whether the task times out.
    pub fn is_timed(&self) -> bool {
        self.timeout_seconds.is_some() || self.heartbeat_seconds.is_some()
    }
}

#[derive(Serialize)]
struct MapRun<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    token: String,
    state: &'a str,
    label: &'a str,
    arn: &'a str,
    redrives: u64,
    processor: u32,
    express: bool,
    items: Option<Box<RawValue>>,
    reader: Option<Box<RawValue>>,
    selection: Option<Selection>,
    input: Box<RawValue>,
    max_concurrency: u64,
    tolerated_failure_count: u64,
    tolerated_failure_percentage: f64,
    batch: Option<Batch>,
    writer: Option<Box<RawValue>>,
}

/// What `ItemSelector` sees beside the item; its input is that of the map run.
#[derive(Serialize)]
struct Selection {
    state: u32,
    input: Box<RawValue>,
    context: Box<RawValue>,
    variables: Box<RawValue>,
}

impl Selection {
    fn new(seen: &ItemSelection) -> Result<Self> {
        let (context, variables) = (json(&seen.context)?, json(&seen.variables)?);
        Ok(Self { state: seen.state.0, input: json(&seen.input)?, context, variables })
    }
}

#[derive(Serialize)]
struct Batch {
    max_items: u64,
    max_bytes: u64,
    input: Option<Box<RawValue>>,
}

impl Batch {
    fn new(batch: &ItemBatch) -> Result<Self> {
        let input = batch.input.as_ref().map(json).transpose()?;
        Ok(Self { max_items: batch.max_items, max_bytes: batch.max_bytes, input })
    }
}

/// A distributed map that is to run.
pub(super) fn map_run(context: &Context<'_>, request: &MapRunRequest) -> Result<Vec<u8>> {
    let (items, reader) = match &request.items {
        MapItems::Given(items) => (Some(json(items)?), None),
        MapItems::Reader(reader) => (None, Some(json(reader)?)),
    };
    write(&MapRun {
        head: Head::new("map_run", context),
        token: context.chance.token(request.task),
        state: &request.state,
        label: &request.label,
        arn: &request.map_run_arn,
        redrives: request.redrives,
        processor: request.processor.0,
        express: request.express,
        items,
        reader,
        selection: request.selection.as_ref().map(Selection::new).transpose()?,
        input: raw(request.input.text().to_string())?,
        max_concurrency: request.max_concurrency,
        tolerated_failure_count: request.tolerated_failure_count,
        tolerated_failure_percentage: request.tolerated_failure_percentage,
        batch: request.batch.as_ref().map(Batch::new).transpose()?,
        writer: request.writer.as_ref().map(json).transpose()?,
    })
}

#[derive(Serialize)]
struct Stopped<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    token: String,
}

/// Tells that a map run is not needed any more.
pub(super) fn map_run_stopped(context: &Context<'_>, task: TaskId) -> Result<Vec<u8>> {
    let head = Head::new("map_run_stopped", context);
    write(&Stopped { head, token: context.chance.token(task) })
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    parent: Option<&'a str>,
    first_event: u64,
    events: usize,
}

/// Tells that the execution has ended.
pub(super) fn told_end(context: &Context<'_>) -> Result<Vec<u8>> {
    told("ended", context, &[])
}

/// Tells of the new events of a step.
pub(super) fn told_events(context: &Context<'_>, events: &[Event]) -> Result<Vec<u8>> {
    told("events", context, events)
}

fn told(kind: &'static str, context: &Context<'_>, new: &[Event]) -> Result<Vec<u8>> {
    let parent = context.row.options.parent.as_deref();
    let (first_event, events) = (new.first().map_or(0, |event| event.id), new.len());
    write(&Told { head: Head::new(kind, context), parent, first_event, events })
}

fn json(value: &Value) -> Result<Box<RawValue>> {
    let mut text = String::new();
    value.write(&mut text);
    raw(text)
}

fn raw(text: String) -> Result<Box<RawValue>> {
    RawValue::from_string(text).map_err(|problem| failed(&problem))
}

fn write(body: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|problem| failed(&problem))
}

#[cold]
fn failed(problem: &serde_json::Error) -> Error {
    Error::new(Code::InternalError, format!("A task cannot be written as JSON: {problem}."))
}
