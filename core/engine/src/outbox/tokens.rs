//! Access tokens of endpoints. The outbox keeps them in memory and sends them; it gets them from
//! the embedder, who asks the authorization server when a notice says that one is needed.
//!
//! A destination without a valid token waits: it leases nothing until the embedder answers, with a
//! token or with the reason why there is none. Then its deliveries fail for that reason, and are
//! tried again as their retry table says.

use std::collections::HashMap;

use trunkline_host::Routed;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, Result};

use super::Outbox;
use super::request::TokenSource;

/// How long after a notice the next one is sent, if nothing came.
const ASK_AGAIN: Millis = 60_000;
/// For how long a refusal holds: deliveries that are due meanwhile fail without a notice.
const REFUSED_FOR: Millis = 1_000;

/// What is known of the token of a key.
enum State {
    /// A notice was sent.
    Asked { at: Millis },
    /// The value of the `Authorization` header, and until when it may be used.
    Valid { value: String, until: Millis },
    /// There is none.
    Refused { why: String, at: Millis },
}

/// The tokens, by their keys.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, State>>);

/// What a destination does about its token.
pub(super) enum Token {
    /// Sends this header value.
    Value(String),
    /// Waits.
    Awaited,
    /// Fails what is due.
    Refused(String),
}

impl Outbox {
    /// Keeps the token of a key: the value of the header `Authorization`, to be used until `until`.
    pub fn set_token(&self, key: &str, value: String, until: Millis) {
        lock(&self.tokens.0).insert(key.to_owned(), State::Valid { value, until });
        self.notify_token(key);
    }

    /// Says why there is no token for a key: what waits for it fails.
    pub fn refuse_token(&self, key: &str, why: String) {
        let at = self.host.now();
        lock(&self.tokens.0).insert(key.to_owned(), State::Refused { why, at });
        self.notify_token(key);
    }

    /// Forgets the token of a key: it is asked for again when it is needed.
    pub fn forget_token(&self, key: &str) {
        lock(&self.tokens.0).remove(key);
    }

    /// The token of a key, if it may be used now.
    pub fn valid_token(&self, key: &str) -> Option<String> {
        match lock(&self.tokens.0).get(key) {
            Some(State::Valid { value, until }) if self.host.now() < *until => Some(value.clone()),
            _ => None,
        }
    }

    /// The token for the next attempts.
    pub(super) fn token(&self, source: &TokenSource) -> Token {
        let now = self.host.now();
        let tokens = lock(&self.tokens.0);
        match tokens.get(&source.key) {
            Some(State::Valid { value, until }) if now < *until => {
                return Token::Value(value.clone());
            }
            Some(State::Refused { why, at }) if now < at.saturating_add(REFUSED_FOR) => {
                return Token::Refused(why.clone());
            }
            Some(State::Asked { at }) if now < at.saturating_add(ASK_AGAIN) => {
                return Token::Awaited;
            }
            _ => {}
        }
        drop(tokens);
        match self.ask_for_token(source) {
            Ok(()) => Token::Awaited,
            Err(error) => Token::Refused(format!("no token can be asked for: {}", error.message())),
        }
    }

    /// Sends the notice that a token is needed, whatever is known of one. Destinations that need it
    /// meanwhile wait for the answer, and send no notice of their own.
    pub fn ask_for_token(&self, source: &TokenSource) -> Result<()> {
        let at = self.host.now();
        lock(&self.tokens.0).insert(source.key.clone(), State::Asked { at });
        let notice = Routed { body: source.key.as_bytes(), ..Routed::default() };
        let sent = self.host.deliver(source.notices, &notice);
        if sent.is_err() {
            lock(&self.tokens.0).remove(&source.key);
        }
        sent.map(drop)
    }

    /// The endpoint refused a token: it is asked for again, unless another one has come meanwhile.
    pub(super) fn token_was_refused(&self, source: &TokenSource, used: &str) {
        let mut tokens = lock(&self.tokens.0);
        if matches!(tokens.get(&source.key), Some(State::Valid { value, .. }) if value == used) {
            tokens.remove(&source.key);
        }
    }

    fn notify_token(&self, key: &str) {
        let uses = |id: &ResourceId| {
            let prepared = self.destination(*id).map(|destination| destination.prepared());
            let source = prepared.as_ref().and_then(|prepared| prepared.config.http.token.as_ref());
            source.is_some_and(|source| source.key == key)
        };
        let waiting: Vec<ResourceId> =
            self.all_destinations().iter().map(|destination| destination.id).filter(uses).collect();
        waiting.into_iter().for_each(|id| self.notify(id));
    }
}
