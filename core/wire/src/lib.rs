//! AWS wire protocols: what an SDK sends, as an operation and a value; what comes back, in the
//! form that the SDK expects.
//!
//! The codecs are pure functions over a [`model::Model`]; nothing below them knows sockets.

pub mod auth;
pub mod codec;
pub mod detect;
pub mod error;
pub mod limits;
pub mod message;
pub mod model;
pub mod protocol;
pub mod validate;
pub mod value;

pub use error::WireError;
pub use value::Value;
