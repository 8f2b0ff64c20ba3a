//! The driver for a caller in this process: the calling thread does the waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::Parker;

use super::{Begun, Front, WaitEnd};
use crate::error::Result;
use crate::message::{Answer, Request};
use crate::sqs::{self, EMPTY, Poll};

/// How long a thread sleeps before it looks at the interrupt check again.
const SLICE: Duration = Duration::from_millis(100);

impl Front {
    /// Answers `request`, blocking this thread for as long as it takes. `interrupted` is asked
    /// between slices of a wait; when it says so, the wait ends with an empty answer.
    pub fn call(
        &self,
        request: &Request<'_>,
        base: &str,
        interrupted: &dyn Fn() -> bool,
    ) -> Answer {
        let mut begun = self.begin(request, base, false);
        if let Begun::Pause(pause) = begun {
            std::thread::sleep(pause);
            begun = self.begin(request, base, true);
        }
        match begun {
            Begun::Answer(answer) => answer,
            Begun::Settle(ticket, pause, waiting) => {
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                }
                let (body, finish) = *waiting;
                let settled = self.engine.wait(ticket, self.durability());
                finish.answer(settled.map(|()| body).map_err(sqs::from_engine))
            }
            Begun::Poll(polling) => {
                let (poll, finish) = *polling;
                finish.answer(self.poll(&poll, interrupted))
            }
            Begun::Control(pending) => self.run(*pending),
            // A pause is asked for once.
            Begun::Pause(_) => Answer::new(503, "text/plain", "The engine is busy."),
        }
    }

    fn poll(&self, poll: &Poll, interrupted: &dyn Fn() -> bool) -> Result<Vec<u8>> {
        if let Some(found) = poll.attempt()? {
            return Ok(found);
        }
        if poll.wait() == 0 {
            return Ok(EMPTY.to_vec());
        }
        let end = WaitEnd::after(&self.engine, poll.wait());
        let parker = Arc::new(Parker::default());
        loop {
            let id = poll.queue().subscribe_until(parker.clone(), end.virtual_time());
            // A message may have come between the last try and the subscription.
            let tried = poll.attempt();
            if !matches!(tried, Ok(None)) {
                poll.queue().unsubscribe(id);
                return tried.map(Option::unwrap_or_default);
            }
            let mut woken = false;
            while !woken && !end.is_over(&self.engine) && !interrupted() {
                let left =
                    end.instant().map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
                woken = parker.park(left.min(SLICE));
            }
            let tried = poll.attempt();
            poll.queue().unsubscribe(id);
            if !matches!(tried, Ok(None)) {
                return tried.map(Option::unwrap_or_default);
            }
            if !woken || end.is_over(&self.engine) {
                return Ok(EMPTY.to_vec());
            }
        }
    }
}
