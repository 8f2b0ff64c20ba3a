//! What the outbox asks of the queue of a destination, beyond the verbs of every queue.

use std::sync::Arc;

use trunkline_host::Move;
use trunkline_journal::Signal;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis, Receipt, ResourceId, Result};

use super::attributes;
use super::envelope::Envelope;
use super::operation::{DELETE, EXTEND};
use super::standard::StandardQueue;
use super::transfer;
use super::{Kind, Queue};

impl Queue {
    /// Hides a message until `delay` from now. Unlike [`Queue::extend`] it is bounded by no total,
    /// and a message that is gone is a success.
    pub(crate) fn hide(&self, receipt: &Receipt, delay: Millis) -> Result<()> {
        let now = self.host.admit_internal(EXTEND)?.now(&self.host);
        self.check_present()?;
        match self.standard()?.extend(self, receipt, delay, now) {
            // An older receipt of a message that is gone.
            Err(error) if error.code() == Code::InvalidParameterValue => {}
            other => drop(other?),
        }
        if delay == 0 {
            self.wake(1);
        }
        Ok(())
    }

    /// Moves a message to the resource `target` as a new message there, in one step of the journal,
    /// with these text attributes added. False when there is no such resource or the disk is full;
    /// a message that is gone is a success.
    pub(crate) fn move_leased(
        &self,
        receipt: &Receipt,
        target: ResourceId,
        added: &[(&str, String)],
    ) -> Result<bool> {
        let call = self.host.admit_internal(DELETE)?;
        self.check_present()?;
        if target == self.id || self.host.is_full() {
            return Ok(false);
        }
        let now = call.now(&self.host);
        let mut give = |seq: u64, envelope: &Envelope<'_>| -> Result<bool> {
            let attributes = attributes::with_texts(envelope.attributes, added)?;
            let moved = Move::anew((self.id, seq), now);
            let envelope =
                Envelope { attributes: &attributes, body: envelope.body, ..Envelope::default() };
            transfer::is_delivered(self.host.deliver(target, &envelope.routed(moved)))
        };
        Ok(self.standard()?.take_leased(self, receipt, &mut give)?.unwrap_or(true))
    }

    /// Has `listener` told of every message that another resource delivers here.
    pub(crate) fn listen(&self, listener: Arc<dyn Signal>) {
        *lock(&self.listener) = Some(listener);
        self.has_listener.store(true, Ordering::Release);
    }

    pub(super) fn standard(&self) -> Result<&StandardQueue> {
        match self.inner() {
            Kind::Standard(standard) => Ok(standard),
            Kind::Fifo(_) => {
                Err(Error::new(Code::InternalError, "This queue must not be a FIFO queue."))
            }
        }
    }
}
