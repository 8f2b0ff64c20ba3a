//! Links in messages of topics: which requests without a signature reach the control plane, and in
//! whose name.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use trunkline_engine::{Engine, OpenOptions};
use trunkline_wire::auth::{Credentials, Mode};
use trunkline_wire::detect::ServiceInfo;
use trunkline_wire::dispatch::{Call, ControlPlane, Dispatcher};
use trunkline_wire::error::Result;
use trunkline_wire::message::{Peer, Request, Sender};
use trunkline_wire::{Value, WireError};

const MODEL: &str = r#"{
    "metadata": {"apiVersion": "2010-03-31", "protocol": "query", "protocols": ["query"]},
    "operations": {
        "Unsubscribe": {"name": "Unsubscribe", "input": {"shape": "UnsubscribeInput"}},
        "ConfirmSubscription": {"name": "ConfirmSubscription", "input": {"shape": "ConfirmInput"}},
        "DeleteTopic": {"name": "DeleteTopic", "input": {"shape": "DeleteInput"}},
        "ListTopics": {"name": "ListTopics"}
    },
    "shapes": {
        "Text": {"type": "string"},
        "UnsubscribeInput": {"type": "structure", "members": {
            "SubscriptionArn": {"shape": "Text"}}},
        "DeleteInput": {"type": "structure", "members": {"TopicArn": {"shape": "Text"}}},
        "ConfirmInput": {"type": "structure", "members": {
            "TopicArn": {"shape": "Text"}, "Token": {"shape": "Text"},
            "AuthenticateOnUnsubscribe": {"shape": "Text"}}}
    }
}"#;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111111111111:orders";

/// Notes what reaches it.
#[derive(Default)]
struct Reached(Mutex<Vec<String>>);

impl ControlPlane for Reached {
    fn call(&self, call: &Call, _input: Value) -> Result<Value> {
        let Call { operation, account, region, access_key, .. } = call;
        let noted = format!("{operation} {account} {region} {access_key:?}");
        self.0.lock().unwrap().push(noted);
        Err(WireError::new("Reached", 418, ""))
    }

    fn model(&self, _service: &str) -> std::result::Result<Vec<u8>, String> {
        Ok(MODEL.as_bytes().to_vec())
    }

    fn reset(&self, _: bool) {}
}

struct Side {
    engine: Arc<Engine>,
    reached: Arc<Reached>,
    dispatcher: Dispatcher,
}

impl Side {
    fn new(auth: Mode) -> Self {
        let engine = Engine::open(OpenOptions::memory()).unwrap();
        let reached = Arc::new(Reached::default());
        let sns = ServiceInfo {
            name: "sns".to_owned(),
            api_version: Some("2010-03-31".to_owned()),
            actions: vec!["ConfirmSubscription".to_owned(), "Unsubscribe".to_owned()],
            ..ServiceInfo::default()
        };
        let dispatcher = Dispatcher::new(engine.clone(), reached.clone(), vec![sns], auth);
        Self { engine, reached, dispatcher }
    }

    /// The status of a request as a browser sends it, and what reached the control plane.
    fn send(&self, method: &str, query: &str, target: Option<&str>) -> (u16, Vec<String>) {
        let mut headers = http::HeaderMap::new();
        if let Some(target) = target {
            headers.insert("x-amz-target", target.parse().unwrap());
        }
        let address = [127, 0, 0, 1].into();
        let peer = Some(Peer { address, is_secure: false, sender: Sender::Page });
        let request =
            Request { method, path: "/", query, headers: &headers, body: b"", peer, seen: None };
        let status = self.dispatcher.call(&request, "http://a", &|| false).status;
        (status, std::mem::take(&mut *self.reached.0.lock().unwrap()))
    }

    fn get(&self, query: &str) -> (u16, Vec<String>) {
        self.send("GET", query, None)
    }
}

fn modes() -> [Side; 3] {
    [Mode::Off, Mode::Parse, Mode::Strict(Credentials::default())].map(Side::new)
}

#[test]
fn a_link_with_its_secret_is_carried_out_in_the_name_of_the_owner_of_the_topic() {
    let arn = format!("{TOPIC}:0a");
    for side in modes() {
        let token = side.engine.unsubscribe_token(&arn);
        let unsubscribe = format!("Action=Unsubscribe&Token={token}&SubscriptionArn={arn}");
        let confirm = format!("Action=ConfirmSubscription&TopicArn={TOPIC}&Token=0123");
        for (operation, query) in [("Unsubscribe", unsubscribe), ("ConfirmSubscription", confirm)] {
            let wanted = format!("{operation} 111111111111 eu-west-1 None");
            assert_eq!(side.get(&query), (418, vec![wanted]));
            assert_ne!(side.send("HEAD", &query, None).0, 418);
            assert_ne!(side.send("GET", &query, Some("AmazonSQS.SendMessage")).0, 418);
        }
    }
}

#[test]
fn without_its_secret_a_get_reaches_nothing() {
    let (arn, other) = (format!("{TOPIC}:0a"), format!("{TOPIC}:0b"));
    for side in modes() {
        let token = side.engine.unsubscribe_token(&arn);
        let (short, foreign) = (&token[1..], side.engine.unsubscribe_token(&other));
        let named = format!("Action=Unsubscribe&SubscriptionArn={arn}");
        for query in [
            named.clone(),
            format!("{named}&Token="),
            format!("{named}&Token={short}"),
            format!("{named}&Token={foreign}"),
            format!("{named}&Token={foreign}&SubscriptionArn={other}&Token={token}"),
            format!("Action=Unsubscribe&Token={token}&SubscriptionArn={other}"),
            format!("Action=Unsubscribe&Token={token}"),
            format!("Action=DeleteTopic&Version=2010-03-31&TopicArn={TOPIC}&Token={token}"),
            format!("{named}&Token={token}&Action=DeleteTopic&TopicArn={TOPIC}"),
            format!("Action=ConfirmSubscription&TopicArn={TOPIC}"),
            format!(
                "Action=ConfirmSubscription&TopicArn={TOPIC}&Token=0123\
                 &AuthenticateOnUnsubscribe=true"
            ),
        ] {
            let (status, reached) = side.get(&query);
            let expected = if reached.is_empty() { 403 } else { 418 };
            // Of two values one counts; the secret must be for that one.
            let is_twice = query.matches("SubscriptionArn=").count() == 2
                || query.matches("Action=").count() == 2;
            assert!(is_twice || status == 403, "{query}: {status} {reached:?}");
            assert_eq!(status, expected, "{query}");
            assert!(reached.iter().all(|call| !call.starts_with("DeleteTopic")), "{query}");
        }
    }
}

#[test]
fn where_signatures_are_proved_a_get_without_one_does_not_even_read() {
    let query = "Action=ListTopics&Version=2010-03-31";
    let [off, parse, strict] = modes();
    for side in [off, parse] {
        assert_eq!(side.get(query).0, 418);
    }
    assert_eq!(strict.get(query), (403, vec![]));
}
