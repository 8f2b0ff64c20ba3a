//! What HTTP APIs tell browsers: which pages may call, and what they may read.

use super::table::Cors;

type Headers = Vec<(&'static str, String)>;

/// The headers of an answer to a page of this origin; none where it is not allowed.
pub(super) fn exposing(cors: &Cors, origin: &str) -> Headers {
    let mut headers = always(cors, origin);
    if !headers.is_empty() {
        add(&mut headers, "access-control-expose-headers", cors.exposed.as_ref());
    }
    headers
}

/// The headers of the answer to a page that asks what it may do.
pub(super) fn preflight(cors: &Cors, origin: &str) -> Headers {
    let mut headers = always(cors, origin);
    if !headers.is_empty() {
        add(&mut headers, "access-control-allow-methods", cors.methods.as_ref());
        add(&mut headers, "access-control-allow-headers", cors.headers.as_ref());
        add(&mut headers, "access-control-max-age", cors.max_age.as_ref());
    }
    headers
}

fn add(headers: &mut Headers, name: &'static str, value: Option<&String>) {
    headers.extend(value.map(|value| (name, value.clone())));
}

fn always(cors: &Cors, origin: &str) -> Headers {
    let is_any = cors.origins.iter().any(|one| one == "*");
    // `https://*` stands for every origin of the scheme.
    let allows = |one: &String| {
        let scheme = one.strip_suffix('*').filter(|scheme| scheme.ends_with("://"));
        one == origin || scheme.is_some_and(|scheme| origin.starts_with(scheme))
    };
    if !is_any && !cors.origins.iter().any(allows) {
        return Vec::new();
    }
    let allowed = if is_any { "*" } else { origin };
    let mut headers = vec![("access-control-allow-origin", allowed.to_owned())];
    if !is_any {
        headers.push(("vary", "origin".to_owned()));
    }
    if cors.has_credentials {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_is_allowed_is_told_so() {
        let cors = |origins: &[&str]| Cors {
            origins: origins.iter().map(|one| (*one).to_owned()).collect(),
            has_credentials: false,
            exposed: Some("x-one".to_owned()),
            methods: Some("GET,POST".to_owned()),
            headers: None,
            max_age: Some("5".to_owned()),
        };
        let told = |origins: &[&str]| exposing(&cors(origins), "https://a.example");
        assert_eq!(told(&["*"]).len(), 2);
        assert_eq!(preflight(&cors(&["*"]), "https://a.example").len(), 3);
        assert_eq!(told(&["https://*"])[0].1, "https://a.example");
        assert_eq!(told(&["http://b", "https://a.example"])[1], ("vary", "origin".to_owned()));
        let others = ["http://*", "https://a.example:1"];
        assert!(told(&others).is_empty());
        assert!(preflight(&cors(&others), "https://a.example").is_empty());
    }
}
