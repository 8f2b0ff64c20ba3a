//! Waiting for the disk, for a task of the server.

use std::sync::Arc;

use trunkline_engine::{Settled, Settling};

use super::Shared;
use super::notifier::Notifier;
use crate::error::{Result, WireError};

/// Waits until what was written is as durable as it has to be.
pub(super) async fn settle(shared: &Shared, settling: &Settling) -> Result<()> {
    let host = shared.dispatcher.engine().host();
    let notifier = Arc::new(Notifier::default());
    loop {
        let polled = settling.poll(host, || notifier.clone());
        match polled.map_err(|error| WireError::from_engine(&error))? {
            Settled::Yes => return Ok(()),
            Settled::OnSignal => notifier.notified().await,
            Settled::After(left) => tokio::time::sleep(left).await,
        }
    }
}
