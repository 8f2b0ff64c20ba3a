//! The data plane of SNS: `Publish` and `PublishBatch`, from a request to the engine and back.

mod access;
mod attributes;
mod audit;
mod batch;
mod checked;
mod direct;
mod errors;
mod finder;
mod input;
mod link;
mod outbox;
mod place;
mod protection;
mod publish;
mod service;
mod signing;
mod target;

pub(crate) use access::check as check_access;
pub use protection::Protection;
pub use service::Sns;
pub use signing::sign;
