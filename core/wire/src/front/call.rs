//! The driver for a thread of this process: it sleeps between the turns of its request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::Parker;

use super::{Front, Turn, Turns};
use crate::message::{Answer, Request};

/// How long a thread sleeps before it looks at the interrupt check again.
const SLICE: Duration = Duration::from_millis(100);

impl Front {
    /// Begins to answer `request`, for a caller that takes the turns itself.
    pub fn turns(&self, request: &Request<'_>, base: &str, paused: bool) -> Turns {
        Turns::new(self.engine.clone(), self.begin(request, base, paused))
    }

    /// Answers `request`, blocking this thread for as long as it takes. `interrupted` is asked
    /// between slices of a wait; when it says so, the wait ends with an empty answer.
    pub fn call(
        &self,
        request: &Request<'_>,
        base: &str,
        interrupted: &dyn Fn() -> bool,
    ) -> Answer {
        let mut turns = self.turns(request, base, false);
        let parker = Arc::new(Parker::default());
        loop {
            match turns.turn(self, parker.clone()) {
                Turn::Answered(answer) => return answer,
                Turn::Blocks => return turns.run(self),
                Turn::Pause(pause) => {
                    std::thread::sleep(pause);
                    turns = self.turns(request, base, true);
                }
                Turn::Wait(time) => {
                    let given_up = match sleep(&parker, time, interrupted) {
                        Slept::Enough => None,
                        Slept::Interrupted => turns.give_up(),
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
