//! The driver for a thread of this process: it sleeps between the polls of its request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Held, Parker};

use super::{Dispatcher, PendingRequest, Progress};
use crate::message::{Request, Response};

/// How long a thread sleeps before it looks at the interrupt check again.
const SLICE: Duration = Duration::from_millis(100);

impl Dispatcher {
    /// Begins to answer `request`, for a caller that polls it itself.
    /// `held` is what an earlier start of the same request was held up by.
    pub fn start_pending(
        &self,
        request: &Request<'_>,
        base: &str,
        held: Option<&Held>,
    ) -> PendingRequest {
        PendingRequest::new(self.engine.clone(), self.start(request, base, held))
    }

    /// Answers `request`, blocking this thread for as long as it takes. `interrupted` is asked
    /// between slices of a wait; when it says so, the wait ends with an empty answer.
    pub fn call(
        &self,
        request: &Request<'_>,
        base: &str,
        interrupted: &dyn Fn() -> bool,
    ) -> Response {
        self.finish(|held| self.start_pending(request, base, held), interrupted)
    }

    /// Starts a request, and starts it again after what holds it up, until it is answered.
    pub(super) fn finish(
        &self,
        start: impl Fn(Option<&Held>) -> PendingRequest,
        interrupted: &dyn Fn() -> bool,
    ) -> Response {
        let mut pending = start(None);
        let parker = Arc::new(Parker::default());
        loop {
            match pending.poll(parker.clone()) {
                Progress::Done(answer) => return answer,
                Progress::Blocks => return pending.run(self),
                Progress::Again(held) => {
                    pending = start(Some(&held));
                }
                Progress::Wait(time) => {
                    let given_up = match sleep(&parker, time, interrupted) {
                        Slept::Enough => None,
                        Slept::Interrupted => pending.cancel(),
                    };
                    if let Some(answer) = given_up {
                        return answer;
                    }
                }
            }
        }
    }
}

enum Slept {
    Enough,
    Interrupted,
}

fn sleep(parker: &Parker, time: Option<Duration>, interrupted: &dyn Fn() -> bool) -> Slept {
    let end = time.map(|time| Instant::now() + time);
    loop {
        let left = end.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || parker.park(left.min(SLICE)) {
            return Slept::Enough;
        }
        if interrupted() {
            return Slept::Interrupted;
        }
    }
}
