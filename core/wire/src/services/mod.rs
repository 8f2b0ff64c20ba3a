//! The services whose data plane is in Rust.

pub mod sqs;
