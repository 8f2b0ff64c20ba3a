//! Requests to APIs that are served without the control plane, and stages that it compiles for
//! that.

use http::HeaderMap;
use trunkline_engine::Held;
use trunkline_types::sync::atomic::Ordering;

use super::{Dispatched, Dispatcher, ResponseEncoder};
use crate::gateway::{Admitted, Called, Frame, Stage, StageDocuments, Target, TokenBuckets};
use crate::limits::DIRECT_API_BODY_BYTES_MAX;
use crate::message::Request;
use crate::service::{Call, Finished, Input, Outcome};

/// How far the operation of a request came.
enum Started {
    Done(Finished),
    Held(Held),
}

impl Dispatcher {
    /// What becomes of a request to an API that a compiled stage serves. `None` for every other, of
    /// which nothing was done.
    pub(super) fn direct(
        &self,
        request: &Request<'_>,
        (api, path): (&str, &str),
        held: Option<&Held>,
    ) -> Option<Dispatched> {
        if self.has_policies() || request.body.len() > DIRECT_API_BODY_BYTES_MAX {
            return None;
        }
        let (documents, below) = StageDocuments::find(&self.engine, api, path)?;
        let stage = self.gateway.stage(&self.engine, &documents)?;
        if let Some(response) = stage.preflight(request) {
            self.metrics.direct_api_requests.fetch_add(1, Ordering::Relaxed);
            return Some(Dispatched::Done(response));
        }
        let now = self.engine.clock().now();
        let prepared = stage.prepare(request, &below, now)?;
        let limits = prepared.limits();
        let buckets = self.engine.extension::<TokenBuckets>();
        let dispatched = match prepared.admit(&buckets, now, held.is_some()) {
            Admitted::Answered(response) => Some(Dispatched::Done(response)),
            Admitted::Declined => None,
            Admitted::Called(called, frame) => {
                let started = self.start_called(&called, held);
                if started.is_none() {
                    buckets.give_back(limits);
                }
                started.map(|outcome| self.after(outcome, *called, frame))
            }
        };
        if dispatched.is_some() && held.is_none() {
            self.metrics.direct_api_requests.fetch_add(1, Ordering::Relaxed);
        }
        dispatched
    }

    /// Starts the operation of a request. `None`: nothing was done.
    fn start_called(&self, called: &Called, held: Option<&Held>) -> Option<Started> {
        let callable = &called.callable;
        let plane = self.planes.get(callable.target.plane)?;
        let headers = HeaderMap::new();
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &called.input,
            peer: None,
            seen: None,
        };
        let call = Call {
            engine: &self.engine,
            account: &callable.account,
            region: &callable.region,
            request: &request,
            held,
            access: None,
        };
        let input = Input::Json(&called.input);
        match plane.service.start(&call, callable.target.operation, &input).ok()? {
            Outcome::Done(finished) => Some(Started::Done(finished)),
            Outcome::Held(held) => Some(Started::Held(held)),
            // Polls have not begun yet.
            Outcome::Declined | Outcome::Wait(_) | Outcome::Stream(_) => None,
        }
    }

    fn after(&self, started: Started, called: Called, frame: Frame) -> Dispatched {
        let Finished { output, settling } = match started {
            Started::Done(finished) => finished,
            Started::Held(held) => return Dispatched::Held(held),
        };
        let plane = called.callable.target.plane;
        let answer = called.pending(frame);
        match (settling, self.planes.get(plane)) {
            (Some(settling), Some(plane)) => {
                let encoder = ResponseEncoder::of_api(answer, &plane.service);
                Dispatched::Settle(settling, Box::new((output, encoder)))
            }
            _ => Dispatched::Done(answer.write(Ok(output))),
        }
    }

    /// Lets the control plane compile the stage that a request names, unless that is done. May
    /// block.
    pub(super) fn compile_stage(&self, api: &str, path: &str) {
        if self.has_policies() {
            return;
        }
        let Some((documents, _)) = StageDocuments::find(&self.engine, api, path) else { return };
        if !self.gateway.is_unknown(&self.engine, &documents) {
            return;
        }
        let Some(documents) = documents.with_deployment(&self.engine, api) else { return };
        let style = documents.style().name();
        let table = self.control.compile_stage(api, style, &documents.contents());
        let target = |service: &str, operation: &str| self.target(service, operation);
        let stage = table.and_then(|table| Stage::read(&table, &target));
        self.gateway.install(documents, stage);
    }

    fn target(&self, service: &str, operation: &str) -> Option<Target> {
        let plane = self.planes.iter().position(|plane| plane.service.name() == service)?;
        let operation = self.planes.get(plane)?.operation(operation)?;
        Some(Target { plane, operation, model: self.model(service).ok()? })
    }

    /// Whether who calls and what policies say count. Then the control plane serves every API.
    fn has_policies(&self) -> bool {
        self.proves_signatures() || self.engine.is_authorized()
    }
}
