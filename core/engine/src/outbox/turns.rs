//! Starts the task that takes turns. At most one runs; one that cannot be started, because the
//! process has no thread or descriptor to spare, is started later.
//!
//! Invariant: a request that comes while a task starts is served by that task. If the task does not
//! start, the request is dropped with it, and only then is the timer armed. So no request is left
//! without a task or a timer.

use trunkline_host::{Ticker, TimerKey};
use trunkline_types::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use trunkline_types::{Code, Millis};

use super::{OUTBOX, Outbox};

/// How long until a task that could not be started is started again.
const TRY_AGAIN: Millis = 1_000;

/// Whether a task takes turns. A request that comes meanwhile has it look once more.
#[derive(Default)]
pub(super) struct TurnTask {
    state: AtomicU8,
    /// The last task could not be started, and a timer starts the next one.
    is_stalled: AtomicBool,
}

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const AGAIN: u8 = 2;

impl TurnTask {
    /// Whether the caller has to start the task.
    fn request(&self) -> bool {
        let next = |state| Some(if state == IDLE { RUNNING } else { AGAIN });
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    /// Whether the task may end.
    pub fn finish(&self) -> bool {
        let next = |state| Some(if state == AGAIN { RUNNING } else { IDLE });
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(RUNNING)
    }

    /// The task could not be started: nothing runs, and requests that came meanwhile are dropped.
    /// Whether the caller has to arm the timer.
    fn abandon(&self) -> bool {
        self.state.store(IDLE, Ordering::Release);
        !self.is_stalled.swap(true, Ordering::AcqRel)
    }

    /// Whether the last task could not be started.
    pub fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Acquire)
    }
}

impl Outbox {
    /// Has the task look for turns. Never blocks: it may be called by a timer.
    pub(super) fn request_turns(&self) {
        if self.is_paused() || !self.turns.request() {
            return;
        }
        let outbox = self.clone();
        match self.client() {
            Ok(client) => {
                self.turns.is_stalled.store(false, Ordering::Release);
                client.run(move || outbox.take_turns());
            }
            Err(error) => {
                let arms = self.turns.abandon();
                if arms && !is_over(error.code()) {
                    Ticker::enter(&self.host);
                    let key = TimerKey { owner: OUTBOX.owner(), slot: 0 };
                    self.host.arm(key, self.host.now().saturating_add(TRY_AGAIN));
                }
            }
        }
    }

    /// The timer fired that was armed when a task could not be started.
    pub(super) fn request_turns_again(&self) {
        // Before the request: when that fails as well, it arms the timer again.
        self.turns.is_stalled.store(false, Ordering::Release);
        self.request_turns();
        Ticker::leave(&self.host);
    }
}

/// Whether the engine accepts nothing more, so that trying again is of no use.
pub(super) fn is_over(code: Code) -> bool {
    matches!(code, Code::EngineClosed | Code::EngineForked | Code::EnginePoisoned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_comes_while_a_task_does_not_start_leaves_nothing_running() {
        let turns = TurnTask::default();
        assert!(turns.request(), "the first starts the task");
        assert!(!turns.request(), "the second relies on it");
        assert!(turns.abandon(), "the first failure arms the timer");
        assert!(turns.is_stalled() && turns.request(), "the next request starts a task");
        assert!(!turns.abandon(), "the timer is armed once");
        assert!(turns.request() && !turns.request());
        assert!(!turns.finish() && turns.finish(), "the second request is served");
    }
}
