//! The verbs of a queue.
//!
//! Each call is admitted ([`Queue::admit`], or [`Queue::try_admit`] for callers that must not
//! block), then the standard or the FIFO implementation decides, journals and applies, and with
//! every lock released the verb wakes waiting receivers. A verb returns what is still to be waited
//! for: see [`Queue::settle`].
//!
//! The plain forms (`send`, `delete` ...) admit the call themselves and block where they have to.

use trunkline_host::{Admission, Admitted, Held, Operation, Settling};
use trunkline_journal::Ticket;
use trunkline_types::{Durability, Millis, Problem, Receipt, Result};

use super::message::{Delivery, Outgoing, Receive, Received, Sent, Statistics};
use super::operation::{DELETE, EXTEND, PEEK, PURGE, RECEIVE, SEND, STATISTICS};
use super::{Kind, Queue};

impl Queue {
    /// Admits a call, and blocks while it has to wait: for an injected delay, or for the disk.
    #[inline]
    pub fn admit(&self, operation: Operation) -> Result<Admitted> {
        self.host.admit(operation, &self.name)
    }

    /// Admits a call, or says what it has to wait for before [`Queue::resume`].
    #[inline]
    pub fn try_admit(&self, operation: Operation) -> Result<Admission> {
        self.host.try_admit(operation, &self.name)
    }

    /// Goes on with a call that was held, once what it waited for has come.
    pub fn resume(&self, held: &Held) -> Result<Admission> {
        self.host.resume(held)
    }

    /// Blocks until the verb that handed out `ticket` is as durable as `level` says.
    #[inline]
    pub fn settle(&self, ticket: Option<Ticket>, level: Durability) -> Result<()> {
        self.host.settle(&self.name, ticket, level)
    }

    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    #[inline]
    pub fn begin_settle(
        &self,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> Result<Option<Settling>> {
        self.host.begin_settle(&self.name, ticket, level)
    }

    /// Adds a message. It is applied when this returns, and as durable as wanted once its ticket
    /// is settled ([`Queue::settle`]).
    #[inline]
    pub fn send(&self, message: &Outgoing<'_>) -> Result<Sent> {
        self.send_admitted(&self.admit(SEND)?, message)
    }

    /// Adds a message, as an admitted call.
    #[inline]
    pub fn send_admitted(&self, call: &Admitted, message: &Outgoing<'_>) -> Result<Sent> {
        self.check_call(call, SEND)?;
        let now = call.now(&self.host);
        let sent = match &self.inner {
            Kind::Standard(standard) => standard.send(self, message, now)?,
            Kind::Fifo(fifo) => fifo.send(self, message, now)?,
        };
        self.wake(1);
        Ok(sent)
    }

    /// Adds messages in order, in one step of the journal. Each succeeds or fails for itself; an
    /// error of the whole means that none was added.
    pub fn send_batch(
        &self,
        messages: &[Outgoing<'_>],
        each: impl FnMut(usize, Result<Sent>),
    ) -> Result<Option<Ticket>> {
        self.send_batch_admitted(&self.admit(SEND)?, messages, each)
    }

    /// Adds messages as [`Queue::send_batch`] does, as an admitted call.
    pub fn send_batch_admitted(
        &self,
        call: &Admitted,
        messages: &[Outgoing<'_>],
        mut each: impl FnMut(usize, Result<Sent>),
    ) -> Result<Option<Ticket>> {
        self.check_call(call, SEND)?;
        let now = call.now(&self.host);
        let ticket = match &self.inner {
            Kind::Standard(standard) => standard.send_batch(self, messages, now, &mut each)?,
            Kind::Fifo(fifo) => fifo.send_batch(self, messages, now, &mut each)?,
        };
        self.wake(messages.len());
        Ok(ticket)
    }

    /// Leases up to `request.max` messages and hands each to `sink`. Never waits for messages.
    ///
    /// No lock of the queue is held while `sink` runs.
    #[inline]
    pub fn try_receive(
        &self,
        request: &Receive<'_>,
        sink: impl FnMut(Delivery<'_>),
    ) -> Result<Received> {
        self.receive_admitted(&self.admit(RECEIVE)?, request, sink)
    }

    /// One attempt of an admitted call to receive, which may be followed by others.
    #[inline]
    pub fn receive_admitted(
        &self,
        call: &Admitted,
        request: &Receive<'_>,
        mut sink: impl FnMut(Delivery<'_>),
    ) -> Result<Received> {
        self.check_call(call, RECEIVE)?;
        let now = self.host.attempt(call)?;
        let visible;
        let request = if call.is_duplicate() {
            visible = Receive { visibility: Some(0), ..*request };
            &visible
        } else {
            request
        };
        self.receive_at(now, request, &mut sink)
    }

    #[inline]
    fn receive_at(
        &self,
        now: Millis,
        request: &Receive<'_>,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<Received> {
        self.host.sweep_if_due(now);
        if self.host.trace.is_on() {
            return self.receive_traced(now, request, sink);
        }
        self.receive_kind(now, request, sink)
    }

    #[inline]
    pub(super) fn receive_kind(
        &self,
        now: Millis,
        request: &Receive<'_>,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<Received> {
        let count = match &self.inner {
            Kind::Standard(standard) => standard.receive(self, request, now, sink)?,
            Kind::Fifo(fifo) => fifo.receive(self, request, now, sink)?,
        };
        let ticket = if count == 0 { None } else { self.host.ticket_of_receive() };
        Ok(Received { count, ticket })
    }

    /// Removes the message that `receipt` names. A message that is gone already is a success.
    #[inline]
    pub fn delete(&self, receipt: &Receipt) -> Result<Option<Ticket>> {
        self.delete_admitted(&self.admit(DELETE)?, receipt)
    }

    /// Removes a message as [`Queue::delete`] does, in an admitted call, which may remove others.
    #[inline]
    pub fn delete_admitted(&self, call: &Admitted, receipt: &Receipt) -> Result<Option<Ticket>> {
        self.check_call(call, DELETE)?;
        match &self.inner {
            Kind::Standard(standard) => standard.delete(self, receipt),
            Kind::Fifo(fifo) => {
                let now = call.now(&self.host);
                self.host.sweep_if_due(now);
                let ticket = fifo.delete(self, receipt, now)?;
                // The group may be free now.
                self.wake(1);
                Ok(ticket)
            }
        }
    }

    /// Lets the lease that `receipt` names end `visibility` from now; zero makes the message
    /// visible.
    pub fn extend(&self, receipt: &Receipt, visibility: Millis) -> Result<Option<Ticket>> {
        self.extend_admitted(&self.admit(EXTEND)?, receipt, visibility)
    }

    /// Changes a lease as [`Queue::extend`] does, in an admitted call, which may change others.
    pub fn extend_admitted(
        &self,
        call: &Admitted,
        receipt: &Receipt,
        visibility: Millis,
    ) -> Result<Option<Ticket>> {
        self.check_call(call, EXTEND)?;
        let now = call.now(&self.host);
        self.host.sweep_if_due(now);
        self.check_extension(receipt, visibility, now)?;
        let ticket = match &self.inner {
            Kind::Standard(standard) => standard.extend(self, receipt, visibility, now)?,
            Kind::Fifo(fifo) => fifo.extend(self, receipt, visibility, now)?,
        };
        if self.host.trace.is_on() {
            self.trace_extended(receipt, visibility);
        }
        if visibility == 0 {
            self.wake(1);
        }
        Ok(ticket)
    }

    /// Reads up to `max` messages, oldest first, without leasing them.
    pub fn peek(
        &self,
        max: usize,
        include_in_flight: bool,
        mut sink: impl FnMut(Delivery<'_>),
    ) -> Result<()> {
        let call = self.admit(PEEK)?;
        self.check_present()?;
        self.host.sweep_all(call.now(&self.host));
        match &self.inner {
            Kind::Standard(standard) => standard.peek(self, max, include_in_flight, &mut sink),
            Kind::Fifo(fifo) => fifo.peek(self, max, include_in_flight, &mut sink),
        }
    }

    /// How the queue stands.
    pub fn statistics(&self) -> Result<Statistics> {
        let call = self.admit(STATISTICS)?;
        self.check_present()?;
        let now = call.now(&self.host);
        self.host.sweep_all(now);
        Ok(Statistics { at: now, ..self.counts() })
    }

    pub(super) fn counts(&self) -> Statistics {
        match &self.inner {
            Kind::Standard(standard) => standard.statistics(),
            Kind::Fifo(fifo) => fifo.statistics(),
        }
    }

    /// Removes every message, in flight and delayed ones too, and empties the dedup window.
    pub fn purge(&self) -> Result<Option<Ticket>> {
        let call = self.admit(PURGE)?;
        self.check_present()?;
        let now = call.now(&self.host);
        let Statistics { visible, in_flight, delayed, .. } = self.counts();
        if visible + in_flight + delayed == 0 {
            // There is nothing to free: on a full disk that is not worth a record.
            self.host.refuse_if_full()?;
        }
        match &self.inner {
            Kind::Standard(standard) => standard.purge(self, now),
            Kind::Fifo(fifo) => fifo.purge(self, now),
        }
    }

    /// Fails if the engine is closed or forked, or the queue removed: then nothing may be asked.
    pub fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    /// A call that was admitted as one operation is not used for another, and not on a queue that
    /// was removed meanwhile.
    #[inline]
    fn check_call(&self, call: &Admitted, operation: Operation) -> Result<()> {
        debug_assert!(call.is_for(operation), "the call was admitted as another one: {call:?}");
        self.check_present()
    }

    fn check_extension(&self, receipt: &Receipt, visibility: Millis, now: Millis) -> Result<()> {
        let max = self.host.limits.visibility_max;
        if visibility > max {
            return Err(Problem::LeaseTooLong { lease: visibility, max }.into());
        }
        if now.saturating_sub(receipt.received) + visibility > max {
            return Err(Problem::LeaseBeyondMax { lease: visibility, max }.into());
        }
        Ok(())
    }
}
