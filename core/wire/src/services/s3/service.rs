//! S3 as a service.

use std::sync::Arc;

use trunkline_engine::{Engine, ResourceName};

use super::operations::NAMES;
use super::{address, cors, errors, receiving};
use crate::auth::ChunkSigner;
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Model, Protocol};
use crate::protocol::{self, Dialect};
use crate::service::{
    Call, Exchange, Exposition, Family, Input, OperationId, Outcome, PageAnswer, Service, labels_of,
};
use crate::value::Value;

/// S3.
pub struct S3;

impl Service for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn operations(&self) -> &'static [&'static str] {
        NAMES
    }

    fn start(&self, _: &Call<'_>, _: OperationId, _: &Input<'_>) -> Result<Outcome> {
        Err(WireError::internal("Requests of S3 are exchanges."))
    }

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let mut objects = Family::gauge("trunkline_bucket_objects", "Versions of objects");
        let mut bytes = Family::gauge("trunkline_bucket_bytes", "Bytes of their content");
        // A closed engine has no buckets to show.
        for bucket in engine.buckets(None, "").unwrap_or_default() {
            let statistics = bucket.statistics();
            objects.count(labels_of("bucket", bucket.name()), statistics.objects);
            bytes.count(labels_of("bucket", bucket.name()), statistics.bytes);
        }
        out.push(objects);
        out.push(bytes);
    }

    fn has_exchanges(&self) -> bool {
        true
    }

    fn owns_host(&self, host: &str) -> bool {
        address::bucket_of_host(host).is_some()
    }

    fn page(&self, engine: &Engine, request: &Request<'_>) -> Option<PageAnswer> {
        cors::answer(engine, request)
    }

    fn exchange(
        &self,
        call: &Call<'_>,
        model: &Arc<Model>,
        signer: Option<ChunkSigner>,
        request_id: &str,
        counts: &dyn Fn(&str),
    ) -> Result<Box<dyn Exchange>> {
        receiving::begin(call, model, signer, request_id, counts)
    }

    fn refusal(&self, error: WireError, model: Option<&Model>, request_id: &str) -> Response {
        let dialect = Dialect::new(Protocol::RestXml);
        // Without a model the form is that of other services.
        let response = match model {
            Some(model) => protocol::write_error(Some(model), &dialect, &error, request_id),
            None => protocol::write_s3_error(&error, request_id),
        };
        response.with("x-amz-request-id", request_id.to_owned())
    }

    fn word(&self, error: WireError, _: Protocol) -> WireError {
        errors::word(error)
    }

    // Every request is authorised where its exchange begins; S3 has no control plane.
    fn authorize(&self, _: &Call<'_>, operation: &str, _: &Value) -> Result<Option<ResourceName>> {
        Err(WireError::internal(format!("{operation} of S3 is no exchange.")))
    }
}
