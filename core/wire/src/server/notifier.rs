//! Signals of the engine for tasks of the server.

use tokio::sync::Notify;
use trunkline_engine::Signal;

/// Wakes a task from any thread.
#[derive(Default)]
pub(super) struct Notifier(Notify);

impl Notifier {
    /// Waits for the next signal.
    pub(super) async fn notified(&self) {
        self.0.notified().await;
    }
}

impl Signal for Notifier {
    fn signal(&self) {
        self.0.notify_one();
    }
}
