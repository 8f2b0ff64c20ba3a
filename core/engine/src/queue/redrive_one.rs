//! Messages that change queues one by one: a redrive by id or by receipt, and what is given up.

use trunkline_host::{Accepted, Move};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::{Code, Error, Field, IdKey, Problem, Receipt, ResourceId, Result, Seq};

use super::envelope::Envelope;
use super::message::Sent;
use super::operation::DELETE;
use super::{Kind, Queue};

impl Queue {
    /// Moves the visible message `id` to `destination`, or to the queue it came from as a dead
    /// letter, as a new message there: one step of the journal. The messages are looked at one by
    /// one, oldest first.
    pub fn redrive_message(
        &self,
        id: &str,
        destination: Option<ResourceId>,
        key: IdKey,
    ) -> Result<Sent> {
        let call = self.admit(DELETE)?;
        self.check_present()?;
        self.host.refuse_if_full()?;
        if destination == Some(self.id) {
            return Err(Error::new(
                Code::InvalidParameterValue,
                "The destination is the queue that has the message; name another one.",
            ));
        }
        let now = call.now(&self.host);
        let receipt = self.find_message(id, key)?;
        let mut accepted = None;
        let mut give = |seq: Seq, envelope: &Envelope<'_>| -> Result<bool> {
            let target = destination.or(envelope.source).ok_or_else(|| no_source(id))?;
            let moved = Move::anew((self.id, seq), now);
            accepted = Some(self.host.deliver(target, &envelope.routed(moved))?);
            Ok(true)
        };
        match self.inner() {
            Kind::Standard(standard) => standard.take_visible(self, &receipt, &mut give),
            Kind::Fifo(fifo) => fifo.take_visible(self, &receipt, now, &mut give),
        }
        .map_err(destination_gone)?;
        let Accepted { resource, seq, ticket, .. } = accepted.ok_or_else(|| not_here(id))?;
        Ok(Sent { queue: resource, seq, duplicate: false, ticket })
    }

    /// Moves the message of a receipt to `destination`, leased or not, as a new message there: one
    /// step of the journal. `None` if the message is gone.
    pub fn redrive_received(
        &self,
        receipt: &Receipt,
        destination: ResourceId,
    ) -> Result<Option<Accepted>> {
        let call = self.host.admit_internal(DELETE)?;
        self.check_present()?;
        self.host.refuse_if_full()?;
        let now = call.now(&self.host);
        let mut accepted = None;
        let mut give = |seq: Seq, envelope: &Envelope<'_>| -> Result<bool> {
            let moved = Move::anew((self.id, seq), now);
            accepted = Some(self.host.deliver(destination, &envelope.routed(moved))?);
            Ok(true)
        };
        self.standard()?.take_leased(self, receipt, &mut give).map_err(destination_gone)?;
        Ok(accepted)
    }

    /// Has messages that were delivered as often as they may be given to the dead-letter queue when
    /// their leases end, from now until the engine is closed; otherwise the next receive does it.
    /// Those that are visible now go at once. Call it again when the rules change.
    pub fn give_up_eagerly(&self) -> Result<()> {
        self.is_eager.store(true, Ordering::Release);
        self.give_up_exhausted()
    }

    /// The same once more, for what became visible otherwise than by the end of a lease. Looks at
    /// all messages.
    pub fn give_up_exhausted(&self) -> Result<()> {
        if !self.is_eager.load(Ordering::Acquire) || self.is_removed() {
            return Ok(());
        }
        let now = self.host.admit_internal(DELETE)?.now(&self.host);
        self.standard()?.give_up_exhausted(self, now)
    }

    fn find_message(&self, id: &str, key: IdKey) -> Result<Receipt> {
        let mut found = None;
        self.peek(usize::MAX, true, |delivery| {
            if found.is_none() && delivery.message_id(key).to_string() == id {
                found = Some((delivery.receipt, delivery.in_flight));
            }
        })?;
        match found.ok_or_else(|| not_here(id))? {
            (_, true) => Err(Error::new(
                Code::InvalidParameterValue,
                format!(
                    "The message {id} is in flight: a receiver has it. Move it when its visibility \
                     timeout has ended, or after it was given back."
                ),
            )),
            (receipt, false) => Ok(receipt),
        }
    }
}

fn not_here(id: &str) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("The queue has no message {id} that is visible or in flight."),
    )
}

fn no_source(id: &str) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!(
            "The message {id} was sent to this queue and is no dead letter of another one; name a \
             destination."
        ),
    )
}

fn destination_gone(error: Error) -> Error {
    match error.code() {
        Code::QueueDoesNotExist => Problem::NoSuchResource(Field::Destination).into(),
        _ => error,
    }
}
