//! Answers of APIs: what is made of an operation's output, and what the gateway adds.

use std::sync::Arc;

use super::cors;
use super::incoming::{Body, transformed};
use super::spaced_json;
use super::table::{Answer, Cors, Fixed, OutputForm, Piece, Style};
use crate::codec::json;
use crate::error::Result;
use crate::message::Response;
use crate::model::Model;
use crate::request_id;
use crate::service::Output;
use crate::value::Value;

const JSON: &str = "application/json";
/// How much of a request's id makes the id that the gateway tells beside it.
const SHORT_ID_BYTES: usize = 11;

/// What the gateway adds to every answer.
#[derive(Debug)]
pub(crate) struct Frame {
    style: Style,
    request_id: String,
    /// The headers for pages of other origins.
    pages: Vec<(&'static str, String)>,
}

/// The answer to a request whose operation has begun.
pub(crate) struct PendingAnswer {
    pub frame: Frame,
    pub trace: Option<String>,
    pub answer: Answer,
    pub form: OutputForm,
    pub operation: Arc<str>,
    pub model: Arc<Model>,
}

impl Frame {
    /// What an API of this kind adds, for a request from a page of this origin.
    pub fn new(
        style: Style,
        request_id: String,
        cors: Option<&Cors>,
        origin: Option<&str>,
    ) -> Self {
        let pages = match (cors, origin) {
            (Some(cors), Some(origin)) => cors::exposing(cors, origin),
            _ => Vec::new(),
        };
        Self { style, request_id, pages }
    }

    fn finish(self, response: Response, trace: Option<String>) -> Response {
        let Self { style, request_id, pages } = self;
        if style == Style::Http {
            let response = pages
                .into_iter()
                .fold(response, |response, (name, value)| response.with(name, value));
            return response.with("apigw-requestid", request_id);
        }
        let short = request_id.as_bytes().get(..SHORT_ID_BYTES).unwrap_or_default();
        let short = base64_simd::STANDARD.encode_to_string(short);
        let response = match trace {
            Some(trace) => response.with("x-amzn-trace-id", trace),
            None => response,
        };
        response.with("x-amzn-requestid", request_id).with("x-amz-apigw-id", short)
    }

    /// An answer of the gateway itself.
    pub fn fixed(self, fixed: &Fixed) -> Response {
        let headers = headers_of(&fixed.headers);
        let body = fixed.body.clone().into_bytes();
        self.finish(Response { status: fixed.status, headers, body }, None)
    }

    /// The answer to a page that asks what it may do.
    pub fn preflight(self, cors: &Cors, origin: &str) -> Response {
        let told = Self { pages: cors::preflight(cors, origin), ..self };
        told.finish(Response { status: 204, ..Response::default() }, None)
    }

    /// An answer that needs no integration.
    pub fn mocked(self, answer: &Answer) -> Option<Response> {
        let response = made(answer, Vec::new())?;
        Some(self.finish(response, None))
    }
}

impl PendingAnswer {
    /// The answer to a request whose operation has ended; `result` is an error where the output is
    /// not durable.
    pub fn write(self, result: Result<Output>) -> Response {
        let Self { frame, trace, answer, form, operation, model } = self;
        let body = result.and_then(|output| body_of(form, &operation, &model, output));
        match body.ok().and_then(|body| made(&answer, body)) {
            Some(response) => frame.finish(response, trace),
            None => {
                let text = match frame.style {
                    Style::Rest => r#"{"message":"Internal server error"}"#,
                    Style::Http => r#"{"message":"Internal Server Error"}"#,
                };
                frame.finish(Response::new(500, JSON, text), trace)
            }
        }
    }
}

/// An answer with this output. `None` for a template that cannot be rendered.
fn made(answer: &Answer, output: Vec<u8>) -> Option<Response> {
    let body = match &answer.body {
        None => output,
        Some(pieces) => rendered(pieces, &output)?.into_bytes(),
    };
    Some(Response { status: answer.status, headers: headers_of(&answer.headers), body })
}

fn rendered(pieces: &[Piece], output: &[u8]) -> Option<String> {
    let body = Body::new(output);
    let mut out = String::new();
    for piece in pieces {
        let text = match &piece.source {
            super::table::Source::Text(text) => Some(text.as_str().into()),
            source => body.read(source)?,
        };
        if let Some(text) = text {
            out.push_str(&transformed(text, &piece.apply)?);
        }
    }
    Some(out)
}

fn headers_of(
    headers: &[(String, String)],
) -> Vec<(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)> {
    headers.iter().map(|(name, value)| (name.clone().into(), value.clone().into())).collect()
}

fn body_of(form: OutputForm, operation: &str, model: &Model, output: Output) -> Result<Vec<u8>> {
    if form == OutputForm::Plain {
        return Ok(output.0);
    }
    let shape = model.operation(operation).and_then(|operation| operation.output);
    let value = match shape {
        Some(shape) => json::read(model, model.shape(shape), &output.0)?,
        None => Value::Map(Vec::new()),
    };
    let value = match form {
        OutputForm::Query => in_query_form(operation, value),
        OutputForm::Plain | OutputForm::Modelled => value,
    };
    let mut out = String::with_capacity(output.0.len() * 2);
    spaced_json::write(&value, &mut out);
    Ok(out.into_bytes())
}

/// What the XML of the query protocol says.
fn in_query_form(operation: &str, value: Value) -> Value {
    let about = Value::structure([("RequestId", request_id::next().as_str().into())]);
    let members =
        vec![(format!("{operation}Result"), value), ("ResponseMetadata".to_owned(), about)];
    Value::Map(vec![(format!("{operation}Response"), Value::Map(members))])
}
