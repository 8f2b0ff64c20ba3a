//! Requests whose bodies are not held: they are received piece by piece, and so are the bodies of
//! their answers.

use trunkline_engine::Settling;

use crate::error::{Result, WireError};
use crate::message::Response;

/// A request whose body is coming. Dropping it gives it up without a trace.
///
/// Every method may wait for a disk, so the server calls them on threads that may block.
pub trait Exchange: Send {
    /// Takes the next piece of the body. After a refusal the rest of the body does not matter.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), Refused>;

    /// Carries the request out: its body has ended.
    fn finish(self: Box<Self>) -> Exchanged;
}

/// The answer to a request whose body is not read to its end.
#[derive(Debug)]
pub struct Refused(pub Box<Response>);

/// Makes the answer to a request whose wait for the disk failed.
pub type Failed = Box<dyn FnOnce(WireError) -> Response + Send>;

/// The end of an exchange.
pub struct Exchanged {
    /// The answer; its body is empty where there is a source.
    pub response: Response,
    /// What has to be durable before it is handed out, and the answer if that fails.
    pub settling: Option<(Settling, Failed)>,
    /// Where the body of the answer comes from.
    pub body: Option<Box<dyn BodySource>>,
}

impl From<Response> for Exchanged {
    fn from(response: Response) -> Self {
        Self { response, settling: None, body: None }
    }
}

/// The body of an answer.
pub trait BodySource: Send {
    /// How many bytes there are in all.
    fn length(&self) -> u64;

    /// Reads the next bytes; how many, 0 at the end.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize>;
}
