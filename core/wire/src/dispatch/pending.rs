//! The driver for callers in this process: a request is polled to its response, and no poll waits.
//! A thread sleeps between polls (`blocking`), an event loop does something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Engine, Signal, Ticket};

use super::{Deadline, Dispatched, Dispatcher, Pending, ResponseEncoder};
use crate::error::{Result, WireError};
use crate::message::Response;
use crate::service::{EventStream, NextEvent, Output, Subscription, Wait};

/// What a poll came to.
pub enum Progress {
    /// This is the response, and there is nothing more to poll.
    Done(Response),
    /// Poll again when the signal is given, or after this time.
    Wait(Option<Duration>),
    /// [`PendingRequest::run`] has the response; call it on a thread that may block.
    Blocks,
    /// Start the request again after this time: a fault of the engine asks for it.
    Pause(Duration),
}

/// A request that is being answered. Dropping it ends its subscriptions.
pub struct PendingRequest {
    engine: Arc<Engine>,
    state: State,
}

enum State {
    /// Something that needs no wait, or nothing because it was handed out.
    Ready(Option<Progress>),
    Blocking(Pending),
    Settle(Settling),
    Wait(Box<Polling>),
    Stream(Box<Streaming>),
}

struct Settling {
    ticket: Option<Ticket>,
    /// When the pause of a fault is over.
    from: Option<Instant>,
    waiting: Option<Box<(Output, ResponseEncoder)>>,
}

struct Polling {
    wait: Box<dyn Wait>,
    encoder: Option<ResponseEncoder>,
    end: Option<Deadline>,
    subscription: Option<Subscription>,
}

/// A stream whose events are gathered: callers in this process get the whole body at once.
struct Streaming {
    stream: Box<dyn EventStream>,
    encoder: ResponseEncoder,
    response: Option<Response>,
    end: Deadline,
    subscription: Option<Subscription>,
}

impl PendingRequest {
    pub(super) fn new(engine: Arc<Engine>, dispatched: Dispatched) -> Self {
        let state = match dispatched {
            Dispatched::Done(response) => State::Ready(Some(Progress::Done(response))),
            Dispatched::Pause(pause) => State::Ready(Some(Progress::Pause(pause))),
            Dispatched::Blocking(pending) => State::Blocking(pending),
            Dispatched::Settle(ticket, pause, waiting) => {
                let from = (!pause.is_zero()).then(|| Instant::now() + pause);
                State::Settle(Settling { ticket, from, waiting: Some(waiting) })
            }
            Dispatched::Wait(waiting) => {
                let (wait, encoder) = *waiting;
                let encoder = Some(encoder);
                State::Wait(Box::new(Polling { wait, encoder, end: None, subscription: None }))
            }
            Dispatched::Stream(streaming) => {
                let (stream, encoder) = *streaming;
                match encoder.start_stream() {
                    Ok(response) => State::Stream(Box::new(Streaming {
                        end: Deadline::after(&engine, stream.lifetime()),
                        stream,
                        encoder,
                        response: Some(response),
                        subscription: None,
                    })),
                    Err(refusal) => State::Ready(Some(Progress::Done(refusal))),
                }
            }
        };
        Self { engine, state }
    }

    /// Goes on. `signal` is given when another poll is worth it; it may be given once too often.
    pub fn poll(&mut self, dispatcher: &Dispatcher, signal: Arc<dyn Signal>) -> Progress {
        match &mut self.state {
            State::Ready(ready) => ready.take().unwrap_or_else(|| Progress::Done(misused())),
            State::Blocking(_) => Progress::Blocks,
            State::Settle(settling) => settling.poll(dispatcher, signal),
            State::Wait(polling) => polling.poll(&self.engine, signal),
            State::Stream(streaming) => streaming.poll(&self.engine, signal),
        }
    }

    /// Carries out an operation of the control plane, when a poll asked for it. May block.
    pub fn run(&mut self, dispatcher: &Dispatcher) -> Response {
        match std::mem::replace(&mut self.state, State::Ready(None)) {
            State::Blocking(pending) => dispatcher.run(pending),
            other => {
                self.state = other;
                misused()
            }
        }
    }

    /// Ends a long poll with an empty output, and a stream with what was gathered. None for what
    /// has to be waited for.
    pub fn cancel(&mut self) -> Option<Response> {
        match &mut self.state {
            State::Wait(polling) => Some(polling.finish(Ok(polling.wait.empty()))),
            State::Stream(streaming) => Some(streaming.finish()),
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
        let settled = settled.map(|()| body).map_err(|error| WireError::from_engine(&error));
        Progress::Done(encoder.encode(settled))
    }
}

impl Polling {
    fn poll(&mut self, engine: &Arc<Engine>, signal: Arc<dyn Signal>) -> Progress {
        if let Some(result) = self.wait.attempt().transpose() {
            return Progress::Done(self.finish(result));
        }
        let end = *self.end.get_or_insert_with(|| Deadline::after(engine, self.wait.patience()));
        if end.is_over(engine) {
            return Progress::Done(self.finish(Ok(self.wait.empty())));
        }
        // A signal is used up by the attempt above; the old place goes before a new one is taken.
        self.subscription = None;
        self.subscription = Some(self.wait.subscribe(signal, end.virtual_time()));
        // Something may have come between the attempt and the subscription.
        match self.wait.attempt().transpose() {
            Some(result) => Progress::Done(self.finish(result)),
            None => Progress::Wait(Some(end.left())),
        }
    }

    fn finish(&mut self, result: Result<Output>) -> Response {
        self.subscription = None;
        self.encoder.take().map_or_else(misused, |encoder| encoder.encode(result))
    }
}

impl Streaming {
    fn poll(&mut self, engine: &Arc<Engine>, signal: Arc<dyn Signal>) -> Progress {
        if self.gather() || self.end.is_over(engine) {
            return Progress::Done(self.finish());
        }
        self.subscription = None;
        self.subscription = Some(self.stream.subscribe(signal, self.end.virtual_time()));
        match self.gather() {
            true => Progress::Done(self.finish()),
            false => Progress::Wait(Some(self.end.left())),
        }
    }

    /// Takes the events that are there; whether the stream has ended.
    fn gather(&mut self) -> bool {
        let Some(response) = &mut self.response else { return true };
        loop {
            let next = self.stream.next().and_then(|next| match next {
                NextEvent::Event(event) => self.encoder.event(event).map(Some),
                NextEvent::Wait => Ok(None),
                NextEvent::End => Ok(Some(Vec::new())),
            });
            match next {
                Ok(None) => return false,
                Ok(Some(bytes)) if bytes.is_empty() => return true,
                Ok(Some(bytes)) => response.body.extend_from_slice(&bytes),
                Err(error) => {
                    response.body.extend_from_slice(&self.encoder.exception(error));
                    return true;
                }
            }
        }
    }

    fn finish(&mut self) -> Response {
        self.subscription = None;
        self.response.take().unwrap_or_else(misused)
    }
}
