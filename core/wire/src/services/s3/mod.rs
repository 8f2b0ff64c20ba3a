//! The data plane of S3: buckets, objects and uploads in parts, in `rest-xml`.
//!
//! Every request is an exchange (`service/exchange.rs`): the contents of objects are received and
//! sent piece by piece. Everything of S3 is here, its settings included, for one protocol and one
//! kind of resource serve them all.

mod access;
mod address;
mod answer;
mod attributes;
mod buckets;
mod checksum;
mod chunked;
mod conditions;
mod content;
mod context;
mod copy;
mod cors;
mod errors;
mod get;
mod headers;
mod lifecycle;
mod list;
mod multipart;
mod notification;
mod objects;
mod operations;
mod receiving;
mod service;
mod settings;
mod target;

pub use service::S3;
