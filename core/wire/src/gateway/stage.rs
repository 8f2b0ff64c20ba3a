//! A compiled stage, ready for requests.

use std::sync::Arc;

use super::answer::{Frame, PendingAnswer};
use super::buckets::{Limit, TokenBuckets};
use super::incoming::{Body, Incoming};
use super::routes::{Found, Routes};
use super::table::{
    self, Answer, Cors, Fixed, Member, MemberKind, Operation, OperationInput, OutputForm, Style,
    Table, Work,
};
use crate::codec::json::write_text;
use crate::codec::object::Object;
use crate::message::{Request, Response};
use crate::model::Model;
use crate::request_id;
use crate::service::OperationId;

/// A stage of an API.
pub(crate) struct Stage {
    style: Style,
    routes: Routes<Route>,
    default: Option<Route>,
    cors: Option<Cors>,
}

struct Route {
    limits: Vec<Limit>,
    throttled: Option<Fixed>,
    works: Vec<(Option<String>, Option<ReadyWork>)>,
}

enum ReadyWork {
    Mock(Answer),
    Call(Arc<Callable>),
}

/// Where an operation is, and the model of its service.
pub(crate) struct Target {
    /// The number of its data plane.
    pub plane: usize,
    /// The operation there.
    pub operation: OperationId,
    /// The model of the service.
    pub model: Arc<Model>,
}

/// An operation that a route calls.
pub(crate) struct Callable {
    pub target: Target,
    pub account: String,
    pub region: String,
    name: Arc<str>,
    input: OperationInput,
    form: OutputForm,
    answer: Answer,
}

/// A request that can be served here, unless a token bucket is empty.
pub(crate) struct Prepared<'s> {
    route: &'s Route,
    frame: Frame,
    next: Next,
}

enum Next {
    Answered(Box<Answer>),
    Called(Box<Called>),
}

/// What a request that was let in comes to.
pub(crate) enum Admitted {
    /// The answer.
    Answered(Response),
    /// A call, after which the answer is written.
    Called(Box<Called>, Frame),
    /// The control plane answers.
    Declined,
}

/// A call that is ready to be made.
pub(crate) struct Called {
    pub callable: Arc<Callable>,
    /// The input of the operation, as JSON.
    pub input: Vec<u8>,
    trace: Option<String>,
    answer: Answer,
}

impl Stage {
    /// Makes a stage of a table; `target` finds operations. `None` for a table that cannot be read.
    pub fn read(table: &[u8], target: &dyn Fn(&str, &str) -> Option<Target>) -> Option<Self> {
        let table: Table = serde_json::from_slice(table).ok()?;
        let mut routes = Routes::new(table.style);
        for resource in table.resources {
            let methods = resource.methods.into_iter();
            let methods =
                methods.map(|(method, route)| (method, route.map(|one| ready(one, target))));
            routes.add(&resource.path, methods);
        }
        let default = table.default.map(|route| ready(route, target));
        Some(Self { style: table.style, routes, default, cors: table.cors })
    }

    /// The answer to a page that asks what it may do, whatever the path.
    pub fn preflight(&self, request: &Request<'_>) -> Option<Response> {
        let cors = self.cors.as_ref()?;
        let origin = plain_header(request, "origin")??;
        let asks = request.headers.contains_key("access-control-request-method");
        (request.method == "OPTIONS" && asks).then(|| {
            let frame = Frame::new(self.style, request_id::next(), None, None);
            frame.preflight(cors, origin)
        })
    }

    /// What is done for a request to `path` below the stage. `None`: the control plane answers it.
    pub fn prepare<'s>(
        &'s self,
        request: &Request<'_>,
        path: &str,
        now: u64,
    ) -> Option<Prepared<'s>> {
        let origin = plain_header(request, "origin")?;
        let found = self.routes.find(request.method, path);
        let found = found.or_else(|| {
            let route = self.default.as_ref()?;
            Some(Found { route, variables: Vec::new() })
        })?;
        let work = found.route.work(request)?;
        let request_id = request_id::next();
        let incoming = Incoming {
            style: self.style,
            request,
            variables: &found.variables,
            request_id: &request_id,
            now,
            body: Body::new(request.body),
        };
        let next = match work {
            ReadyWork::Mock(answer) => Next::Answered(Box::new(incoming.answer(answer)?)),
            ReadyWork::Call(callable) => Next::Called(Box::new(Called {
                input: callable.input(&incoming)?,
                trace: self.trace(request, now)?,
                answer: incoming.answer(&callable.answer)?,
                callable: callable.clone(),
            })),
        };
        drop(incoming);
        let frame = Frame::new(self.style, request_id, self.cors.as_ref(), origin);
        Some(Prepared { route: found.route, frame, next })
    }

    /// The trace that a REST API tells of a call. `None` if the caller's is no plain text.
    fn trace(&self, request: &Request<'_>, now: u64) -> Option<Option<String>> {
        if self.style == Style::Http {
            return Some(None);
        }
        let given = plain_header(request, "x-amzn-trace-id")?.filter(|given| !given.is_empty());
        Some(Some(given.map_or_else(|| new_trace(now), str::to_owned)))
    }
}

fn new_trace(now: u64) -> String {
    let (high, low) = (request_id::random(), request_id::random());
    format!("Root=1-{:08x}-{high:016x}{:08x}", now / 1_000, low >> 32)
}

/// The last value of a header. The outer `None`: it is no plain text.
fn plain_header<'a>(request: &Request<'a>, name: &str) -> Option<Option<&'a str>> {
    match request.headers.get_all(name).iter().next_back() {
        None => Some(None),
        Some(value) => value.to_str().ok().map(Some),
    }
}

fn ready(route: table::Route, target: &dyn Fn(&str, &str) -> Option<Target>) -> Route {
    let work = |work: Option<Work>| match work? {
        Work::Mock(answer) => Some(ReadyWork::Mock(answer)),
        Work::Call(operation) => {
            let Operation { service, operation, account, region, input, output, answer } =
                *operation;
            let target = target(&service, &operation)?;
            let (name, form) = (operation.into(), output);
            let callable = Callable { target, account, region, name, input, form, answer };
            Some(ReadyWork::Call(Arc::new(callable)))
        }
    };
    let works = route.works.into_iter().map(|(kind, one)| (kind, work(one))).collect();
    Route { limits: route.limits, throttled: route.throttled, works }
}

impl Route {
    fn work(&self, request: &Request<'_>) -> Option<&ReadyWork> {
        let is_default = |kind: &Option<String>| kind.is_none();
        if let [(kind, work)] = &*self.works
            && is_default(kind)
        {
            return work.as_ref();
        }
        let given = plain_header(request, "content-type")?.filter(|given| !given.is_empty());
        let given = given.unwrap_or("application/json");
        let given = given.split(';').next().unwrap_or("").trim();
        let named = self.works.iter().find(|(kind, _)| kind.as_deref() == Some(given));
        let chosen = named.or_else(|| self.works.iter().find(|(kind, _)| is_default(kind)));
        chosen?.1.as_ref()
    }
}

impl<'a> Incoming<'a> {
    /// An answer whose template reads the output alone.
    fn answer<'s: 'a>(&self, answer: &'s Answer) -> Option<Answer> {
        let body = match &answer.body {
            Some(pieces) => Some(self.settled(pieces)?),
            None => None,
        };
        Some(Answer { status: answer.status, headers: answer.headers.clone(), body })
    }
}

impl Callable {
    fn input<'a, 's: 'a>(&'s self, incoming: &Incoming<'a>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(incoming.request.body.len() + 256);
        match &self.input {
            OperationInput::Body(pieces) => return incoming.render(pieces).map(String::into_bytes),
            OperationInput::Members(members) => write_members(members, incoming, &mut out)?,
            OperationInput::Entry(list, members) => {
                let mut object = Object::open(&mut out);
                let list = object.any_key(list);
                list.push(b'[');
                write_members(members, incoming, list)?;
                list.push(b']');
                object.close();
            }
        }
        Some(out)
    }
}

fn write_members<'a, 's: 'a>(
    members: &'s [Member],
    incoming: &Incoming<'a>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut object = Object::open(out);
    for member in members {
        let text = match &*member.value {
            [piece] if member.is_variable => incoming.read_whole(&piece.source)?.map(String::from),
            pieces => Some(incoming.render(pieces)?),
        };
        let Some(text) = text else {
            if member.is_required {
                return None;
            }
            continue;
        };
        if member.is_required && text.is_empty() {
            return None;
        }
        write_member(member.kind, &text, object.any_key(&member.name))?;
    }
    object.close();
    Some(())
}

fn write_member(kind: MemberKind, text: &str, out: &mut Vec<u8>) -> Option<()> {
    match kind {
        MemberKind::Text => write_text(text, out),
        MemberKind::Number => {
            out.extend_from_slice(text.parse::<i32>().ok()?.to_string().as_bytes());
        }
        MemberKind::Blob => {
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            let encoded = if !text.bytes().all(is_base64) {
                base64_simd::STANDARD.encode_to_string(text.as_bytes())
            } else if base64_simd::STANDARD.check(text.as_bytes()).is_ok() {
                text.to_owned()
            } else {
                // Decoders differ in what they take.
                return None;
            };
            write_text(&encoded, out);
        }
    }
    Some(())
}

impl<'s> Prepared<'s> {
    /// The token buckets of the request.
    pub fn limits(&self) -> &'s [Limit] {
        &self.route.limits
    }

    /// Takes the tokens of the request, unless `is_admitted` already; makes the answer where there
    /// is one.
    pub fn admit(self, buckets: &TokenBuckets, now: u64, is_admitted: bool) -> Admitted {
        let Self { route, frame, next } = self;
        if !is_admitted && !buckets.take(&route.limits, now as f64 / 1_000.0) {
            let answer = route.throttled.as_ref().map(|fixed| frame.fixed(fixed));
            return answer.map_or(Admitted::Declined, Admitted::Answered);
        }
        match next {
            Next::Called(called) => Admitted::Called(called, frame),
            Next::Answered(answer) => match frame.mocked(&answer) {
                Some(response) => Admitted::Answered(response),
                None => {
                    buckets.give_back(&route.limits);
                    Admitted::Declined
                }
            },
        }
    }
}

impl Called {
    /// What writes the answer once the operation has ended.
    pub fn pending(self, frame: Frame) -> PendingAnswer {
        let Self { callable, trace, answer, .. } = self;
        PendingAnswer {
            frame,
            trace,
            answer,
            form: callable.form,
            operation: callable.name.clone(),
            model: callable.target.model.clone(),
        }
    }
}
