//! The control plane, as the dispatcher sees it: a name, an input, an output.

use std::sync::Arc;

use trunkline_engine::ResourceName;
use trunkline_types::Millis;

use super::api::ApiRequest;
use super::sockets::{Connected, SocketEvent};
use super::{Arrival, Dispatched, Dispatcher, Pending, PendingCall};
use crate::error::WireError;
use crate::message::Response;
use crate::model::Model;
use crate::protocol::Dialect;
use crate::value::Value;

/// One call of an operation, beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The resource that the input names, read by the check of the caller's right to it.
    pub target: Option<ResourceName>,
    /// The caller's account.
    pub account: String,
    /// The region that is called.
    pub region: String,
    /// The caller's access key id.
    pub access_key: Option<String>,
    /// The address under which the caller reached us, without a slash at its end.
    pub base: String,
    /// The id of the request.
    pub request_id: String,
}

/// Where operations that are not on the data plane are carried out.
pub trait ControlPlane: Send + Sync {
    /// Carries out `call`. May block; never called on a thread that serves the data plane.
    fn call(&self, call: &Call, input: Value) -> Result<Value, WireError>;

    /// Answers a request to an API. May block as long as an integration may take.
    fn invoke_api(&self, _request: ApiRequest) -> Response {
        Response::new(501, "application/json", r#"{"message":"There are no APIs here."}"#)
    }

    /// Compiles a stage of an API of a kind from its documents; see `gateway::table`. `None`: all
    /// its requests are answered here.
    fn compile_stage(&self, _api: &str, _kind: &str, _documents: &[&[u8]]) -> Option<Vec<u8>> {
        None
    }

    /// Answers a client that wants to connect to an API as `connection`, from `now` on. May block
    /// as long as an integration may take.
    fn connect(&self, request: ApiRequest, _connection: &str, _now: Millis) -> Connected {
        Connected::Refused(self.invoke_api(request))
    }

    /// Handles what happened on a connection; the messages that its client gets. May block as long
    /// as an integration may take.
    fn socket_event(&self, _event: &SocketEvent<'_>) -> Vec<String> {
        Vec::new()
    }

    /// The model of a service, as JSON. Called once a service.
    fn model(&self, service: &str) -> Result<Vec<u8>, String>;

    /// Carries out a verb of the operator: `body` is a JSON object, and so is the answer. May
    /// block.
    fn operate(&self, verb: &str, _body: &[u8]) -> Result<Vec<u8>, WireError> {
        Err(WireError::new("NotFound", 404, format!("There is no verb '{verb}'.")))
    }

    /// A file of the console, by its path below `/_trunkline/console/`: its content type and its
    /// bytes. The first page has the empty name.
    fn asset(&self, _name: &str) -> Option<(String, Vec<u8>)> {
        None
    }

    /// Everything was removed: forget what is remembered beside the engine. With `init`, do again
    /// what set things up when the server began.
    fn reset(&self, init: bool);
}

impl Dispatcher {
    /// A call of the control plane, to be carried out where it may block.
    pub(super) fn control_call(
        &self,
        service: &str,
        (operation, target): (String, Option<ResourceName>),
        input: Value,
        (model, dialect): (Arc<Model>, Dialect),
        arrival: Arrival<'_>,
    ) -> Dispatched {
        let counters = self.plane(service).map(|plane| (plane, plane.operation(&operation)));
        let counted = match counters {
            // One that its data plane declined.
            Some((plane, Some(id))) => plane.counters.count(id).clone(),
            _ => self.metrics.count_control(service, &operation),
        };
        if let Some(seen) = arrival.request.seen {
            let _again = seen.set(counted);
        }
        let call = Call {
            service: service.to_owned(),
            operation,
            target,
            account: arrival.identity.account,
            region: arrival.identity.region,
            access_key: arrival.identity.access_key,
            base: arrival.base.to_owned(),
            request_id: arrival.request_id.to_owned(),
        };
        let pending = PendingCall { call, input, model, dialect };
        Dispatched::Blocking(Pending::Call(Box::new(pending)))
    }
}
