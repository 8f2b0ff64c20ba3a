//! The services whose data plane is in Rust, one line each.

pub mod events;
pub mod kinesis;
mod message_attributes;
pub mod s3;
pub mod sns;
pub mod sqs;
pub mod states;
pub mod swf;

use std::sync::Arc;

use trunkline_engine::Engine;

use crate::service::Service;

/// Makes every data plane there is.
pub fn all() -> Vec<Arc<dyn Service>> {
    vec![
        Arc::new(sqs::Sqs),
        Arc::new(sns::Sns),
        Arc::new(events::Events),
        Arc::<kinesis::Kinesis>::default(),
        Arc::new(s3::S3),
        Arc::new(swf::Swf),
        Arc::<states::States>::default(),
    ]
}

/// Lets topics and rules send only to queues whose policy allows it.
pub fn enforce_policies(engine: &Engine) {
    engine.enforce_policies(Arc::new(sqs::QueuePolicies::default()));
}
