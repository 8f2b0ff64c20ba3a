//! Turns among the requests to APIs, and the answer to a request that gets none.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::Shared;
use super::body::refuse;
use crate::message::Response;

/// How long a request to an API may wait for its turn: as long as an integration may take.
const API_PATIENCE: Duration = Duration::from_secs(29);

/// A turn among the requests to APIs; `None` if it does not come in time.
pub(super) async fn api_turn(shared: &Shared) -> Option<SemaphorePermit<'_>> {
    timeout(API_PATIENCE, shared.apis.acquire()).await.ok()?.ok()
}

/// The answer to a request that gets no turn.
pub(super) fn busy() -> Response {
    refuse(503, "ServiceUnavailable", "The server is busy. Try again.")
}
