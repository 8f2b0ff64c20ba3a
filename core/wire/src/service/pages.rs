//! What a resource says of web pages of other origins, where it is set for such.

use crate::message::Response;

/// The answer of a resource to the page that sends a request.
#[derive(Debug)]
pub enum PageAnswer {
    /// The answer to a browser that asks before it sends.
    Preflight(Response),
    /// The page may call, and these headers let it read the answer.
    Allowed(Vec<(&'static str, String)>),
    /// The page may not read the answer.
    Refused,
}
