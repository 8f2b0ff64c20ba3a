//! The driver for callers in this process: a request is polled to its response, and no poll waits.
//! A thread sleeps between polls (`blocking`), an event loop does something else.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Engine, Held, LongPoll, Polled, Settled, Settling, Signal};

use super::{Dispatched, Dispatcher, Pending, ResponseEncoder};
use crate::error::{Result, WireError};
use crate::limits::GATHERED_BYTES_MAX;
use crate::message::Response;
use crate::service::{EventStream, Finished, NextEvent, Output, Wait};

/// What a poll came to.
pub enum Progress {
    /// This is the response, and there is nothing more to poll.
    Done(Response),
    /// Poll again when the signal is given, or after this time.
    Wait(Option<Duration>),
    /// [`PendingRequest::run`] has the response; call it on a thread that may block.
    Blocks,
    /// Start the request again with this: what held it up is over.
    Again(Held),
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
    Held(Held),
    Settle(Settling, Option<Box<(Output, ResponseEncoder)>>),
    Wait(Box<Polling>),
    Stream(Box<Streaming>),
}

struct Polling {
    wait: Box<dyn Wait>,
    encoder: Option<ResponseEncoder>,
    poll: Option<LongPoll>,
}

/// A stream whose events are gathered: callers in this process get the whole body at once. So it
/// ends with the first events, as a stream over the wire may end at any time.
struct Streaming {
    stream: Box<dyn EventStream>,
    encoder: ResponseEncoder,
    response: Option<Response>,
    poll: Option<LongPoll>,
    /// Whether an event was gathered.
    has_event: bool,
}

impl PendingRequest {
    pub(super) fn new(engine: Arc<Engine>, dispatched: Dispatched) -> Self {
        let state = match dispatched {
            Dispatched::Done(response) => State::Ready(Some(Progress::Done(response))),
            Dispatched::Held(held) => State::Held(held),
            Dispatched::Blocking(pending) => State::Blocking(pending),
            Dispatched::Settle(settling, waiting) => State::Settle(settling, Some(waiting)),
            Dispatched::Wait(waiting) => {
                let (wait, encoder) = *waiting;
                let poll = LongPoll::new(wait.resource(), wait.patience());
                let (encoder, poll) = (Some(encoder), Some(poll));
                State::Wait(Box::new(Polling { wait, encoder, poll }))
            }
            Dispatched::Stream(streaming) => {
                let (stream, encoder) = *streaming;
                match encoder.start_stream() {
                    Ok(response) => State::Stream(Box::new(Streaming {
                        poll: Some(LongPoll::new(stream.resource(), stream.lifetime())),
                        stream,
                        encoder,
                        response: Some(response),
                        has_event: false,
                    })),
                    Err(refusal) => State::Ready(Some(Progress::Done(refusal))),
                }
            }
        };
        Self { engine, state }
    }

    /// Goes on. `signal` is given when another poll is worth it; it may be given once too often.
    pub fn poll(&mut self, signal: Arc<dyn Signal>) -> Progress {
        let progress = match &mut self.state {
            State::Ready(ready) => ready.take().unwrap_or_else(|| Progress::Done(misused())),
            State::Blocking(_) => Progress::Blocks,
            State::Held(held) => wait_for_start(&self.engine, held, signal),
            State::Settle(settling, waiting) => settle(&self.engine, settling, waiting, signal),
            State::Wait(polling) => match polling.poll(signal.clone()) {
                Ok(progress) => progress,
                Err((settling, waiting)) => {
                    self.state = State::Settle(settling, Some(waiting));
                    return self.poll(signal);
                }
            },
            State::Stream(streaming) => streaming.poll(signal),
        };
        if matches!(progress, Progress::Done(_) | Progress::Again(_)) {
            self.state = State::Ready(None);
        }
        progress
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

// A wait that failed is over too: the next start tells why.
fn wait_for_start(engine: &Engine, held: &Held, signal: Arc<dyn Signal>) -> Progress {
    match held.waits_for().poll(engine.host(), || signal) {
        Ok(Settled::OnSignal) => Progress::Wait(None),
        Ok(Settled::After(left)) => Progress::Wait(Some(left)),
        Ok(Settled::Yes) | Err(_) => Progress::Again(*held),
    }
}

fn settle(
    engine: &Engine,
    settling: &Settling,
    waiting: &mut Option<Box<(Output, ResponseEncoder)>>,
    signal: Arc<dyn Signal>,
) -> Progress {
    let settled = match settling.poll(engine.host(), || signal) {
        Ok(Settled::OnSignal) => return Progress::Wait(None),
        Ok(Settled::After(left)) => return Progress::Wait(Some(left)),
        Ok(Settled::Yes) => Ok(()),
        Err(error) => Err(WireError::from_engine(&error)),
    };
    let Some(waiting) = waiting.take() else { return Progress::Done(misused()) };
    let (output, encoder) = *waiting;
    Progress::Done(encoder.encode(settled.map(|()| output)))
}

impl Polling {
    /// Polls; what was found and is not durable yet is the error.
    #[allow(clippy::type_complexity, reason = "what the state of a request is made of")]
    fn poll(
        &mut self,
        signal: Arc<dyn Signal>,
    ) -> std::result::Result<Progress, (Settling, Box<(Output, ResponseEncoder)>)> {
        let Some(poll) = &mut self.poll else { return Ok(Progress::Done(misused())) };
        let output = match poll.poll(|| Ok(signal), || self.wait.attempt()) {
            Ok(Polled::Wait(left)) => return Ok(Progress::Wait(Some(left))),
            Ok(Polled::Over) => Ok(self.wait.empty()),
            Ok(Polled::Found(Finished { output, settling })) => {
                match (settling, self.encoder.take()) {
                    (Some(settling), Some(encoder)) => {
                        return Err((settling, Box::new((output, encoder))));
                    }
                    (_, encoder) => self.encoder = encoder,
                }
                Ok(output)
            }
            Err(error) => Err(error),
        };
        Ok(Progress::Done(self.finish(output)))
    }

    fn finish(&mut self, result: Result<Output>) -> Response {
        self.poll = None;
        self.encoder.take().map_or_else(misused, |encoder| encoder.encode(result))
    }
}

impl Streaming {
    fn poll(&mut self, signal: Arc<dyn Signal>) -> Progress {
        let Some(mut poll) = self.poll.take() else { return Progress::Done(misused()) };
        let ended = || Ok::<_, WireError>(self.gather().then_some(()));
        if let Ok(Polled::Wait(left)) = poll.poll(|| Ok(signal), ended) {
            self.poll = Some(poll);
            let left = self.stream.heartbeat().map_or(left, |due| left.min(due));
            return Progress::Wait(Some(left));
        }
        Progress::Done(self.finish())
    }

    /// Takes the events that are there; whether that is all that the caller gets.
    fn gather(&mut self) -> bool {
        let Some(response) = &mut self.response else { return true };
        loop {
            let next = self.stream.next().and_then(|next| match next {
                NextEvent::Event(event) => self.encoder.event(event).map(Some),
                NextEvent::Wait => Ok(None),
                NextEvent::End => Ok(Some(Vec::new())),
            });
            match next {
                Ok(None) => return self.has_event,
                Ok(Some(bytes)) if bytes.is_empty() => return true,
                Ok(Some(bytes)) => {
                    response.body.extend_from_slice(&bytes);
                    self.has_event = true;
                    if response.body.len() >= GATHERED_BYTES_MAX {
                        return true;
                    }
                }
                Err(error) => {
                    response.body.extend_from_slice(&self.encoder.exception(error));
                    return true;
                }
            }
        }
    }

    fn finish(&mut self) -> Response {
        self.poll = None;
        self.response.take().unwrap_or_else(misused)
    }
}
