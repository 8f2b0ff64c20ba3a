//! The driver for callers in this process: a request is answered by pending, each of which goes as
//! far as is possible without waiting. A thread sleeps between pending (`call`), an event loop does
//! something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Engine, Queue, Signal, Ticket, WaiterId};

use super::{Deadline, Dispatched, Dispatcher, Pending, ResponseEncoder};
use crate::error::Result;
use crate::message::Response;
use crate::services::sqs::{self, EMPTY, Poll};

/// What a turn came to.
pub enum Progress {
    /// This is the answer, and there are no more pending.
    Done(Response),
    /// Another turn has to come when the signal is given, or after this time.
    Wait(Option<Duration>),
    /// [`PendingRequest::run`] has the answer; it has to be called on a thread that may block.
    Blocks,
    /// The request has to be dispatched again after this time: a fault of the engine asks for it.
    Pause(Duration),
}

/// A request that is being answered. Dropping it leaves every line it waits in.
pub struct PendingRequest {
    engine: Arc<Engine>,
    state: State,
}

enum State {
    /// Something that needs no turn, or nothing because it was handed out.
    Ready(Option<Progress>),
    Control(Pending),
    Settle(Settling),
    Poll(Box<Polling>),
}

struct Settling {
    ticket: Option<Ticket>,
    /// When the pause of a fault is over.
    from: Option<Instant>,
    waiting: Option<Box<(Vec<u8>, ResponseEncoder)>>,
}

struct Polling {
    poll: Poll,
    encoder: Option<ResponseEncoder>,
    end: Option<Deadline>,
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

impl PendingRequest {
    pub(super) fn new(engine: Arc<Engine>, dispatched: Dispatched) -> Self {
        let state = match dispatched {
            Dispatched::Done(answer) => State::Ready(Some(Progress::Done(answer))),
            Dispatched::Pause(pause) => State::Ready(Some(Progress::Pause(pause))),
            Dispatched::Control(pending) => State::Control(pending),
            Dispatched::Settle(ticket, pause, waiting) => {
                let from = (!pause.is_zero()).then(|| Instant::now() + pause);
                State::Settle(Settling { ticket, from, waiting: Some(waiting) })
            }
            Dispatched::Poll(polling) => {
                let (poll, encoder) = *polling;
                let encoder = Some(encoder);
                State::Poll(Box::new(Polling { poll, encoder, end: None, line: None }))
            }
        };
        Self { engine, state }
    }

    /// Goes on. `signal` is given when another turn is worth it; it may be given once too often.
    pub fn poll(&mut self, dispatcher: &Dispatcher, signal: Arc<dyn Signal>) -> Progress {
        match &mut self.state {
            State::Ready(ready) => ready.take().unwrap_or_else(|| Progress::Done(misused())),
            State::Control(_) => Progress::Blocks,
            State::Settle(settling) => settling.poll(dispatcher, signal),
            State::Poll(polling) => polling.poll(&self.engine, signal),
        }
    }

    /// Carries out an operation of the control plane, when a turn asked for it. May block.
    pub fn run(&mut self, dispatcher: &Dispatcher) -> Response {
        match std::mem::replace(&mut self.state, State::Ready(None)) {
            State::Control(pending) => dispatcher.run(pending),
            other => {
                self.state = other;
                misused()
            }
        }
    }

    /// Ends the wait of a receive: it answers that it found nothing. `None` for what has to be
    /// waited for.
    pub fn cancel(&mut self) -> Option<Response> {
        match &mut self.state {
            State::Poll(polling) => Some(polling.answer(Ok(EMPTY.to_vec()))),
            _ => None,
        }
    }
}

// Only a mistake of a driver leads here; it must not take the process with it.
fn misused() -> Response {
    Response::new(500, "text/plain", "The request was answered already.")
}

impl Settling {
    fn poll(&mut self, dispatcher: &Dispatcher, signal: Arc<dyn Signal>) -> Progress {
        let left = self.from.map(|from| from.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            return Progress::Wait(Some(left));
        }
        let (engine, level) = (dispatcher.engine(), dispatcher.durability());
        let settled = match self.ticket.map(|ticket| (ticket, engine.is_settled(ticket, level))) {
            Some((ticket, Ok(false))) => match engine.notify_when(ticket, level, signal) {
                Ok(()) => return Progress::Wait(None),
                Err(error) => Err(error),
            },
            None | Some((_, Ok(true))) => Ok(()),
            Some((_, Err(error))) => Err(error),
        };
        let Some(waiting) = self.waiting.take() else { return Progress::Done(misused()) };
        let (body, encoder) = *waiting;
        Progress::Done(encoder.encode(settled.map(|()| body).map_err(sqs::from_engine)))
    }
}

impl Polling {
    fn poll(&mut self, engine: &Arc<Engine>, signal: Arc<dyn Signal>) -> Progress {
        match self.poll.attempt() {
            Ok(None) => {}
            tried => return self.found(tried),
        }
        let end = *self.end.get_or_insert_with(|| Deadline::after(engine, self.poll.wait()));
        if end.is_over(engine) {
            return Progress::Done(self.answer(Ok(EMPTY.to_vec())));
        }
        // A wake is used up by the try above; the old place goes before a new one is taken.
        self.line = None;
        let queue = self.poll.queue().clone();
        let id = queue.subscribe_until(signal, end.virtual_time());
        self.line = Some(Line { queue, id });
        // A message may have come between the try and the subscription.
        match self.poll.attempt() {
            Ok(None) => {
                Progress::Wait(Some(end.instant().saturating_duration_since(Instant::now())))
            }
            tried => self.found(tried),
        }
    }

    fn found(&mut self, tried: Result<Option<Vec<u8>>>) -> Progress {
        Progress::Done(self.answer(tried.map(Option::unwrap_or_default)))
    }

    fn answer(&mut self, result: Result<Vec<u8>>) -> Response {
        self.line = None;
        self.encoder.take().map_or_else(misused, |encoder| encoder.encode(result))
    }
}
