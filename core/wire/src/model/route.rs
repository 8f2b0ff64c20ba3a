//! Which operation a method and path mean, in the REST protocols.

use std::cmp::Reverse;
use std::sync::OnceLock;

use http::HeaderMap;

use super::shape::{Kind, Location};
use super::{Model, Operation};
use crate::codec::form::Pair;

/// The routes of a model, the most specific first; made when first asked for.
#[derive(Debug, Default)]
pub(super) struct Routes(OnceLock<Vec<Route>>);

#[derive(Debug)]
struct Route {
    method: Box<str>,
    segments: Vec<Segment>,
    fixed: Vec<(Box<str>, Option<Box<str>>)>,
    needed: Needed,
    operation: Box<str>,
}

// Members that the input must have, by their names on the wire. Operations of S3 share method and
// path, and differ in these alone.
#[derive(Debug, Default)]
struct Needed {
    query: Vec<Box<str>>,
    headers: Vec<Box<str>>,
}

#[derive(Debug)]
enum Segment {
    Literal(Box<str>),
    Label(Box<str>),
    Greedy(Box<str>),
}

/// A route that fits: the operation's name, and its labels with their still escaped texts.
pub type Matched<'m, 'r> = (&'m str, Vec<(&'m str, &'r str)>);

impl Model {
    /// The operation behind a method, an escaped path, a query string and headers.
    pub fn route<'m, 'r>(
        &'m self,
        method: &str,
        path: &'r str,
        query: &[Pair<'_>],
        headers: &HeaderMap,
    ) -> Option<Matched<'m, 'r>> {
        let routes = self.routes.0.get_or_init(|| compile(self));
        let mut incomplete: Option<(&Route, Vec<(&str, &str)>)> = None;
        for route in routes.iter().filter(|route| *route.method == *method) {
            if !route.is_fixed_in(query) {
                continue;
            }
            let Some(labels) = route.labels(path) else { continue };
            // A path that fits better wins, whatever is missing.
            if incomplete.as_ref().is_some_and(|(better, _)| better.rank() != route.rank()) {
                break;
            }
            if route.needed.are_in(query, headers) {
                return Some((&*route.operation, labels));
            }
            // The validation says what is missing, for the one that needs least.
            incomplete = Some((route, labels));
        }
        incomplete.map(|(route, labels)| (&*route.operation, labels))
    }
}

impl Needed {
    fn of(model: &Model, operation: &Operation) -> Self {
        let mut needed = Self::default();
        let Some(Kind::Structure(members)) = operation.input.map(|id| &model.shape(id).kind) else {
            return needed;
        };
        for member in members.iter().filter(|member| member.required) {
            match member.location {
                Location::Query => needed.query.push(member.wire().into()),
                Location::Header => needed.headers.push(member.wire().into()),
                _ => {}
            }
        }
        needed
    }

    fn are_in(&self, query: &[Pair<'_>], headers: &HeaderMap) -> bool {
        self.query.iter().all(|name| query.iter().any(|(key, _)| **key == **name))
            && self.headers.iter().all(|name| headers.contains_key(&**name))
    }

    fn count(&self) -> usize {
        self.query.len() + self.headers.len()
    }
}

fn compile(model: &Model) -> Vec<Route> {
    let mut routes: Vec<Route> = model
        .operations()
        .map(|operation| {
            let (path, query) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
            Route {
                method: operation.method.clone(),
                segments: split(path).map(segment).collect(),
                fixed: query.split('&').filter(|pair| !pair.is_empty()).map(fixed).collect(),
                needed: Needed::of(model, operation),
                operation: operation.name.clone(),
            }
        })
        .collect();
    // More literal segments first, then more fixed parameters, greedy labels last; then what needs
    // more, and what is not out of date. The name breaks ties, so that the same model always routes
    // the same way.
    routes.sort_by_cached_key(|route| {
        let old = model.operation(&route.operation).is_some_and(|operation| operation.deprecated);
        (route.rank(), Reverse(route.needed.count()), old, route.operation.clone())
    });
    routes
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        None => Segment::Literal(text.into()),
        Some(label) => match label.strip_suffix('+') {
            Some(label) => Segment::Greedy(label.into()),
            None => Segment::Label(label.into()),
        },
    }
}

fn fixed(pair: &str) -> (Box<str>, Option<Box<str>>) {
    match pair.split_once('=') {
        Some((name, value)) => (name.into(), Some(value.into())),
        None => (pair.into(), None),
    }
}

impl Route {
    fn rank(&self) -> (Reverse<usize>, Reverse<usize>, bool) {
        let literals = self.segments.iter().filter(|s| matches!(s, Segment::Literal(_))).count();
        let greedy = self.segments.iter().any(|s| matches!(s, Segment::Greedy(_)));
        (Reverse(literals), Reverse(self.fixed.len()), greedy)
    }

    fn is_fixed_in(&self, query: &[Pair<'_>]) -> bool {
        self.fixed.iter().all(|(name, value)| {
            query.iter().any(|(key, text)| {
                **key == **name && value.as_ref().is_none_or(|value| **value == **text)
            })
        })
    }

    fn labels<'r>(&self, path: &'r str) -> Option<Vec<(&str, &'r str)>> {
        let mut labels = Vec::new();
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut rest = Some(path);
        for (place, segment) in self.segments.iter().enumerate() {
            let text = rest?;
            let (head, tail) = match segment {
                Segment::Greedy(_) => greedy(text, self.segments.len() - place - 1)?,
                _ => text.split_once('/').map_or((text, None), |(head, tail)| (head, Some(tail))),
            };
            match segment {
                Segment::Literal(literal) if **literal != *head => return None,
                Segment::Literal(_) => {}
                Segment::Label(_) | Segment::Greedy(_) if head.is_empty() => return None,
                Segment::Label(name) | Segment::Greedy(name) => labels.push((&**name, head)),
            }
            rest = tail;
        }
        // A slash at the end does not matter.
        rest.is_none_or(str::is_empty).then_some(labels)
    }
}

// Takes all but the last `after` segments.
fn greedy(text: &str, after: usize) -> Option<(&str, Option<&str>)> {
    if after == 0 {
        return Some((text, None));
    }
    let (cut, _) = text.rmatch_indices('/').nth(after - 1)?;
    Some((text.get(..cut)?, text.get(cut + 1..)))
}
