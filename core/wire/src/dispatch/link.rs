//! Links in messages of a service: a GET request without a signature, sent by a reader of the
//! message. A secret in the link shows that it comes out of a message.

use trunkline_engine::Engine;

use super::plane::Plane;
use super::{Arrival, Dispatcher, safe_method};
use crate::auth::{self, DEFAULT_ACCOUNT, DEFAULT_REGION, Identity, Scope};
use crate::error::{Result, WireError};
use crate::message::Request;
use crate::model::Protocol;
use crate::protocol::Dialect;
use crate::value::Value;

/// Who sends a request.
pub(super) struct Caller {
    pub identity: Identity,
    pub scope: Scope,
    /// What the caller is told if the request is no link: its signature is required, and absent.
    pub refusal: Option<WireError>,
}

impl Dispatcher {
    /// Who sends `request`. One that may be a link is let through to be looked at; its `refusal`
    /// stands until its secret is found right.
    pub(super) fn caller(
        &self,
        request: &Request<'_>,
        dialect: Option<&Dialect>,
        now: i64,
    ) -> Result<Caller> {
        let may_be_link = request.method == "GET"
            && request.body.is_empty()
            && request.header("x-amz-target").is_none()
            && dialect.is_some_and(|dialect| dialect.protocol == Protocol::Query);
        match auth::identify(&self.auth, request, now) {
            Ok((identity, scope)) => Ok(Caller { identity, scope, refusal: None }),
            Err(refusal) if may_be_link && auth::is_missing(&refusal) => {
                let (account, region) = (DEFAULT_ACCOUNT.to_owned(), DEFAULT_REGION.to_owned());
                let identity = Identity { account, region, access_key: None };
                Ok(Caller { identity, scope: Scope::default(), refusal: Some(refusal) })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether messages of a service have links to an operation.
    pub(crate) fn is_linked(&self, operation: &str) -> bool {
        self.planes.iter().any(|plane| plane.service.is_linked(operation))
    }

    /// The plane whose link a request may be; what is no link is refused if it has to be signed.
    pub(super) fn linked<'p>(
        &self,
        plane: Option<&'p Plane>,
        arrival: &Arrival<'_>,
        protocol: Protocol,
        operation: &str,
    ) -> Result<Option<&'p Plane>> {
        let is_bare = arrival.request.method == "GET" && arrival.scope.service.is_none();
        let plane = plane.filter(|plane| is_bare && plane.service.is_linked(operation));
        if plane.is_none() {
            arrival.check_sender(protocol, operation)?;
        }
        Ok(plane)
    }
}

impl Arrival<'_> {
    /// Refuses a request that has to be signed.
    fn check_sender(&self, protocol: Protocol, operation: &str) -> Result<()> {
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => safe_method::check(self.request, &self.scope, protocol, operation),
        }
    }

    /// Carries a link out in the name of the owner of what it names. One without its secret is a
    /// request like any other.
    pub(super) fn follow(
        &mut self,
        plane: &Plane,
        engine: &Engine,
        protocol: Protocol,
        (operation, input): (&str, &Value),
    ) -> Result<()> {
        match plane.service.linked_resource(engine, self.request, operation, input) {
            Some(name) => {
                self.identity.account = name.account;
                self.identity.region = name.region;
                Ok(())
            }
            None => self.check_sender(protocol, operation),
        }
    }
}
