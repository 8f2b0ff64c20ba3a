//! Who may call at all, before a request is read: a web page of a stranger must not drive this
//! server, and the paths of its operator need more than an address.
//!
//! A browser sends a page's requests from this machine, so the address of a connection proves
//! nothing. What a page cannot choose is looked at instead: `Host` (a name that the page's owner
//! has pointed at this machine), `Origin`, `Sec-Fetch-Site` and `Referer`.

use std::net::IpAddr;

use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::Shared;
use super::body::refuse;
use super::navigation::clicked;
use super::origin::{expose, host_of, is_this_machine};
use super::proxy::is_forwarded;
use crate::dispatch::{console_asset, is_admin_path, is_health_path};
use crate::message::{Peer, Request, Response, Sender};
use crate::service::PageAnswer;

/// Names by which a server may be called although public name servers could know them.
const KNOWN_NAMES: [&str; 7] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "on.aws",
    "localhost.localstack.cloud",
    "host.docker.internal",
    "gateway.docker.internal",
];
/// Top-level names that no public name server answers for: a page cannot point them anywhere.
const PRIVATE_ZONES: [&str; 6] = ["localhost", "local", "internal", "localdomain", "test", "svc"];

/// The connection that a request came on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub address: IpAddr,
    pub is_secure: bool,
}

/// A request that may be carried out.
pub(super) struct Admitted {
    pub peer: Peer,
    /// What the page that sent it may do.
    pub page: Page,
}

/// What a page may do that sent a request.
pub(super) enum Page {
    /// No page sent it, or the page may not read the answer.
    None,
    /// A page of this origin, which the server knows, may read the answer.
    Known(String),
    /// The resource of the request says what to tell the page.
    Told(Vec<(&'static str, String)>),
    /// The answer to a browser that asks before it sends.
    Preflight(Response),
}

impl Page {
    /// The answer with the headers that let the page read it.
    pub fn expose(self, answer: Response) -> Response {
        match self {
            Self::None | Self::Preflight(_) => answer,
            Self::Known(origin) => expose(answer, &origin),
            Self::Told(headers) => {
                headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
            }
        }
    }
}

/// Admits a request, or refuses it.
pub(super) fn admit(shared: &Shared, link: Link, head: &Parts) -> Result<Admitted, Response> {
    let options = &shared.options;
    let headers = &head.headers;
    let (address, is_secure) = options.proxies.client(link.address, link.is_secure, headers);
    let path = head.uri.path();
    // Nothing that asks for health changes anything, and every probe is answered.
    let is_probe = is_health_path(path) && (head.method == "GET" || head.method == "HEAD");
    // Of two hosts one would be checked and the other believed.
    if headers.get_all("host").iter().nth(1).is_some() {
        return Err(refuse(400, "InvalidRequest", "Host must be sent once."));
    }
    let host = text(headers, "host");
    // Where signatures are proved the host is signed: a page cannot make up such a request.
    let is_strict = shared.dispatcher.proves_signatures();
    let is_ours = |host| is_known(&options.hosts, host) || shared.dispatcher.domain(host).is_some();
    if !is_probe && !is_strict && !host.is_none_or(is_ours) {
        let host = host_of(host.unwrap_or_default());
        let why = format!(
            "This server does not answer to the name '{host}'; allow it with --allowed-host."
        );
        return Err(refuse(403, "AccessDenied", &why));
    }
    // A resource that speaks of pages decides itself which may call.
    let told = headers.contains_key("origin").then(|| asked(shared, head)).flatten();
    let is_let_in = matches!(told, Some(PageAnswer::Allowed(_) | PageAnswer::Preflight(_)));
    let sender = match sender(shared, head, host) {
        Ok(sender) => sender,
        Err(_) if is_let_in => Sender::Page,
        Err(_) if is_probe || is_for_pages(shared, head) => Sender::Page,
        Err(why) => return Err(refuse(403, "AccessDenied", why)),
    };
    if is_admin_path(path) && !is_probe {
        check_page(shared, headers, host, sender)?;
    }
    let is_asset = console_asset(path).is_some();
    if is_admin_path(path) && !is_probe && !is_asset && head.method != "OPTIONS" {
        check_token(shared, headers, is_strict)?;
    }
    let page = match told {
        Some(PageAnswer::Preflight(answer)) => Page::Preflight(answer),
        Some(PageAnswer::Allowed(headers)) => Page::Told(headers),
        Some(PageAnswer::Refused) => Page::None,
        None => {
            let known = |origin: &&str| options.origins.allow(origin, host);
            let origin = text(headers, "origin").filter(known);
            origin.map_or(Page::None, |origin| Page::Known(origin.to_owned()))
        }
    };
    Ok(Admitted { peer: Peer { address, is_secure, sender }, page })
}

// An API is made to be called by pages of every origin, which it tells itself what they may read.
fn is_for_pages(shared: &Shared, head: &Parts) -> bool {
    !is_admin_path(head.uri.path()) && shared.dispatcher.is_for_pages(&as_request(head))
}

fn asked(shared: &Shared, head: &Parts) -> Option<PageAnswer> {
    shared.dispatcher.page(&as_request(head))
}

fn as_request(head: &Parts) -> Request<'_> {
    Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        headers: &head.headers,
        body: &[],
        peer: None,
        seen: None,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

// A name that a stranger can register can also be made to point at this machine (DNS rebinding).
fn is_known(names: &[String], authority: &str) -> bool {
    let host = host_of(authority);
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let ends_with = |zone: &str| {
        host.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_address
        || (is_plain && !host.is_empty())
            && (!host.contains('.')
                || is_this_machine(&host)
                || KNOWN_NAMES.iter().any(|name| ends_with(name))
                || PRIVATE_ZONES.iter().any(|zone| ends_with(zone))
                || names.iter().any(|name| name == "*" || name.eq_ignore_ascii_case(&host)))
}

fn sender(shared: &Shared, head: &Parts, host: Option<&str>) -> Result<Sender, &'static str> {
    let headers = &head.headers;
    const STRANGER: &str = "Pages of this origin may not call; allow it with --cors-origin.";
    let allow = |origin: &str| shared.options.origins.allow(origin, host);
    let site = text(headers, "sec-fetch-site");
    if let Some(origin) = text(headers, "origin") {
        return match allow(origin) {
            true if site == Some("same-origin") => Ok(Sender::User),
            true => Ok(Sender::Page),
            false => Err(STRANGER),
        };
    }
    match site {
        Some("same-origin") => return Ok(Sender::User),
        Some("none") => return Ok(Sender::Visitor),
        // Other ports of this machine; elsewhere a site is a whole domain with all its hosts.
        Some("same-site") if host.is_some_and(|host| is_this_machine(host_of(host))) => {
            return Ok(Sender::Page);
        }
        // A click in web mail, on a link with a secret.
        Some("cross-site" | "same-site")
            if clicked(head).is_some_and(|name| shared.dispatcher.is_linked(&name)) =>
        {
            return Ok(Sender::Page);
        }
        Some(_) => return Err(STRANGER),
        None => {}
    }
    // Browsers of old send neither header with an image or a form.
    match text(headers, "referer") {
        Some(page) => {
            let end = page.find("://").map_or(0, |at| at + 3);
            let rest = page.get(end..).unwrap_or_default();
            let origin = &page[..end + rest.find('/').unwrap_or(rest.len())];
            if allow(origin) { Ok(Sender::Page) } else { Err(STRANGER) }
        }
        None if text(headers, "user-agent").is_some_and(|name| name.starts_with("Mozilla/")) => {
            Ok(Sender::Page)
        }
        None => Ok(Sender::Program),
    }
}

// Other pages of this machine may call services, but the operator's paths are for the pages of this
// very server and for origins that are allowed by name.
fn check_page(
    shared: &Shared,
    headers: &HeaderMap,
    host: Option<&str>,
    sender: Sender,
) -> Result<(), Response> {
    let is_of_page = sender == Sender::Page;
    let origin = text(headers, "origin");
    let is_ours = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        shared.options.origins.0.iter().any(|allowed| allowed == origin)
            || authority.is_some_and(|one| host.is_some_and(|host| host.eq_ignore_ascii_case(one)))
    };
    match origin {
        None if !is_of_page => Ok(()),
        Some(origin) if is_ours(origin) => Ok(()),
        _ => {
            let why = "This path answers to pages of its own origin alone; \
                       allow another with --cors-origin.";
            Err(refuse(403, "AccessDenied", why))
        }
    }
}

fn check_token(shared: &Shared, headers: &HeaderMap, is_strict: bool) -> Result<(), Response> {
    let wanted = shared.options.admin_token.as_deref();
    let reason = match () {
        () if wanted.is_some() => "this server has one",
        () if is_strict => "signatures are proved",
        () if !shared.options.address.ip().to_canonical().is_loopback() => {
            "the server listens beyond this machine"
        }
        () if is_forwarded(headers) => "the request came through a proxy",
        () => return Ok(()),
    };
    let given = bearer(headers).or_else(|| text(headers, "x-trunkline-token"));
    let remedy = match (wanted, given) {
        // Hashes are compared, so that the time tells nothing about the token.
        (Some(wanted), Some(given)) if Sha256::digest(wanted) == Sha256::digest(given) => {
            return Ok(());
        }
        (Some(_), Some(_)) => "the one that was sent is wrong",
        (Some(_), None) => "send it as 'Authorization: Bearer TOKEN'",
        (None, _) => "start the server with --admin-token",
    };
    let why = format!("This path needs the admin token, because {reason}: {remedy}.");
    Err(refuse(403, "AccessDenied", &why))
}

/// The bearer token of a request. The name of the scheme has no case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_a_bearer_token_has_no_case() {
        let found = |value: &'static str| {
            let headers = [(http::header::AUTHORIZATION, http::HeaderValue::from_static(value))];
            bearer(&headers.into_iter().collect()).map(str::to_owned)
        };
        for value in ["Bearer x", "bearer x", "BEARER x", "bEaReR   x"] {
            assert_eq!(found(value).as_deref(), Some("x"), "{value}");
        }
        for value in ["x", "Bearer", "Bearerx", "Basic x", "Bearer-x y"] {
            assert_eq!(found(value), None, "{value}");
        }
    }

    #[test]
    fn only_names_that_no_stranger_can_point_here_are_known() {
        let named = ["queues.example.com".to_owned()];
        for host in [
            "localhost",
            "LOCALHOST.:4566",
            "127.0.0.1:80",
            "[::1]:4566",
            "192.0.2.1",
            "trunkline",
            "sqs.us-east-1.localhost.localstack.cloud:4566",
            "sqs.us-east-1.amazonaws.com",
            "host.docker.internal",
            "queues.default.svc.cluster.local",
            "queues.default.svc",
            "Queues.Example.com:1",
        ] {
            assert!(is_known(&named, host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evilamazonaws.com",
            "x.queues.example.com",
            "localhost:4566.evil.example",
            "",
            "?",
            "a b",
        ] {
            assert!(!is_known(&named, host), "{host}");
        }
        assert!(is_known(&["*".to_owned()], "any.example"));
    }
}
