//! Encodes outputs, errors and events: JSON as it is, or written again in the caller's protocol.

use std::borrow::Cow;
use std::sync::Arc;

use crate::codec::event::Message;
use crate::codec::{cbor, json};
use crate::error::{Result, WireError};
use crate::gateway::PendingAnswer;
use crate::message::Response;
use crate::model::{Kind, Model, Protocol, Shape};
use crate::protocol::{self, Dialect};
use crate::service::{Event, Output, Service};
use crate::value::Value;

const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// How the response to a call of a data plane is written.
pub struct ResponseEncoder {
    form: Form,
    service: Arc<dyn Service>,
    request_id: String,
}

enum Form {
    /// JSON, in the content type of the request.
    Direct(Cow<'static, str>),
    /// Another protocol: the JSON is read by the model and written again.
    Recoded { model: Arc<Model>, operation: String, dialect: Dialect },
    /// The answer of an API that called the operation.
    Api(Box<PendingAnswer>),
}

impl ResponseEncoder {
    pub(super) fn direct(
        content_type: Cow<'static, str>,
        service: &Arc<dyn Service>,
        request_id: &str,
    ) -> Self {
        let form = Form::Direct(content_type);
        Self { form, service: service.clone(), request_id: request_id.to_owned() }
    }

    pub(super) fn recoded(
        model: Arc<Model>,
        operation: &str,
        dialect: Dialect,
        service: &Arc<dyn Service>,
        request_id: &str,
    ) -> Self {
        let form = Form::Recoded { model, operation: operation.to_owned(), dialect };
        Self { form, service: service.clone(), request_id: request_id.to_owned() }
    }

    pub(super) fn of_api(answer: PendingAnswer, service: &Arc<dyn Service>) -> Self {
        let form = Form::Api(Box::new(answer));
        Self { form, service: service.clone(), request_id: String::new() }
    }

    /// The response that carries an output or an error.
    pub fn encode(self, result: Result<Output>) -> Response {
        let Self { form, service, request_id } = self;
        match (form, result) {
            (Form::Api(answer), result) => answer.write(result),
            (Form::Direct(content_type), Ok(Output(body))) => {
                Response::new(200, content_type, body).with("x-amzn-requestid", request_id)
            }
            (Form::Direct(content_type), Err(error)) => {
                let error = service.word(error, Protocol::Json);
                let mut dialect = Dialect::new(Protocol::Json);
                dialect.content_type = content_type;
                let response = protocol::write_error(None, &dialect, &error, &request_id);
                if !service.is_query_compatible() {
                    return response;
                }
                let kind = if error.is_sender() { "Sender" } else { "Receiver" };
                response.with("x-amzn-query-error", format!("{};{kind}", error.query_code()))
            }
            (Form::Recoded { model, operation, dialect }, result) => {
                let encoded = result
                    .and_then(|output| recode(&model, &operation, &dialect, &output, &request_id));
                encoded.unwrap_or_else(|error| {
                    let error = service.word(error, dialect.protocol);
                    protocol::write_error(Some(&model), &dialect, &error, &request_id)
                })
            }
        }
    }

    fn error(&self, model: &Model, dialect: &Dialect, error: WireError) -> Response {
        let error = self.service.word(error, dialect.protocol);
        protocol::write_error(Some(model), dialect, &error, &self.request_id)
    }

    /// The start of a response that is a stream of events, with the first message of the stream.
    /// Protocols that cannot carry a stream have an error instead.
    pub fn start_stream(&self) -> Result<Response, Response> {
        if let Form::Recoded { model, dialect, .. } = &self.form
            && dialect.protocol != Protocol::Cbor
        {
            let message = "This operation answers with a stream of events, which this protocol \
                           cannot carry. Use the JSON or the CBOR protocol.";
            let error = WireError::new("UnsupportedOperation", 400, message);
            return Err(self.error(model, dialect, error));
        }
        let empty: &[u8] = if self.is_json() { b"{}" } else { b"\xa0" };
        let message = Message::event("initial-response", self.payload_type(), empty.to_vec());
        let mut body = Vec::new();
        message.write(&mut body).map_err(|error| self.stream_failure(error))?;
        let request_id = self.request_id.clone();
        Ok(Response::new(200, EVENT_STREAM, body).with("x-amzn-requestid", request_id))
    }

    fn stream_failure(&self, error: WireError) -> Response {
        protocol::write_error(None, &Dialect::new(Protocol::Json), &error, &self.request_id)
    }

    fn is_json(&self) -> bool {
        matches!(self.form, Form::Direct(_))
    }

    fn payload_type(&self) -> &'static str {
        if self.is_json() { "application/json" } else { "application/cbor" }
    }

    /// One event as bytes of the stream.
    pub fn event(&self, event: Event) -> Result<Vec<u8>> {
        let payload = match &self.form {
            Form::Direct(_) | Form::Api(_) => event.output.0,
            Form::Recoded { model, operation, dialect } => {
                let shape = event_shape(model, operation, event.name)?;
                let value = json::read(model, shape, &event.output.0)?;
                let mut payload = Vec::new();
                cbor::write(model, shape, dialect.unit, &value, &mut payload);
                payload
            }
        };
        let mut out = Vec::new();
        Message::event(event.name, self.payload_type(), payload).write(&mut out)?;
        Ok(out)
    }

    /// The exception that ends a stream, as bytes of the stream.
    pub fn exception(&self, error: WireError) -> Vec<u8> {
        let error = self.service.word(error, Protocol::Json);
        let members = Value::structure([("message", error.message().into())]);
        let mut payload = Vec::new();
        if self.is_json() {
            payload.extend_from_slice(b"{\"message\":");
            json::write_text(error.message(), &mut payload);
            payload.push(b'}');
        } else {
            cbor::write_any(&members, &mut payload);
        }
        let mut out = Vec::new();
        let message = Message::exception(error.name(), self.payload_type(), payload);
        // An error's sentence is far below the bound of a message.
        if message.write(&mut out).is_err() {
            out.clear();
        }
        out
    }
}

// The structure of the event `name` in the stream that `operation` gives.
fn event_shape<'m>(model: &'m Model, operation: &str, name: &str) -> Result<&'m Shape> {
    let output = model.operation(operation).and_then(|operation| operation.output);
    let members = |shape: &'m Shape| match &shape.kind {
        Kind::Structure(members) => members.as_slice(),
        _ => &[],
    };
    let streams = output.into_iter().flat_map(|id| members(model.shape(id)));
    let streams = streams.map(|member| model.shape(member.shape));
    let mut events = streams.filter(|shape| shape.event_stream).flat_map(members);
    let event = events.find(|member| &*member.name == name);
    event.map(|member| model.shape(member.shape)).ok_or_else(|| {
        WireError::internal(format!("The model of {operation} has no event {name}."))
    })
}

fn recode(
    model: &Model,
    operation: &str,
    dialect: &Dialect,
    output: &Output,
    request_id: &str,
) -> Result<Response> {
    let operation = model.operation(operation).ok_or_else(protocol::unknown_operation)?;
    if let Some(answer) = protocol::rewrite(model, dialect, operation, &output.0, request_id) {
        return Ok(answer);
    }
    let output = match operation.output {
        Some(id) => json::read(model, model.shape(id), &output.0)?,
        None => Value::Map(Vec::new()),
    };
    Ok(protocol::write(model, dialect, operation, &output, request_id))
}
