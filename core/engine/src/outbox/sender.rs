//! Sends deliveries over HTTP: takes turns from the dispatcher, leases, hands attempts to the
//! client, and carries out their ends.
//!
//! No thread belongs to a delivery or to a destination. Turns are taken by one task at a time, on a
//! thread of the client; the client is started by the first delivery that is due.
//!
//! Lock order: the dispatcher's lock is held for its own few operations only, never while a queue
//! or the client is called: a queue's timer notifies under the timers' lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use trunkline_delivery::{Attempt, Client, Ended, Endpoint, Failure, Gate, Outcome, Slot, Turn};
use trunkline_journal::Signal;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, ResourceId, Result};

use super::backlog::LeasedDelivery;
use super::destination::Destination;
use super::settle::AttemptRef;
use super::tokens::Token;
use super::turns::is_over;
use super::{Outbox, Shared};

/// How long a destination rests after a turn that the engine refused.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The statuses by which an endpoint refuses an access token.
const UNAUTHORIZED: u16 = 401;
const PROXY_UNAUTHORIZED: u16 = 407;

/// What a destination may have to wait for: a gate of the client. Hosts are told apart by the
/// destination's own host, which is the start of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// The bound of one host, by the hash of its name and port.
    Host(u64),
    /// The share of all hosts that fail.
    Failing,
    /// The bound over all attempts.
    Total,
}

/// Wakes the outbox when a delivery of one destination may be due.
struct Due {
    outbox: Weak<Shared>,
    destination: ResourceId,
}

impl Signal for Due {
    fn signal(&self) {
        if let Some(shared) = self.outbox.upgrade() {
            Outbox(shared).notify(self.destination);
        }
    }
}

impl Outbox {
    /// A delivery of this destination may be due. Never blocks: it may be called by a timer.
    pub(super) fn notify(&self, id: ResourceId) {
        let Some(destination) = self.destination(id) else { return };
        // Handlers wait for their queue themselves.
        if self.is_paused() || !destination.is_attempted_here() {
            return;
        }
        lock(&self.dispatcher).notify(id);
        self.request_turns();
    }

    /// A signal that a delivery of this destination may be due.
    pub(super) fn due(&self, destination: ResourceId) -> Arc<dyn Signal> {
        Arc::new(Due { outbox: Arc::downgrade(&self.0), destination })
    }

    pub(super) fn take_turns(&self) {
        loop {
            loop {
                let limit = |id| self.destination(id).map_or(0, |destination| destination.limit());
                let turn = lock(&self.dispatcher).next(limit);
                let Some((id, free)) = turn else { break };
                let (begun, end) = self.serve(id, free);
                lock(&self.dispatcher).served(id, begun, end);
            }
            if self.turns.finish() {
                break;
            }
        }
        self.tell_quiet();
    }

    /// One turn of a destination.
    fn serve(&self, id: ResourceId, free: u32) -> (u32, Turn<Way>) {
        let Some(destination) = self.destination(id) else { return (0, Turn::Empty) };
        // A panic must not end the only task that takes turns: what it leased comes back later.
        let served = catch_unwind(AssertUnwindSafe(|| self.begin_attempts(&destination, free)));
        match served {
            Ok(Ok(served)) => served,
            // The deliveries are where they were.
            refused => {
                let code = refused.ok().and_then(|refused| refused.err()).map(|error| error.code());
                self.try_again(&destination, code);
                (0, Turn::Empty)
            }
        }
    }

    /// A turn failed. What was refused for a while, on a full disk for example, is tried again; an
    /// engine that accepts nothing more is not asked.
    fn try_again(&self, destination: &Arc<Destination>, code: Option<Code>) {
        self.subscribe(destination);
        if let (false, Ok(client)) = (code.is_some_and(is_over), self.client()) {
            let (outbox, id) = (self.clone(), destination.id);
            client.run_after(TRY_AGAIN, move || outbox.notify(id));
        }
    }

    fn begin_attempts(
        &self,
        destination: &Arc<Destination>,
        free: u32,
    ) -> Result<(u32, Turn<Way>)> {
        let prepared = destination.prepared();
        let template = match &prepared.template {
            Ok(template) => template,
            Err(why) => {
                let ended = Ended::Permanent { why: why.clone() };
                return self.end_all(destination, free, &ended);
            }
        };
        let options = &prepared.config.http;
        if options.token.is_some() && destination.backlog.counts().due == 0 {
            return Ok((0, self.end_of_backlog(destination)));
        }
        let token = match options.token.as_ref().map(|source| self.token(source)) {
            None => None,
            Some(Token::Value(value)) => Some(value),
            Some(Token::Awaited) => return Ok((0, Turn::Empty)),
            Some(Token::Refused(why)) => {
                let ended = Ended::Transient { why, retry_after: None };
                return self.end_all(destination, free, &ended);
            }
        };
        let client = self.client()?;
        let (mut slots, mut end) = (Vec::new(), Turn::More);
        let granted = match &options.rate {
            Some(rate) => self.paced(destination, rate, free),
            None => free,
        };
        if granted == 0 {
            return Ok((0, Turn::Empty));
        }
        let unused = |begun: usize| {
            let rate = options.rate.as_ref();
            rate.into_iter().for_each(|rate| self.unpaced(rate, granted - begun as u32));
        };
        while slots.len() < granted as usize {
            match client.slot(&template.endpoint) {
                Ok(slot) => slots.push(slot),
                Err(gate) => {
                    end = Turn::Blocked(way(gate, &template.endpoint));
                    break;
                }
            }
        }
        let wanted = slots.len();
        let leased = match wanted {
            0 => Ok(Vec::new()),
            _ => self.lease_due(destination, wanted),
        };
        unused(leased.as_ref().map_or(0, Vec::len));
        let leased = leased?;
        if wanted == 0 {
            return Ok((0, end));
        }
        let begun = leased.len();
        for (slot, delivery) in slots.into_iter().zip(leased) {
            self.send(&client, destination, template, slot, delivery, token.clone());
        }
        if begun < wanted {
            end = self.end_of_backlog(destination);
        }
        Ok((begun as u32, end))
    }

    /// Ends what is due at a destination to which nothing can be sent, as one attempt each.
    fn end_all(
        &self,
        destination: &Arc<Destination>,
        free: u32,
        ended: &Ended,
    ) -> Result<(u32, Turn<Way>)> {
        let leased = self.lease_due(destination, free as usize)?;
        let settle = |delivery: &LeasedDelivery| self.settle(destination, &delivery.into(), ended);
        // An error of one does not keep the others from being given up.
        let settled: Vec<_> = leased.iter().map(settle).collect();
        settled.into_iter().try_for_each(|settled| settled.map(drop))?;
        let is_empty = leased.len() < free as usize;
        Ok((0, if is_empty { self.end_of_backlog(destination) } else { Turn::More }))
    }

    /// Nothing more is due: what falls due later calls. Looks once more behind the subscription.
    fn end_of_backlog(&self, destination: &Arc<Destination>) -> Turn<Way> {
        let counts = destination.backlog.counts();
        if counts.due + counts.leased == 0 {
            destination.unsubscribe();
            return Turn::Empty;
        }
        self.subscribe(destination);
        if destination.backlog.counts().due > 0 { Turn::More } else { Turn::Empty }
    }

    /// Has the next delivery that falls due call. The old subscription ends first: one that was
    /// woken hands its wake on, and must not hand it to the one that takes its place.
    fn subscribe(&self, destination: &Arc<Destination>) {
        destination.unsubscribe();
        let subscription = destination.backlog.clone().subscribe(self.due(destination.id));
        // One turn is taken at a time, so no other subscription came meanwhile.
        *lock(&destination.subscription) = Some(subscription);
        if destination.is_removed.load(Ordering::Acquire) {
            destination.unsubscribe();
        }
    }

    fn send(
        &self,
        client: &Client,
        destination: &Arc<Destination>,
        template: &Attempt,
        slot: Slot,
        mut delivery: LeasedDelivery,
        token: Option<String>,
    ) {
        let attempt = AttemptRef::from(&delivery);
        let (outbox, destination) = (self.clone(), destination.clone());
        let host = way(Gate::Host, &template.endpoint);
        let authorization = token.iter().map(|value| ("authorization".to_owned(), value.clone()));
        delivery.headers.extend(authorization);
        let sent = template.with(&delivery.headers, delivery.body).and_then(|sent| {
            let Some(url) = &delivery.url else { return Ok(sent) };
            Ok(Attempt { endpoint: Endpoint::parse(url)?, ..sent })
        });
        match sent {
            Ok(sent) => client.send(slot, sent, move |outcome| {
                let ended = outbox.ended(&destination, token.as_deref(), outcome);
                outbox.attempt_ended(&destination, &attempt, &ended, host);
            }),
            Err(error) => {
                let ended = Ended::Permanent { why: error.message().to_owned() };
                self.attempt_ended(&destination, &attempt, &ended, host);
            }
        }
    }

    /// How an attempt ended. One whose token was refused is tried again, with another token.
    fn ended(&self, destination: &Destination, token: Option<&str>, outcome: Outcome) -> Ended {
        let prepared = destination.prepared();
        if let (Some(used), Some(source)) = (token, &prepared.config.http.token)
            && let Outcome::Permanent { why: why @ Failure::Status(response) } = &outcome
            && matches!(response.status, UNAUTHORIZED | PROXY_UNAUTHORIZED)
        {
            self.token_was_refused(source, used);
            return Ended::Transient { why: why.to_string(), retry_after: None };
        }
        Ended::from(outcome)
    }

    fn attempt_ended(
        &self,
        destination: &Arc<Destination>,
        attempt: &AttemptRef,
        ended: &Ended,
        host: Way,
    ) {
        // A failure of the journal leaves the delivery leased: it comes back when the lease ends,
        // and every verb says what is wrong. A panic does the same; the attempt is over in any
        // case, or its destination would have one attempt less from now on.
        let _kept = catch_unwind(AssertUnwindSafe(|| self.settle(destination, attempt, ended)));
        {
            let mut dispatcher = lock(&self.dispatcher);
            dispatcher.ended(destination.id, &[host, Way::Failing, Way::Total]);
            // What the attempt left in the queue, or what fell due behind it, wants its turn.
            dispatcher.notify(destination.id);
        }
        self.request_turns();
    }

    /// Has everything looked at that may be due: after opening, or when a pause ends.
    pub(super) fn notify_all(&self) {
        for destination in self.all_destinations() {
            let counts = destination.backlog.counts();
            if counts.due + counts.leased > 0 {
                self.notify(destination.id);
            }
        }
    }
}

fn way(gate: Gate, endpoint: &Endpoint) -> Way {
    match gate {
        Gate::Host => Way::Host(endpoint.host_hash()),
        Gate::Failing => Way::Failing,
        Gate::Total => Way::Total,
    }
}
