//! Resource policies: whether the statements of a queue (or a topic, or a key) let a principal act.
//! Pure: a policy and a request in, a decision out.
//!
//! A policy is read once, by [`Policy::read`]. A policy with a flaw is refused when it is set; a
//! flawed policy that is stored all the same is evaluated with the flaw on the safe side: a `Deny`
//! holds, an `Allow` does not.

mod condition;
mod document;
mod operator;
mod principal;
mod statement;
mod template;
#[cfg(test)]
mod tests;
mod values;

use self::statement::{Effect, Statement};

/// What a policy is asked about.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// The account of the principal; empty for a service, which belongs to none.
    pub account: &'a str,
    /// The principal: an ARN, or the name of a service.
    pub principal: &'a str,
    /// The action: `sqs:SendMessage`.
    pub action: &'a str,
    /// The resource that is acted on, as an ARN.
    pub resource: &'a str,
    /// The condition keys of the request (`aws:SecureTransport` and the like) and their values.
    pub keys: &'a [(&'static str, String)],
}

/// What a policy says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement denies it; no other statement counts.
    Denied,
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement applies to it.
    Silent,
}

/// A policy, read.
#[derive(Debug)]
pub struct Policy {
    statements: Vec<Statement>,
    flaw: Option<String>,
    is_json: bool,
}

impl Policy {
    /// Reads a policy. What cannot be understood becomes its flaw; nothing is dropped in silence.
    pub fn read(text: &str) -> Self {
        let mut flaw = None;
        let statements = document::read(text, &mut flaw);
        let is_json = statements.is_some();
        let statements = statements.unwrap_or_else(|| vec![Statement::deny_all()]);
        Self { statements, flaw, is_json }
    }

    /// Whether the text is JSON in which no member stands twice: AWS answers other texts without a
    /// reason.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// The first thing in the policy that cannot be understood, as a sentence; `None` for a policy
    /// that may be set.
    pub fn flaw(&self) -> Option<&str> {
        self.flaw.as_deref()
    }

    /// What the policy says about `request`.
    pub fn evaluate(&self, request: &AuthorizationRequest<'_>) -> Decision {
        let mut decision = Decision::Silent;
        for statement in &self.statements {
            match (statement.effect(), statement.applies(request)) {
                // A statement that is not understood may deny, and never allows.
                (Effect::Deny, Some(true) | None) => return Decision::Denied,
                (Effect::Allow, Some(true)) => decision = Decision::Allowed,
                (Effect::Deny, Some(false)) | (Effect::Allow, Some(false) | None) => {}
            }
        }
        decision
    }
}
