//! The links in messages of topics, which need no signature: to confirm a subscription, and to end
//! one.

use trunkline_engine::{Engine, ResourceName};

use super::target;
use crate::codec::form::Form;
use crate::message::Request;
use crate::value::Value;

/// The topic that a link is about, if it is one.
pub(super) fn resource(
    engine: &Engine,
    request: &Request<'_>,
    operation: &str,
    input: &Value,
) -> Option<ResourceName> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let is_link = match operation {
        // The operation itself looks its token up. Who wants that only signed requests end the
        // subscription has to sign this one.
        "ConfirmSubscription" => {
            let authenticates = text("AuthenticateOnUnsubscribe").unwrap_or("false");
            text("Token").is_some() && authenticates.eq_ignore_ascii_case("false")
        }
        "Unsubscribe" => {
            let form = Form::read(request.query.as_bytes()).ok()?;
            let expected = engine.unsubscribe_token(text("SubscriptionArn")?);
            form.get("Token").is_some_and(|token| is_same(token, &expected))
        }
        _ => false,
    };
    target::of(input).filter(|_| is_link)
}

/// Compares two secrets in a time that tells nothing of where they differ.
fn is_same(given: &str, expected: &str) -> bool {
    let differences = given.bytes().zip(expected.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == expected.len() && differences == 0
}
