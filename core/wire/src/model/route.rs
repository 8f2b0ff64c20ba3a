//! Which operation a method and path mean, in the REST protocols.

use std::sync::OnceLock;

use super::Model;

/// The routes of a model, the most specific first; made when first asked for.
#[derive(Debug, Default)]
pub(super) struct Routes(OnceLock<Vec<Route>>);

#[derive(Debug)]
struct Route {
    method: Box<str>,
    segments: Vec<Segment>,
    fixed: Vec<(Box<str>, Option<Box<str>>)>,
    operation: Box<str>,
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
    /// The operation behind a method, an escaped path and the names in its query string.
    pub fn route<'m, 'r>(
        &'m self,
        method: &str,
        path: &'r str,
        query: &[(String, String)],
    ) -> Option<Matched<'m, 'r>> {
        let routes = self.routes.0.get_or_init(|| compile(self));
        routes.iter().filter(|route| *route.method == *method).find_map(|route| {
            let fixed = route.fixed.iter().all(|(name, value)| {
                query.iter().any(|(key, text)| {
                    **key == **name && value.as_ref().is_none_or(|value| **value == **text)
                })
            });
            let labels = fixed.then(|| route.labels(path))??;
            Some((&*route.operation, labels))
        })
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
                operation: operation.name.clone(),
            }
        })
        .collect();
    // More literal segments first, then more fixed parameters, greedy labels last. The name breaks
    // ties, so that the same model always routes the same way.
    routes.sort_by_cached_key(|route| {
        let literals = route.segments.iter().filter(|s| matches!(s, Segment::Literal(_))).count();
        let greedy = route.segments.iter().any(|s| matches!(s, Segment::Greedy(_)));
        let order = (usize::MAX - literals, usize::MAX - route.fixed.len(), greedy);
        (order, route.operation.clone())
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
