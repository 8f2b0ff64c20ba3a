//! Times that were written by a clock that was ahead, put back to the one that is right.

use crate::Millis;
use crate::execution::{DecisionTask, Execution};

impl Execution {
    /// Moves all times back by `by`: what was left of each when the execution was written is left
    /// of it again.
    pub fn set_back(&mut self, by: Millis) {
        if by == 0 {
            return;
        }
        let back = |time: &mut Millis| *time = time.saturating_sub(by);
        back(&mut self.started);
        self.latest_activity.as_mut().into_iter().for_each(back);
        match &mut self.decision {
            DecisionTask::Idle => {}
            DecisionTask::Scheduled { at, due, .. } => {
                back(at);
                due.as_mut().into_iter().for_each(back);
            }
            DecisionTask::Started { due, .. } => due.as_mut().into_iter().for_each(back),
        }
        for one in self.activities.values_mut() {
            back(&mut one.at);
            // Until it starts, the others are spans.
            let runs = one.start_to_close.as_mut().filter(|_| one.started != 0);
            let waits = [&mut one.schedule_to_start, &mut one.schedule_to_close];
            let times = waits.into_iter().chain([&mut one.heartbeat_due]).flatten();
            times.chain(runs).for_each(back);
        }
        self.timers.values_mut().for_each(|timer| back(&mut timer.at));
        for one in self.lambdas.values_mut() {
            back(&mut one.at);
            one.start_to_close.as_mut().filter(|_| one.started != 0).into_iter().for_each(back);
        }
    }
}
