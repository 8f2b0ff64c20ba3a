//! Which service a request means. One listener serves them all, so the order of the evidence
//! matters: what an SDK writes on purpose wins over what a host name suggests.

use crate::codec::form::Form;
use crate::message::Request;

/// What a service is found by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceInfo {
    /// Its name, which is also the name of its model.
    pub name: String,
    /// What `X-Amz-Target` starts with.
    pub target_prefix: Option<String>,
    /// Its names in signature scopes and host names.
    pub scopes: Vec<String>,
    /// Its `Version` in query requests.
    pub api_version: Option<String>,
    /// Names of operations by which a query request without a version is known.
    pub actions: Vec<String>,
    /// What its paths begin with, where another service has the same name in signatures.
    pub path_prefix: Option<String>,
    /// The error for an input that its model refuses, if it is not `ValidationException`.
    pub invalid_input: Option<String>,
}

/// The service that `request` means, found by the first evidence there is. `scope` is the service
/// of its signature; `owns_path` says whether a service knows the path as its own.
pub fn detect<'s>(
    services: &'s [ServiceInfo],
    request: &Request<'_>,
    scope: Option<&str>,
    owns_path: impl Fn(&ServiceInfo) -> bool,
) -> Option<&'s ServiceInfo> {
    let by = |test: &dyn Fn(&ServiceInfo) -> bool| services.iter().find(|service| test(service));
    let named = |prefix: &str| by(&|service| service.target_prefix.as_deref() == Some(prefix));
    if let Some(target) = request.header("x-amz-target") {
        return named(target.rsplit_once('.').map_or(target, |(prefix, _)| prefix));
    }
    if let (Some(rest), true) =
        (request.path.strip_prefix("/service/"), request.headers.contains_key("smithy-protocol"))
    {
        return named(rest.split('/').next().unwrap_or(rest));
    }
    let scoped = |name: &str| {
        let mut named = services.iter().filter(|info| info.scopes.iter().any(|own| own == name));
        let is_longer = |info: &&ServiceInfo| info.path_prefix.as_ref().map_or(0, String::len);
        let has_path = |info: &&ServiceInfo| {
            info.path_prefix.as_deref().is_none_or(|prefix| request.path.starts_with(prefix))
        };
        named.by_ref().filter(has_path).max_by_key(is_longer)
    };
    if let Some(service) = scope.and_then(scoped) {
        return Some(service);
    }
    let host = request.header("host").unwrap_or("");
    let first = host.split('.').next().unwrap_or("");
    if let Some(service) = (first.len() < host.len()).then(|| scoped(first)).flatten() {
        return Some(service);
    }
    by_action(services, request).or_else(|| by(&owns_path))
}

fn by_action<'s>(services: &'s [ServiceInfo], request: &Request<'_>) -> Option<&'s ServiceInfo> {
    let mut form = Form::read(request.query.as_bytes()).ok()?;
    if request.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form")) {
        form.extend(Form::read(request.body).ok()?);
    }
    let action = form.get("Action")?;
    let version = form.get("Version");
    let versioned =
        services.iter().find(|s| version.is_some() && s.api_version.as_deref() == version);
    versioned.or_else(|| services.iter().find(|s| s.actions.iter().any(|name| name == action)))
}
