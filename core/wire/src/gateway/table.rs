//! A compiled stage as the control plane hands it over: JSON that is read once, here. A table with
//! anything that these types do not know is refused as a whole, and its API is served by the
//! control plane.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A stage that was compiled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// The kind of the API.
    pub style: Style,
    /// All resources, in the order in which the control plane matches them.
    pub resources: Vec<Resource>,
    /// The route for what no resource takes.
    pub default: Option<Route>,
    /// What pages of other origins may read.
    pub cors: Option<Cors>,
}

/// How paths are matched, and what the gateway adds to its answers.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    /// A REST API.
    Rest,
    /// An HTTP API.
    Http,
}

impl Style {
    /// The name that the control plane knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Http => "http",
        }
    }
}

/// A path and its methods; the control plane serves a method without a route.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    pub path: String,
    pub methods: BTreeMap<String, Option<Route>>,
}

/// What becomes of a request to a method.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// The token buckets, each with a name, its size, and what it gets a second.
    pub limits: Vec<(String, f64, f64)>,
    /// The answer where a bucket is empty; the control plane has it where this is `None`.
    pub throttled: Option<Fixed>,
    /// What is done, by the content type of the request; one without a type takes every other.
    pub works: Vec<(Option<String>, Option<Work>)>,
}

/// An answer that nothing changes.
#[derive(Debug, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixed {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What is done for a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Work {
    /// The answer is made without an integration.
    Mock(Answer),
    /// An operation of a data plane is called.
    Call(Box<Operation>),
}

/// An operation of a data plane.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub service: String,
    pub operation: String,
    pub account: String,
    pub region: String,
    pub input: OperationInput,
    pub output: OutputForm,
    pub answer: Answer,
}

/// How the input of an operation is made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OperationInput {
    /// A template renders the JSON text.
    Body(Vec<Piece>),
    /// Each member has a value of its own.
    Members(Vec<Member>),
    /// The same for the one element of a list of this name.
    Entry(String, Vec<Member>),
}

/// A member of an input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub name: String,
    pub kind: MemberKind,
    pub value: Vec<Piece>,
    /// Whether the value is one variable, so that the member is left out where that is not there.
    pub is_variable: bool,
    /// Whether a request without it is refused, which is the control plane's task.
    pub is_required: bool,
}

/// What a member is in JSON.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberKind {
    Text,
    Number,
    /// Base64 as it is; every other text is encoded.
    Blob,
}

/// What an answer is made of: the operation's output in one of these forms.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutputForm {
    /// The JSON text of the service.
    Plain,
    /// The members of the service's model, as HTTP APIs write them.
    Modelled,
    /// The answer of the query protocol as JSON.
    Query,
}

/// The answer to the caller.
#[derive(Debug, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// A template; without one the output is the body.
    pub body: Option<Vec<Piece>>,
}

/// A part of a template.
#[derive(Debug, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    pub source: Source,
    /// What is done with the text of the source, in this order.
    #[serde(default)]
    pub apply: Vec<Transform>,
}

/// Where a part of a template comes from.
#[derive(Debug, Deserialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Source {
    Text(String),
    /// `$input.body`: an empty body is `{}`.
    Input,
    /// The body as it is.
    Payload,
    /// `$input.json(path)`.
    Json(String),
    /// `$input.path(path)`, where that is a text.
    Path(String),
    /// What a path names in the body, where that is a text.
    PayloadPath(String),
    /// `$input.params(name)`: in the path, the query string, the headers.
    Parameter(String),
    /// All values of a header.
    Header(String),
    /// All values of a parameter of the query string.
    Query(String),
    /// A variable of the route's path.
    Variable(String),
    Method,
    RequestId,
    /// The address of the client.
    #[serde(rename = "source_ip")]
    ClientAddress,
    EpochMillis,
}

/// What a template does with a text.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transform {
    UrlEncode,
    EscapeJavaScript,
    Base64Encode,
    /// `.replaceAll("\\'", "'")`
    PlainQuotes,
    /// A value of a form is read: the template has put the text into one as it is.
    FormDecode,
}

/// What the gateway tells browsers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cors {
    pub origins: Vec<String>,
    pub has_credentials: bool,
    /// Values of headers.
    pub exposed: Option<String>,
    pub methods: Option<String>,
    pub headers: Option<String>,
    pub max_age: Option<String>,
}
