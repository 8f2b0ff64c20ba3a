//! What makes an answer of what the data plane gives: JSON as it is, or recoded.

use std::borrow::Cow;
use std::sync::Arc;

use crate::codec::json;
use crate::error::WireError;
use crate::message::Response;
use crate::model::{Model, Protocol};
use crate::protocol::{self, Dialect};
use crate::value::Value;

/// How the answer of a data-plane call is written.
pub struct ResponseEncoder {
    form: Form,
    request_id: String,
}

enum Form {
    /// JSON, in the content type of the request.
    Direct(Cow<'static, str>),
    /// Another protocol: the JSON is read by the model and written again.
    Recoded { model: Arc<Model>, operation: String, dialect: Dialect },
}

impl ResponseEncoder {
    pub(super) fn direct(content_type: Cow<'static, str>, request_id: &str) -> Self {
        Self { form: Form::Direct(content_type), request_id: request_id.to_owned() }
    }

    pub(super) fn recoded(
        model: Arc<Model>,
        operation: &str,
        dialect: Dialect,
        request_id: &str,
    ) -> Self {
        let form = Form::Recoded { model, operation: operation.to_owned(), dialect };
        Self { form, request_id: request_id.to_owned() }
    }

    /// The answer for what the data plane gave.
    pub fn encode(self, result: Result<Vec<u8>, WireError>) -> Response {
        let request_id = self.request_id;
        match (self.form, result) {
            (Form::Direct(content_type), Ok(body)) => {
                Response::new(200, content_type, body).with("x-amzn-requestid", request_id)
            }
            (Form::Direct(content_type), Err(error)) => {
                let mut dialect = Dialect::new(Protocol::Json);
                dialect.content_type = content_type;
                let kind = if error.is_sender() { "Sender" } else { "Receiver" };
                let header = format!("{};{kind}", error.query_code());
                protocol::write_error(None, &dialect, &error, &request_id)
                    .with("x-amzn-query-error", header)
            }
            (Form::Recoded { model, operation, dialect }, Ok(body)) => {
                match recode(&model, &operation, &dialect, &body, &request_id) {
                    Ok(answer) => answer,
                    Err(error) => super::error_answer(Some(&model), &dialect, &error, &request_id),
                }
            }
            (Form::Recoded { model, dialect, .. }, Err(error)) => {
                super::error_answer(Some(&model), &dialect, &error, &request_id)
            }
        }
    }
}

fn recode(
    model: &Model,
    operation: &str,
    dialect: &Dialect,
    body: &[u8],
    request_id: &str,
) -> Result<Response, WireError> {
    let operation = model.operation(operation).ok_or_else(protocol::unknown_operation)?;
    let output = match operation.output {
        Some(id) => json::read(model, model.shape(id), body)?,
        None => Value::Map(Vec::new()),
    };
    Ok(protocol::write(model, dialect, operation, &output, request_id))
}
