//! A request and its answer, apart from how they travel: a socket or a call in the process.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;

use crate::counters::OperationCounters;

/// A request as the protocols see it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path as it was sent, still escaped.
    pub path: &'a str,
    /// The query string as it was sent, without its question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// What the server knows of the client; `None` for a caller in this process.
    pub peer: Option<Peer>,
    /// Where the dispatcher notes which operation it is, if the caller asks for it.
    pub seen: Option<&'a OnceLock<Arc<OperationCounters>>>,
}

/// The client of a request that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address: that of the connection or, behind a trusted proxy, the one that it names.
    pub address: IpAddr,
    /// Whether its connection is encrypted; behind a trusted proxy, whether the proxy says so.
    pub is_secure: bool,
    /// What made it send the request.
    pub sender: Sender,
}

/// What made a client send a request, as far as the request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A program: nothing in the request looks like a browser.
    Program,
    /// A page of this server.
    User,
    /// A person who opened an address in a browser: typed it, or followed a link of another
    /// program, whose text a stranger may have written.
    Visitor,
    /// A page that may call, or a browser that does not say what made it call.
    Page,
}

impl<'a> Request<'a> {
    /// The header `name`, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a body of this type.
    pub fn new(
        status: u16,
        content_type: impl Into<Cow<'static, str>>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let headers = vec![("content-type".into(), content_type.into())];
        Self { status, headers, body: body.into() }
    }

    /// The same answer with one more header.
    pub fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}
