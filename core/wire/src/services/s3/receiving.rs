//! An exchange of S3: the operation is found by the head of the request, and carried out when the
//! body is there.

use std::sync::Arc;

use trunkline_engine::bucket_operation;
use trunkline_types::Clock;

use super::answer::{Answer, ContentSource};
use super::content::Content;
use super::context::Context;
use super::operations::{self, Body};
use super::{access, address, errors, headers};
use crate::auth::ChunkSigner;
use crate::error::{Result, WireError};
use crate::limits::S3_DOCUMENT_BYTES_MAX;
use crate::message::{Request, Response};
use crate::model::{Model, Protocol};
use crate::protocol::{self, Dialect};
use crate::service::{Call, Exchange, Exchanged, Refused};

/// A request that is being received.
struct Receiving {
    context: Context,
    body: Incoming,
}

enum Incoming {
    /// A document, or nothing.
    Document(Vec<u8>),
    /// The content of an object or a part.
    Content(Box<Content>),
    /// It was refused, and the rest does not matter.
    Refused,
}

/// Begins the exchange that a request asks for.
pub(super) fn begin(
    call: &Call<'_>,
    model: &Arc<Model>,
    signer: Option<ChunkSigner>,
    request_id: &str,
    counts: &dyn Fn(&str),
) -> Result<Box<dyn Exchange>> {
    refuse_old_signature(call)?;
    refuse_form(call)?;
    check_payload_header(call)?;
    let path = address::path_of(call.request);
    let request = Request { path: &path, body: &[], ..*call.request };
    let dialect = Dialect::new(Protocol::RestXml);
    let named = protocol::identify(model, &dialect, &request)?;
    let operation = named.operation.name.to_string();
    counts(&operation);
    let input = named.value(model, &dialect, &request)?;
    let context = Context {
        engine: call.engine.clone(),
        account: call.account.to_owned(),
        region: call.region.to_owned(),
        model: model.clone(),
        operation,
        query: request.query.to_owned(),
        method: request.method.to_owned(),
        headers: request.headers.clone(),
        request_id: request_id.to_owned(),
        source_ip: request.peer.map_or(String::new(), |peer| peer.address.to_string()),
        access: call.access.cloned(),
        input,
        path: path.clone(),
    };
    access::check(&context)?;
    let body = match operations::body_of(&context)? {
        Body::Document => {
            // Chunks are read of contents alone: a signature of chunks would prove nothing here.
            let stated = context.header("x-amz-content-sha256");
            if let Some(stated) = stated.filter(|stated| stated.starts_with("STREAMING-")) {
                return Err(errors::not_implemented(stated));
            }
            Incoming::Document(Vec::new())
        }
        Body::Content => Incoming::Content(Box::new(content(&context, signer)?)),
    };
    Ok(Box::new(Receiving { context, body }))
}

/// Says what is wrong with a signature of version 2, which proves nothing here: boto3 presigns so
/// unless its client has `signature_version="s3v4"`. Where nothing is proved, its time counts.
fn refuse_old_signature(call: &Call<'_>) -> Result<()> {
    let request = call.request;
    let parameter = |name: &str| request.query.split('&').find_map(|pair| pair.strip_prefix(name));
    let is_presigned = parameter("AWSAccessKeyId=").is_some();
    let is_old = request.header("authorization").is_some_and(|text| text.starts_with("AWS "));
    if call.access.is_none() {
        let expires = parameter("Expires=").and_then(|text| text.parse::<u64>().ok());
        let now = Clock::system().now() / 1_000;
        return match expires {
            Some(end) if is_presigned && end < now => {
                Err(WireError::new("RequestExpired", 403, "Request has expired"))
            }
            _ => Ok(()),
        };
    }
    if !is_old && !is_presigned {
        return Ok(());
    }
    let message = "The authorization mechanism you have provided is not supported. Please use \
                   AWS4-HMAC-SHA256.";
    Err(errors::invalid_request(message))
}

/// Refuses an upload by a form of a page, by its name.
fn refuse_form(call: &Call<'_>) -> Result<()> {
    let kind = call.request.header("content-type").unwrap_or_default();
    if call.request.method != "POST" || !kind.starts_with("multipart/form-data") {
        return Ok(());
    }
    let message = "Uploads by a form (POST Object) are not built here; presign a PutObject.";
    Err(errors::error("NotImplemented", 501, message))
}

/// A signature in a header is of the hash of the body, which has to be there to be compared.
fn check_payload_header(call: &Call<'_>) -> Result<()> {
    let request = call.request;
    let is_proved = call.access.is_some_and(|access| !access.principal.is_empty());
    let is_in_header = request.headers.contains_key("authorization");
    if !is_proved || !is_in_header {
        return Ok(());
    }
    let Some(stated) = request.header("x-amz-content-sha256") else {
        let message = "Missing required header for this request: x-amz-content-sha256";
        return Err(errors::invalid_request(message));
    };
    // What is no hash would leave the body unproved.
    let is_digest = stated.len() == 64 && stated.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digest || stated == "UNSIGNED-PAYLOAD" || stated.starts_with("STREAMING-") {
        return Ok(());
    }
    let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
                   STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                   STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
    Err(errors::invalid_argument("x-amz-content-sha256", stated, message))
}

/// Prepares for content. What can be refused is refused before the content is there.
fn content(context: &Context, signer: Option<ChunkSigner>) -> Result<Content> {
    headers::refuse_unbuilt(context)?;
    let bucket = context.bucket()?;
    let failed = |error| context.failed(&error);
    if context.key().len() > trunkline_engine::KEY_BYTES_MAX {
        let error =
            trunkline_types::Error::new(trunkline_types::Code::InvalidParameterValue, "key");
        return Err(context.failed(&error));
    }
    let default = operations::default_checksum(context, &bucket)?;
    // Injected faults are asked when the object is put; here only whether it may be.
    let _call = context.engine.host().admit_internal(bucket_operation::PUT).map_err(failed)?;
    let writer = bucket.writer().map_err(failed)?;
    Content::begin(context, writer, signer, default)
}

impl Exchange for Receiving {
    fn receive(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let received = match &mut self.body {
            Incoming::Document(document) => {
                if document.len() + bytes.len() > S3_DOCUMENT_BYTES_MAX {
                    let max = S3_DOCUMENT_BYTES_MAX.to_string();
                    let message = "Your request was too large.";
                    let found = errors::error("MaxMessageLengthExceeded", 400, message);
                    Err(errors::with(found, &[("MaxMessageLengthBytes", &max)]))
                } else {
                    document.extend_from_slice(bytes);
                    Ok(())
                }
            }
            Incoming::Content(content) => content.receive(bytes),
            Incoming::Refused => Ok(()),
        };
        received.map_err(|error| {
            self.body = Incoming::Refused;
            Refused(Box::new(refusal(&self.context, error)))
        })
    }

    fn finish(self: Box<Self>) -> Exchanged {
        let Self { mut context, body } = *self;
        let answered = match body {
            Incoming::Content(content) => {
                content.finish().and_then(|received| operations::put(&context, received))
            }
            Incoming::Document(document) => document_input(&mut context, &document)
                .and_then(|()| operations::run(&context, &document)),
            Incoming::Refused => Err(WireError::internal("The request was refused before.")),
        };
        match answered {
            Ok(answer) => exchanged(context, answer),
            Err(error) => refusal(&context, error).into(),
        }
    }
}

/// Reads what of the input travels in the body.
fn document_input(context: &mut Context, document: &[u8]) -> Result<()> {
    if document.is_empty() {
        return Ok(());
    }
    operations::check_digest(context, document)?;
    let dialect = Dialect::new(Protocol::RestXml);
    let request = Request {
        method: &context.method,
        path: &context.path,
        query: &context.query,
        headers: &context.headers,
        body: document,
        peer: None,
        seen: None,
    };
    let model = context.model.clone();
    let input = protocol::identify(&model, &dialect, &request)?.value(&model, &dialect, &request);
    context.input = input.map_err(|error| match error.name() {
        "SerializationException" | "MalformedXML" => errors::malformed_xml(),
        _ => error,
    })?;
    Ok(())
}

fn refusal(context: &Context, error: WireError) -> Response {
    let error = errors::word(error);
    let request_id = &context.request_id;
    let mut response = protocol::write_s3_error(&error, request_id);
    if context.method == "HEAD" || error.status() == 304 {
        response.body.clear();
    }
    if error.name() == "MethodNotAllowed" && context.operation.ends_with("Object") {
        response = response.with("x-amz-delete-marker", "true").with("allow", "DELETE");
    }
    if error.name() == "NoSuchKey"
        && matches!(&*context.operation, "GetObject" | "HeadObject")
        && let Some(version) = marker_of(context)
    {
        response = response.with("x-amz-delete-marker", "true").with("x-amz-version-id", version);
    }
    response.with("x-amz-request-id", request_id.clone())
}

/// The version of the delete marker that hides the key of a request.
fn marker_of(context: &Context) -> Option<String> {
    let bucket = context.engine.find_bucket(context.bucket_name()).ok()??;
    let newest = bucket.newest(context.key()).ok()??;
    newest.is_delete_marker.then(|| bucket.version_id(&newest))
}

/// Writes an answer.
fn exchanged(context: Context, answer: Answer) -> Exchanged {
    let Context { model, operation, request_id, engine, .. } = &context;
    let dialect = Dialect::new(Protocol::RestXml);
    let mut response = match (answer.text, model.operation(operation)) {
        (Some((content_type, text)), _) => {
            Response::new(200, content_type, text).with("x-amzn-requestid", request_id.clone())
        }
        (None, Some(operation)) => {
            protocol::write(model, &dialect, operation, &answer.output, request_id)
        }
        (None, None) => refusal(&context, protocol::unknown_operation()),
    };
    for (name, value) in answer.headers {
        response.headers.retain(|(own, _)| *own != name);
        response = response.with(name, value);
    }
    if let Some(status) = answer.status {
        response.status = status;
    }
    if context.method == "HEAD" || answer.content.is_some() || response.status == 304 {
        response.body.clear();
    }
    operations::rename_root(operation, &mut response.body);
    response = response.with("x-amz-request-id", request_id.clone());
    let body = answer.content.map(|(reader, length)| -> Box<dyn crate::service::BodySource> {
        Box::new(ContentSource { reader, length })
    });
    let bucket = engine.find_bucket(context.bucket_name()).ok().flatten();
    let settling = match bucket {
        Some(bucket) => {
            engine.host().begin_settle(bucket.name(), answer.ticket, engine.durability())
        }
        // A bucket that was removed: its end has to be durable, whatever its name.
        None => {
            let name = trunkline_engine::ResourceName::local(trunkline_engine::BUCKET, "");
            engine.host().begin_settle(&name, answer.ticket, engine.durability())
        }
    };
    match settling {
        Err(error) => refusal(&context, context.failed(&error)).into(),
        Ok(None) => Exchanged { response, settling: None, body },
        Ok(Some(settling)) => {
            let failure = move |error: WireError| refusal(&context, error);
            Exchanged { response, settling: Some((settling, Box::new(failure))), body }
        }
    }
}
