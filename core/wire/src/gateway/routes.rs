//! Which route a path means: literal parts win over variables, those over greedy variables. The two
//! kinds of APIs differ in details, and both are matched here.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::table::Style;
use crate::codec::uri;

/// The method that takes what no other does.
const ANY: &str = "ANY";

/// Routes by path and method. A route that is there but `None` is the control plane's.
#[derive(Debug)]
pub(super) struct Routes<T> {
    style: Style,
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literal: HashMap<String, Node<T>>,
    variable: Option<Box<(String, Node<T>)>>,
    greedy: Option<Box<(String, Node<T>)>>,
    methods: BTreeMap<String, Method<T>>,
}

#[derive(Debug)]
struct Method<T> {
    /// The parts of the path by which the route was added.
    pattern: Vec<String>,
    route: Option<T>,
}

/// A route, and what the path says: names and values.
pub(super) struct Found<'r, T> {
    pub route: &'r T,
    pub variables: Vec<(&'r str, String)>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literal: HashMap::new(), variable: None, greedy: None, methods: BTreeMap::new() }
    }
}

impl<T> Node<T> {
    fn method(&self, method: &str) -> Option<&Method<T>> {
        self.methods.get(method).or_else(|| self.methods.get(ANY))
    }
}

impl<T> Routes<T> {
    pub fn new(style: Style) -> Self {
        Self { style, root: Node::default() }
    }

    /// Adds a resource with its methods.
    pub fn add(&mut self, path: &str, methods: impl IntoIterator<Item = (String, Option<T>)>) {
        let parts: Vec<String> = match self.style {
            Style::Rest => {
                let parts = path.trim_matches('/').split('/');
                parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
            Style::Http => path.get(1..).unwrap_or("").split('/').map(str::to_owned).collect(),
        };
        let mut node = &mut self.root;
        for part in &parts {
            let below = if let Some(name) = greedy_name(part) {
                &mut node.greedy.get_or_insert_with(|| Box::new((name.into(), Node::default()))).1
            } else if let Some(name) = variable_name(part) {
                let made = || Box::new((name.into(), Node::default()));
                &mut node.variable.get_or_insert_with(made).1
            } else {
                node.literal.entry(part.clone()).or_default()
            };
            node = below;
        }
        for (method, route) in methods {
            node.methods.insert(method, Method { pattern: parts.clone(), route });
        }
    }

    /// The route of a request to `path`, which is still escaped. `None` where there is none here.
    pub fn find(&self, method: &str, path: &str) -> Option<Found<'_, T>> {
        match self.style {
            Style::Rest => {
                let path = path.trim_matches('/');
                let parts: Vec<&str> =
                    if path.is_empty() { Vec::new() } else { path.split('/').collect() };
                let mut variables = Vec::new();
                let found = rest(&self.root, &parts, method, &mut variables)?;
                Some(Found { route: found.route.as_ref()?, variables })
            }
            Style::Http => {
                let path = path.strip_prefix('/').unwrap_or(path);
                let parts: Vec<Cow<'_, str>> = path.split('/').map(unescaped).collect();
                let found = http(&self.root, &parts, 0, method)?;
                let variables = variables_of(&found.pattern, &parts);
                Some(Found { route: found.route.as_ref()?, variables })
            }
        }
    }
}

fn greedy_name(part: &str) -> Option<&str> {
    part.strip_suffix("+}").map(|part| part.get(1..).unwrap_or(""))
}

fn variable_name(part: &str) -> Option<&str> {
    part.strip_prefix('{').map(|part| part.strip_suffix('}').unwrap_or(part))
}

/// A text of a path, without its escapes; what is no UTF-8 is replaced.
pub(super) fn unescaped(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    Cow::Owned(String::from_utf8_lossy(&uri::decode(part.as_bytes(), false)).into_owned())
}

// A resource of a REST API without the method is no match. Values stay escaped.
fn rest<'r, T>(
    node: &'r Node<T>,
    parts: &[&str],
    method: &str,
    variables: &mut Vec<(&'r str, String)>,
) -> Option<&'r Method<T>> {
    let Some((part, others)) = parts.split_first() else { return node.method(method) };
    if let Some(below) = node.literal.get(*part)
        && let Some(found) = rest(below, others, method, variables)
    {
        return Some(found);
    }
    if let Some(variable) = &node.variable
        && !part.is_empty()
    {
        let known = variables.len();
        variables.push((&variable.0, (*part).to_owned()));
        if let Some(found) = rest(&variable.1, others, method, variables) {
            return Some(found);
        }
        variables.truncate(known);
    }
    let greedy = node.greedy.as_ref()?;
    let found = greedy.1.method(method)?;
    variables.push((&greedy.0, parts.join("/")));
    Some(found)
}

fn http<'r, T>(
    node: &'r Node<T>,
    parts: &[Cow<'_, str>],
    at: usize,
    method: &str,
) -> Option<&'r Method<T>> {
    let Some(part) = parts.get(at) else { return node.method(method) };
    let literal = node.literal.get(&**part).and_then(|below| http(below, parts, at + 1, method));
    if literal.is_some() {
        return literal;
    }
    if let Some(variable) = &node.variable
        && !part.is_empty()
        && let Some(found) = http(&variable.1, parts, at + 1, method)
    {
        return Some(found);
    }
    let greedy = node.greedy.as_ref()?;
    (!part.is_empty() || at + 1 < parts.len()).then(|| greedy.1.method(method))?
}

fn variables_of<'r>(pattern: &'r [String], parts: &[Cow<'_, str>]) -> Vec<(&'r str, String)> {
    let mut found = Vec::new();
    for (at, part) in pattern.iter().enumerate() {
        if let Some(name) = greedy_name(part) {
            found.push((name, parts.get(at..).unwrap_or_default().join("/")));
        } else if let Some(name) = variable_name(part) {
            found.push((name, parts.get(at).map(|part| part.to_string()).unwrap_or_default()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(style: Style, keys: &[&'static str]) -> Routes<&'static str> {
        let mut routes = Routes::new(style);
        for key in keys {
            let (method, path) = key.split_once(' ').unwrap();
            routes.add(path, [(method.to_owned(), Some(*key))]);
        }
        routes
    }

    fn told(routes: &Routes<&'static str>, method: &str, path: &str) -> Option<String> {
        let found = routes.find(method, path)?;
        let variables = found.variables.iter().map(|(name, value)| format!(" {name}={value}"));
        Some(format!("{}{}", found.route, variables.collect::<String>()))
    }

    #[test]
    fn literal_parts_win_over_variables_and_those_over_greedy_ones() {
        let keys = ["GET /a/b", "GET /a/{id}", "ANY /a/{rest+}", "POST /{x}/b"];
        for style in [Style::Rest, Style::Http] {
            let routes = routes(style, &keys);
            let told = |method, path| told(&routes, method, path);
            assert_eq!(told("GET", "/a/b").as_deref(), Some("GET /a/b"));
            assert_eq!(told("GET", "/a/c").as_deref(), Some("GET /a/{id} id=c"));
            assert_eq!(told("GET", "/a/b/c").as_deref(), Some("ANY /a/{rest+} rest=b/c"));
            assert_eq!(told("POST", "/a/b").as_deref(), Some("ANY /a/{rest+} rest=b"));
            assert_eq!(told("POST", "/z/b").as_deref(), Some("POST /{x}/b x=z"));
            assert_eq!(told("GET", "/z"), None);
        }
    }

    #[test]
    fn slashes_and_escapes_are_those_of_the_kind_of_api() {
        let keys = ["GET /a b", "GET /a", "GET /v/{x}", "GET /"];
        let rest = routes(Style::Rest, &keys);
        assert_eq!(told(&rest, "GET", "//a/").as_deref(), Some("GET /a"));
        assert_eq!(told(&rest, "GET", "/a%20b"), None);
        assert_eq!(told(&rest, "GET", "/v/%41").as_deref(), Some("GET /v/{x} x=%41"));
        let http = routes(Style::Http, &keys);
        assert_eq!(told(&http, "GET", "/a/"), None);
        assert_eq!(told(&http, "GET", "/").as_deref(), Some("GET /"));
        assert_eq!(told(&http, "GET", "/a%20b").as_deref(), Some("GET /a b"));
        assert_eq!(told(&http, "GET", "/v/%41%ff").as_deref(), Some("GET /v/{x} x=A\u{fffd}"));
    }
}
