//! Requests to APIs of API Gateway and to URLs of functions: which requests are some, and what the
//! control plane gets of one. An API is reached below `/_aws/execute-api/`, at the paths of
//! LocalStack, or by its host; a function below `/_aws/lambda-url/`, or by its host.

use std::borrow::Cow;

use http::HeaderMap;
use trunkline_engine::Held;

use super::domain::DOMAIN_LABEL;
use super::{Dispatched, Dispatcher, Pending};
use crate::auth::{self, Identity};
use crate::error::WireError;
use crate::message::{Peer, Request};
use crate::request_id;

/// What the paths of APIs begin with.
const PREFIX: &str = "/_aws/execute-api/";
/// What the paths of functions begin with.
const URL_PREFIX: &str = "/_aws/lambda-url/";
/// The services whose APIs are invoked.
const SERVICES: [&str; 3] = ["apigateway", "apigatewayv2", "lambda"];
/// The label of a host behind the id of an API.
const HOST_LABEL: &str = "execute-api";
/// The label of a host behind the id of a function's URL, which also begins what the control plane
/// is told instead of the id of an API.
const URL_LABEL: &str = "lambda-url";

/// The part of a path behind the stage that manages connections.
const MANAGEMENT: &str = "@connections";

/// Whether a part of a path says that it manages connections.
pub(super) fn is_management(name: &str) -> bool {
    name == MANAGEMENT || name.eq_ignore_ascii_case("%40connections")
}

/// A request to an API.
#[derive(Debug)]
pub struct ApiRequest {
    /// The id of the API.
    pub api: String,
    /// The path below the API, with the stage, still escaped: `/prod/orders`.
    pub path: String,
    /// The HTTP method.
    pub method: String,
    /// The query string as it was sent, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The client; `None` for a caller in this process.
    pub peer: Option<Peer>,
    /// The address under which the caller reached us, without a slash at its end.
    pub base: String,
    /// The id of the request.
    pub request_id: String,
    /// Who signed the request, or why the signature was refused. `None` if there is no signature.
    pub signer: Option<Result<Identity, WireError>>,
    /// Whether signatures are proved, so that an API may rely on them.
    pub is_strict: bool,
}

/// Whether `path` belongs to an API, and is no operator's path although it begins like one.
pub(crate) fn is_api_path(path: &str) -> bool {
    path.starts_with(PREFIX) || path.starts_with(URL_PREFIX)
}

impl Dispatcher {
    /// Whether `request` is for an API. Its body is not looked at.
    pub fn is_api(&self, request: &Request<'_>) -> bool {
        self.serves_apis && self.address(request).is_some()
    }

    /// Whether pages of any origin may send `request`: it is for an API, which is made to be called
    /// by them, and not for what programs do with an API's connections.
    pub fn is_for_pages(&self, request: &Request<'_>) -> bool {
        self.serves_apis
            && self.address(request).is_some_and(|(_, path)| !path.split('/').any(is_management))
    }

    /// What becomes of a request to an API; `None` for every other.
    pub(super) fn api(
        &self,
        request: &Request<'_>,
        base: &str,
        held: Option<&Held>,
    ) -> Option<Dispatched> {
        if !self.serves_apis {
            return None;
        }
        let (api, path) = self.address(request)?;
        if let Some(dispatched) = self.direct(request, (&api, &path), held) {
            return Some(dispatched);
        }
        let request = self.addressed(request, base, (api, path));
        if let Some(response) = self.manage(&request) {
            return Some(Dispatched::Done(response));
        }
        Some(Dispatched::Blocking(Pending::Api(Box::new(request))))
    }

    /// The request to an API that `request` is; `None` for every other.
    pub(crate) fn api_request(&self, request: &Request<'_>, base: &str) -> Option<ApiRequest> {
        if !self.serves_apis {
            return None;
        }
        let address = self.address(request)?;
        Some(self.addressed(request, base, address))
    }

    fn addressed(&self, request: &Request<'_>, base: &str, (api, path): Address<'_>) -> ApiRequest {
        let now = (self.wall.now() / 1_000) as i64;
        let signer = match auth::identify(&self.auth, request, now) {
            Ok((identity, _)) => identity.access_key.is_some().then_some(Ok(identity)),
            Err(error) if auth::is_missing(&error) => None,
            Err(error) => Some(Err(error)),
        };
        ApiRequest {
            api: api.into_owned(),
            path: path.into_owned(),
            method: request.method.to_owned(),
            query: request.query.to_owned(),
            headers: request.headers.clone(),
            body: request.body.to_vec(),
            peer: request.peer,
            base: base.to_owned(),
            request_id: request_id::next(),
            signer,
            is_strict: self.proves_signatures(),
        }
    }

    /// The id of the API and the path below it; of a domain name, the name and the whole path.
    fn address<'a>(&self, request: &Request<'a>) -> Option<Address<'a>> {
        address_of(request).or_else(|| {
            let name = self.domain(request.header("host")?)?;
            // No account takes requests to services away from others by claiming a server's name.
            let is_of_service = match auth::Signature::of(request) {
                Ok(signature) => signature.is_some_and(|found| found.service != HOST_LABEL),
                Err(_) => true,
            };
            if is_of_service || request.headers.contains_key("x-amz-target") {
                return None;
            }
            Some((format!("{DOMAIN_LABEL}{name}").into(), request.path.into()))
        })
    }

    /// Whether a service of these is one whose APIs are invoked.
    pub(super) fn has_apis<'n>(mut names: impl Iterator<Item = &'n str>) -> bool {
        names.any(|name| SERVICES.contains(&name))
    }
}

/// The id of an API and the path below it.
type Address<'a> = (Cow<'a, str>, Cow<'a, str>);

fn address_of<'a>(request: &Request<'a>) -> Option<Address<'a>> {
    // An id, and a path that begins with a slash.
    let split = |rest: &'a str| match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    };
    if let Some(rest) = request.path.strip_prefix(PREFIX) {
        let (api, path) = split(rest);
        return Some((api.into(), path.into()));
    }
    if let Some(rest) = request.path.strip_prefix(URL_PREFIX) {
        let (id, path) = split(rest);
        return Some((format!("{URL_LABEL}/{id}").into(), path.into()));
    }
    if let Some(rest) = request.path.strip_prefix("/restapis/") {
        let mut parts = rest.splitn(3, '/');
        if let (Some(api), Some(stage), Some(rest)) = (parts.next(), parts.next(), parts.next())
            && let Some(path) = rest.strip_prefix("_user_request_")
            && (path.is_empty() || path.starts_with('/'))
        {
            return Some((api.into(), format!("/{stage}{path}").into()));
        }
    }
    let api = api_of_host(request.header("host")?)?;
    Some((api, request.path.into()))
}

/// The API that a host names: `api.execute-api.region.domain`, or `id.lambda-url.region.domain`.
fn api_of_host(host: &str) -> Option<Cow<'_, str>> {
    let (api, rest) = host.split_once('.')?;
    match rest.split(['.', ':']).next()? {
        _ if api.is_empty() => None,
        HOST_LABEL => Some(api.into()),
        URL_LABEL => Some(format!("{URL_LABEL}/{api}").into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path: &str, host: &'static str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("host", http::HeaderValue::from_static(host));
        let request = Request {
            method: "GET",
            path,
            query: "",
            headers: &headers,
            body: b"",
            peer: None,
            seen: None,
        };
        let (api, path) = address_of(&request)?;
        Some((api.into_owned(), path.into_owned()))
    }

    #[test]
    fn an_api_is_reached_by_paths_and_by_its_host() {
        for (path, host, api, below) in [
            ("/_aws/execute-api/a1/dev/x%20y", "localhost:4566", "a1", "/dev/x%20y"),
            ("/_aws/execute-api/a1", "localhost", "a1", "/"),
            ("/restapis/a1/dev/_user_request_/x", "localhost", "a1", "/dev/x"),
            ("/restapis/a1/dev/_user_request_", "localhost", "a1", "/dev"),
            ("/dev/x", "a1.execute-api.localhost:4566", "a1", "/dev/x"),
            ("/dev", "a1.execute-api.us-east-1.amazonaws.com", "a1", "/dev"),
            ("/_aws/lambda-url/u1/x", "localhost", "lambda-url/u1", "/x"),
            ("/_aws/lambda-url/u1", "localhost", "lambda-url/u1", "/"),
            ("/x", "u1.lambda-url.us-east-1.on.aws", "lambda-url/u1", "/x"),
        ] {
            let found = address(path, host).unwrap();
            assert_eq!(found, (api.to_owned(), below.to_owned()), "{path} {host}");
        }
        for (path, host) in [
            ("/restapis/a1/stages/dev", "localhost"),
            ("/restapis/a1/dev/_user_request_x", "localhost"),
            ("/", "execute-api.localhost"),
            ("/", "bucket.s3.localhost"),
        ] {
            assert_eq!(address(path, host), None, "{path} {host}");
        }
    }
}
