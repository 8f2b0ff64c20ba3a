//! Blocking in the caller's own thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Ended, Millis, Parker, Result};

use crate::handle::OpenQueue;

/// Runs `attempt` until it yields something or `wait` is over; `None` then.
///
/// On a virtual clock the wait ends when that much time has passed there or in the world, so that a
/// program of one thread cannot wait for itself.
pub(crate) fn until<T>(
    open: &OpenQueue,
    wait: Millis,
    mut attempt: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let clock = open.engine.clock();
    let virtual_end = clock.is_virtual().then(|| clock.now().saturating_add(wait));
    let end = Instant::now() + Duration::from_millis(wait);
    loop {
        let parker = Arc::new(Parker::default());
        let waiter = open.queue.subscribe_until(parker.clone(), virtual_end);
        // Somebody may have sent between the caller's try and the subscription.
        let found = attempt();
        if !matches!(found, Ok(None)) {
            open.queue.unsubscribe(waiter);
            return found;
        }
        let woken = parker.park(end.saturating_duration_since(Instant::now()));
        let found = attempt();
        // After the attempt, so that a wake it did not use goes to the next waiter.
        let ended = open.queue.unsubscribe(waiter);
        if !woken || ended == Ended::Expired || !matches!(found, Ok(None)) {
            return found;
        }
    }
}
