//! The driver for callers in this process: a request is answered by turns, each of which goes as
//! far as is possible without waiting. A thread sleeps between turns (`call`), an event loop does
//! something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Engine, Queue, Signal, Ticket, WaiterId};

use super::{Begun, Finish, Front, Pending, WaitEnd};
use crate::error::Result;
use crate::message::Answer;
use crate::sqs::{self, EMPTY, Poll};

/// What a turn came to.
pub enum Turn {
    /// This is the answer, and there are no more turns.
    Answered(Answer),
    /// Another turn has to come when the signal is given, or after this time.
    Wait(Option<Duration>),
    /// [`Turns::run`] has the answer; it has to be called on a thread that may block.
    Blocks,
    /// The request has to be begun again after this time: a fault of the engine asks for it.
    Pause(Duration),
}

/// A request that is being answered. Dropping it leaves every line it waits in.
pub struct Turns {
    engine: Arc<Engine>,
    state: State,
}

enum State {
    /// Something that needs no turn, or nothing because it was handed out.
    Ready(Option<Turn>),
    Control(Pending),
    Settle(Settling),
    Poll(Box<Polling>),
}

struct Settling {
    ticket: Ticket,
    /// When the pause of a fault is over.
    from: Option<Instant>,
    waiting: Option<Box<(Vec<u8>, Finish)>>,
}

struct Polling {
    poll: Poll,
    finish: Option<Finish>,
    end: Option<WaitEnd>,
    line: Option<Line>,
}

/// A place among those who wait for a queue; an unused wake goes to the next when it is dropped.
struct Line {
    queue: Arc<Queue>,
    id: WaiterId,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.queue.unsubscribe(self.id);
    }
}

impl Turns {
    pub(super) fn new(engine: Arc<Engine>, begun: Begun) -> Self {
        let state = match begun {
            Begun::Answer(answer) => State::Ready(Some(Turn::Answered(answer))),
            Begun::Pause(pause) => State::Ready(Some(Turn::Pause(pause))),
            Begun::Control(pending) => State::Control(pending),
            Begun::Settle(ticket, pause, waiting) => {
                let from = (!pause.is_zero()).then(|| Instant::now() + pause);
                State::Settle(Settling { ticket, from, waiting: Some(waiting) })
            }
            Begun::Poll(polling) => {
                let (poll, finish) = *polling;
                let finish = Some(finish);
                State::Poll(Box::new(Polling { poll, finish, end: None, line: None }))
            }
        };
        Self { engine, state }
    }

    /// Goes on. `signal` is given when another turn is worth it; it may be given once too often.
    pub fn turn(&mut self, front: &Front, signal: Arc<dyn Signal>) -> Turn {
        match &mut self.state {
            State::Ready(ready) => ready.take().unwrap_or_else(|| Turn::Answered(misused())),
            State::Control(_) => Turn::Blocks,
            State::Settle(settling) => settling.turn(front, signal),
            State::Poll(polling) => polling.turn(&self.engine, signal),
        }
    }

    /// Carries out an operation of the control plane, when a turn asked for it. May block.
    pub fn run(&mut self, front: &Front) -> Answer {
        match std::mem::replace(&mut self.state, State::Ready(None)) {
            State::Control(pending) => front.run(pending),
            other => {
                self.state = other;
                misused()
            }
        }
    }

    /// Ends the wait of a receive: it answers that it found nothing. `None` for what has to be
    /// waited for.
    pub fn give_up(&mut self) -> Option<Answer> {
        match &mut self.state {
            State::Poll(polling) => Some(polling.answer(Ok(EMPTY.to_vec()))),
            _ => None,
        }
    }
}

// Only a mistake of a driver leads here; it must not take the process with it.
fn misused() -> Answer {
    Answer::new(500, "text/plain", "The request was answered already.")
}

impl Settling {
    fn turn(&mut self, front: &Front, signal: Arc<dyn Signal>) -> Turn {
        let left = self.from.map(|from| from.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            return Turn::Wait(Some(left));
        }
        let (engine, level) = (front.engine(), front.durability());
        let settled = match engine.is_settled(self.ticket, level) {
            Ok(false) => match engine.notify_when(self.ticket, level, signal) {
                Ok(()) => return Turn::Wait(None),
                Err(error) => Err(error),
            },
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        let Some(waiting) = self.waiting.take() else { return Turn::Answered(misused()) };
        let (body, finish) = *waiting;
        Turn::Answered(finish.answer(settled.map(|()| body).map_err(sqs::from_engine)))
    }
}

impl Polling {
    fn turn(&mut self, engine: &Arc<Engine>, signal: Arc<dyn Signal>) -> Turn {
        match self.poll.attempt() {
            Ok(None) => {}
            tried => return self.found(tried),
        }
        let end = *self.end.get_or_insert_with(|| WaitEnd::after(engine, self.poll.wait()));
        if end.is_over(engine) {
            return Turn::Answered(self.answer(Ok(EMPTY.to_vec())));
        }
        // A wake is used up by the try above; the old place goes before a new one is taken.
        self.line = None;
        let queue = self.poll.queue().clone();
        let id = queue.subscribe_until(signal, end.virtual_time());
        self.line = Some(Line { queue, id });
        // A message may have come between the try and the subscription.
        match self.poll.attempt() {
            Ok(None) => Turn::Wait(Some(end.instant().saturating_duration_since(Instant::now()))),
            tried => self.found(tried),
        }
    }

    fn found(&mut self, tried: Result<Option<Vec<u8>>>) -> Turn {
        Turn::Answered(self.answer(tried.map(Option::unwrap_or_default)))
    }

    fn answer(&mut self, result: Result<Vec<u8>>) -> Answer {
        self.line = None;
        self.finish.take().map_or_else(misused, |finish| finish.answer(result))
    }
}
