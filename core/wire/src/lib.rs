//! AWS wire protocols and the HTTP server: what an SDK sends, carried out and answered.
//!
//! From the bottom up: `model` and `codec` are pure functions over a service's model; `protocol`,
//! `validate`, `auth` and `detect` make an operation of a request; `policy` says
//! who may; `services` are the data planes; `gateway` is the data path of APIs; `dispatch`
//! ties them together without waiting or blocking; `server` and the in-process caller wait.

mod arn;
pub mod auth;
pub mod codec;
pub mod counters;
mod data_identifiers;
pub mod detect;
pub mod dispatch;
pub mod error;
mod gateway;
mod json_web_token;
pub mod limits;
mod md5_simd;
mod memory;
pub mod message;
pub mod model;
pub mod policy;
pub mod protocol;
mod quotation;
mod regular_expression;
mod request_id;
pub mod server;
pub mod service;
pub mod services;
pub mod sockets;
pub mod validate;
pub mod value;

pub use error::WireError;
pub use gateway::TokenBuckets;
pub use json_web_token::verified_claims;
pub use regular_expression::RegularExpression;
pub use value::Value;
