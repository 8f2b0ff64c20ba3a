//! What the dispatcher asks of a service: the trait that every data plane implements.
//!
//! A service reads its input from whatever protocol brought it ([`Input`]), and says what is left
//! to be done ([`Outcome`]). It never blocks: the drivers (a thread in the process, a task of the
//! server) wait in their own way.

mod access;
mod exchange;
mod input;
mod metrics;
mod outcome;
mod pages;

pub use access::Access;
pub(crate) use access::{Guarded, policy_in};
pub use exchange::{BodySource, Exchange, Exchanged, Failed, Refused};
pub use input::Input;
pub use metrics::{
    CONTENT_TYPE as METRICS_TYPE, Exposition, Family, Labels, RESOURCES_MAX, labels_of, others,
};
pub use outcome::{Event, EventStream, Finished, NextEvent, Outcome, Output, Wait};
pub use pages::PageAnswer;

use std::sync::Arc;

use trunkline_engine::{Engine, Held, ResourceName};

use crate::auth::ChunkSigner;
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Model, Operation, Protocol};
use crate::value::Value;

/// An operation of a data plane: its place in [`Service::operations`].
pub type OperationId = usize;

/// A request on its way to a service.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The engine that is served.
    pub engine: &'a Arc<Engine>,
    /// The caller's account.
    pub account: &'a str,
    /// The region that is called.
    pub region: &'a str,
    /// The request, for what a service takes from paths and headers.
    pub request: &'a Request<'a>,
    /// What held an earlier attempt of this call up, which is over now.
    pub held: Option<&'a Held>,
    /// Set where signatures are proved: then policies count.
    pub access: Option<&'a Access>,
}

/// Work of an administrative path that may block.
pub type AdminWork = Box<dyn FnOnce(&Arc<Engine>) -> Result<Response> + Send>;

/// One service's data plane, and what the dispatcher has to know about the rest of the service.
///
/// The operations of its control plane are Python functions; of those it only gets to authorise the
/// input and to word the errors.
pub trait Service: Send + Sync {
    /// The name of the service, which is also the name of its model.
    fn name(&self) -> &'static str;

    /// The names of the operations of the data plane.
    fn operations(&self) -> &'static [&'static str];

    /// Carries out `operation` as far as it goes without waiting.
    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome>;

    /// A document in the form of a model whose entries replace those of the service's model.
    fn overlay(&self) -> Option<&'static [u8]> {
        None
    }

    /// Whether requests to `path` are for this service although nothing else in them says so.
    fn owns_path(&self, _path: &str) -> bool {
        false
    }

    /// The response to a request that speaks no protocol of the service.
    fn plain_response(&self, _request: &Request<'_>) -> Option<Response> {
        None
    }

    /// Adds to an input of the control plane what the path or the headers of the request say.
    fn complete(
        &self,
        _request: &Request<'_>,
        _protocol: Protocol,
        _model: &Model,
        _operation: &Operation,
        _input: &mut Value,
    ) -> Result<()> {
        Ok(())
    }

    /// The resource that an input of the control plane names, once the caller's right to it is
    /// checked. The operation acts on this and reads no address again, so that the check and the
    /// operation cannot understand one address in two ways. There is no default: a service that
    /// checks nothing says so.
    fn authorize(
        &self,
        call: &Call<'_>,
        operation: &str,
        input: &Value,
    ) -> Result<Option<ResourceName>>;

    /// Whether the control plane checks inputs itself, in words of its own, instead of having them
    /// checked by the model.
    fn checks_inputs(&self) -> bool {
        false
    }

    /// Whether the answers in JSON name the codes of the query protocol beside their errors, for a
    /// service whose older clients speak that.
    fn is_query_compatible(&self) -> bool {
        false
    }

    /// Whether links in messages call `operation`, which the control plane carries out.
    fn is_linked(&self, _operation: &str) -> bool {
        false
    }

    /// The resource that a link is about, if it has the secret that only the message tells: such a
    /// request needs no signature. `input` is what the operation will act on.
    fn linked_resource(
        &self,
        _engine: &Engine,
        _request: &Request<'_>,
        _operation: &str,
        _input: &Value,
    ) -> Option<ResourceName> {
        None
    }

    /// Puts an error into the words and codes of the service.
    fn word(&self, error: WireError, _protocol: Protocol) -> WireError {
        error
    }

    /// Shows how the service's resources stand at `/metrics`.
    fn show_metrics(&self, _engine: &Engine, _out: &mut Exposition) {}

    /// The work behind `/_aws/<name>/<path>`; None where there is nothing at that path.
    fn admin(&self, _path: &str, _request: &Request<'_>) -> Option<Result<AdminWork>> {
        None
    }

    /// The work behind `/_trunkline/<path>`; None where the service has nothing at that path.
    fn operator(&self, _path: &str, _request: &Request<'_>) -> Option<Result<AdminWork>> {
        None
    }

    /// Prepares an engine that the service is served of from now on.
    fn attach(&self, _engine: &Arc<Engine>) {}

    /// What lies at a path for every reader, signed or not.
    fn published(&self, _engine: &Engine, _path: &str) -> Option<Response> {
        None
    }

    /// What the resource of a request says to the web page that sends it; `None` if it says nothing
    /// of pages, and the server decides.
    fn page(&self, _engine: &Engine, _request: &Request<'_>) -> Option<PageAnswer> {
        None
    }

    /// Whether requests of the service are exchanges: neither their bodies nor those of the answers
    /// are held as a whole.
    fn has_exchanges(&self) -> bool {
        false
    }

    /// Whether requests to this host are for the service, whatever their path.
    fn owns_host(&self, _host: &str) -> bool {
        false
    }

    /// Begins an exchange for a request whose body is still to come. `signer` proves chunks of the
    /// body where signatures are proved; `counts` is told the operation once it is known. `Err` is
    /// an error in the words of the service.
    fn exchange(
        &self,
        _call: &Call<'_>,
        _model: &Arc<Model>,
        _signer: Option<ChunkSigner>,
        _request_id: &str,
        _counts: &dyn Fn(&str),
    ) -> Result<Box<dyn Exchange>> {
        Err(WireError::internal("The service has no exchanges."))
    }

    /// The answer to a request that failed in an exchange or before it.
    fn refusal(&self, error: WireError, _model: Option<&Model>, request_id: &str) -> Response {
        let dialect = crate::protocol::Dialect::new(Protocol::RestXml);
        crate::protocol::write_error(None, &dialect, &error, request_id)
    }

    /// Forgets what the service keeps outside of the engine, which is reset as a whole.
    fn reset(&self, _engine: &Engine) -> Result<()> {
        Ok(())
    }
}
