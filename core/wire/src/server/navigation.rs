//! Clicks on links in messages: a reader of web mail follows one across sites, which other requests
//! of foreign pages may not.
//!
//! A click replaces the page by the answer, so the page that has the link cannot read it. Nothing
//! else is let through: no frame, no image, no script, no form. The dispatcher then asks for the
//! secret that only the message tells, and refuses a link without it as the work of a page.

use http::Method;
use http::request::Parts;

use crate::codec::form::Form;

/// The operation that a click calls, if the request is a click on a link with a secret.
pub(super) fn clicked(head: &Parts) -> Option<String> {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let is_click = head.method == Method::GET
        && head.uri.path() == "/"
        && text("sec-fetch-mode") == Some("navigate")
        && text("sec-fetch-dest") == Some("document")
        && !head.headers.contains_key("origin");
    if !is_click {
        return None;
    }
    let form = Form::read(head.uri.query()?.as_bytes()).ok()?;
    let has_secret = form.get("Token").is_some_and(|token| !token.is_empty());
    form.get("Action").filter(|_| has_secret).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LINK: &str = "/?Action=Unsubscribe&Token=1&SubscriptionArn=arn";
    const CLICK: [(&str, &str); 2] =
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

    fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_top_level_navigation_to_a_link_with_a_secret_is_a_click() {
        assert_eq!(clicked(&head("GET", LINK, &CLICK)).as_deref(), Some("Unsubscribe"));
        let [mode, dest] = CLICK;
        let frame = ("sec-fetch-dest", "iframe");
        let image = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
        for headers in [
            &[mode][..],
            &[dest],
            &[mode, frame],
            &image,
            &[],
            &[mode, dest, ("origin", "https://mail.example")],
        ] {
            assert_eq!(clicked(&head("GET", LINK, headers)), None, "{headers:?}");
        }
        assert_eq!(clicked(&head("POST", LINK, &CLICK)), None);
        for uri in
            ["/", "/?Action=Unsubscribe", "/?Action=Unsubscribe&Token=", "/q?Action=A&Token=1"]
        {
            assert_eq!(clicked(&head("GET", uri, &CLICK)), None, "{uri}");
        }
    }
}
