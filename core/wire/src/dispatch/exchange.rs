//! Exchanges: which requests are some, how one begins, and how a caller in this process has one.

use super::plane::Plane;
use super::{Dispatched, Dispatcher, Failure, Pending, is_admin_path};
use crate::auth::{self, DEFAULT_ACCOUNT, DEFAULT_REGION, Identity, Scope, Signature};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::protocol::Dialect;
use crate::request_id;
use crate::service::{Access, Call, Exchange, Exchanged, PageAnswer, Refused};

/// The picture of a site, which no bucket is asked for.
const FAVICON: &str = "/favicon.ico";
/// Bytes of a body that are read at once.
const READ_BYTES: usize = 256 * 1024;

impl Dispatcher {
    /// Begins the exchange that `request` asks for; its body is not looked at. `None` for every
    /// other request.
    pub fn exchange(
        &self,
        request: &Request<'_>,
        base: &str,
    ) -> Option<Result<Box<dyn Exchange>, Response>> {
        if self.is_api(request) {
            return None;
        }
        let plane = self.exchange_plane(request)?;
        let request_id = request_id::next();
        let begun = self.begin_exchange(plane, request, base, &request_id);
        Some(begun.map_err(|(model, error)| {
            let error = plane.service.word(error, crate::model::Protocol::RestXml);
            plane.service.refusal(error, model.as_deref(), &request_id)
        }))
    }

    /// What the resource of a request says to the web page that sends it, if it says anything.
    pub fn page(&self, request: &Request<'_>) -> Option<PageAnswer> {
        let plane = self.exchange_plane(request)?;
        plane.service.page(&self.engine, request)
    }

    fn begin_exchange(
        &self,
        plane: &Plane,
        request: &Request<'_>,
        base: &str,
        request_id: &str,
    ) -> Result<Box<dyn Exchange>, Failure> {
        let now = (self.wall.now() / 1_000) as i64;
        let fail = |error| (None, error);
        let (identity, scope) = match auth::identify(&self.auth, request, now) {
            Ok(identified) => identified,
            // A policy may let anonymous callers in.
            Err(error) if auth::is_missing(&error) => (anonymous(), Scope::default()),
            Err(error) => return Err(fail(error)),
        };
        scope.check_service(&plane.info.scopes).map_err(fail)?;
        let mut access = self.access(request, &identity, base, now);
        if let (Some(access), false) = (&mut access, scope.is_proved) {
            *access = Access { principal: String::new(), keys: std::mem::take(&mut access.keys) };
            access.keys.retain(|(key, _)| !key.starts_with("aws:Principal"));
        }
        let model = self.model(&plane.info.name).map_err(fail)?;
        let call = Call {
            engine: &self.engine,
            account: &identity.account,
            region: &identity.region,
            request,
            held: None,
            access: access.as_ref(),
        };
        let signer = auth::ChunkSigner::of(&self.auth, request).map_err(fail)?;
        let counts = |operation: &str| {
            if let Some(operation) = plane.operation(operation) {
                plane.count(operation, request);
            }
        };
        let begun = plane.service.exchange(&call, &model, signer, request_id, &counts);
        begun.map_err(|error| (Some(model), error))
    }

    /// The plane that answers `request` by an exchange. It gets what is signed for it or sent to a
    /// host of its name, and what no other service claims.
    fn exchange_plane(&self, request: &Request<'_>) -> Option<&Plane> {
        if request.headers.contains_key("x-amz-target")
            || request.headers.contains_key("smithy-protocol")
        {
            return None;
        }
        let plane = self.planes.iter().find(|plane| plane.service.has_exchanges())?;
        let is_its_own = |name: &str| plane.info.scopes.iter().any(|scope| scope == name);
        if is_admin_path(request.path) || request.path.starts_with("/_") {
            return None;
        }
        if self.published(request).is_some() {
            return None;
        }
        if let Ok(Some(signature)) = Signature::of(request) {
            return is_its_own(signature.service).then_some(plane);
        }
        let host = request.header("host").unwrap_or("");
        let mut labels = host.split('.');
        let first = labels.next().unwrap_or("");
        if first.len() < host.len() {
            if is_its_own(first) || labels.any(is_its_own) {
                return Some(plane);
            }
            if self.services.iter().any(|info| info.scopes.iter().any(|scope| scope == first)) {
                return None;
            }
        }
        // Requests of the query protocol are of other services; they are never sent with PUT.
        let may_be_query = matches!(request.method, "GET" | "POST");
        let is_claimed = (may_be_query && Dialect::of(request).is_some())
            || request.path == "/" && !plane.service.owns_host(host)
            || request.path.starts_with("/service/")
            // Browsers ask for it by themselves.
            || request.path == FAVICON && !plane.service.owns_host(host)
            || self.planes.iter().any(|other| other.service.owns_path(request.path));
        (!is_claimed).then_some(plane)
    }

    /// Finishes an exchange for a caller in this process, who gets the whole answer.
    pub(super) fn run_exchange(&self, exchange: Box<dyn Exchange>) -> Response {
        let Exchanged { mut response, settling, body } = exchange.finish();
        if let Some((settling, failure)) = settling
            && let Err(error) = settling.wait(self.engine.host())
        {
            return failure(WireError::from_engine(&error));
        }
        let Some(mut source) = body else { return response };
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return response,
                Ok(count) => response.body.extend_from_slice(&buffer[..count]),
                Err(error) => return Response::new(500, "text/plain", error.to_string()),
            }
        }
    }
}

/// Hands the whole body of a request over.
pub(super) fn received(opened: Result<Box<dyn Exchange>, Response>, body: &[u8]) -> Dispatched {
    match opened {
        Err(refusal) => Dispatched::Done(refusal),
        Ok(mut exchange) => match exchange.receive(body) {
            Ok(()) => Dispatched::Blocking(Pending::Exchange(exchange)),
            Err(Refused(response)) => Dispatched::Done(*response),
        },
    }
}

fn anonymous() -> Identity {
    let (account, region) = (DEFAULT_ACCOUNT.to_owned(), DEFAULT_REGION.to_owned());
    Identity { account, region, access_key: None }
}
