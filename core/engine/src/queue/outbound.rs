//! What the outbox asks of the queue of a destination, beyond the verbs of every queue.

use trunkline_types::{Code, Error, Millis, Receipt, ResourceId, Result};

use super::attributes::{self, Attribute};
use super::envelope::Envelope;
use super::standard::StandardQueue;
use super::transfer::Incoming;
use super::{Kind, Queue};

impl Queue {
    /// Hides a message until `delay` from now. Unlike [`Queue::extend`] it is bounded by no total,
    /// and a message that is gone is a success.
    pub(crate) fn hide(&self, receipt: &Receipt, delay: Millis) -> Result<()> {
        self.check_writable()?;
        let now = self.host.now();
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

    /// Moves a message to the queue `target` as a new message there, in one step of the journal,
    /// with these text attributes added. False when there is no such queue or the disk is full; a
    /// message that is gone is a success.
    pub(crate) fn move_leased(
        &self,
        receipt: &Receipt,
        target: ResourceId,
        added: &[(&str, String)],
    ) -> Result<bool> {
        self.check_writable()?;
        let target = self.host.directory.get::<Queue>(target);
        let Some(target) = target.filter(|target| target.id != self.id) else { return Ok(false) };
        if self.host.is_full() {
            return Ok(false);
        }
        let now = self.host.now();
        let mut give = |seq: u64, envelope: &Envelope<'_>| -> Result<bool> {
            let attributes = with_texts(envelope.attributes, added)?;
            let envelope =
                Envelope { attributes: &attributes, body: envelope.body, ..Envelope::default() };
            let incoming = Incoming { envelope, sent: now, moved_from: (self.id, seq) };
            target.accept(&incoming)?;
            Ok(true)
        };
        Ok(self.standard()?.take_leased(self, receipt, &mut give)?.unwrap_or(true))
    }

    fn standard(&self) -> Result<&StandardQueue> {
        match self.inner() {
            Kind::Standard(standard) => Ok(standard),
            Kind::Fifo(_) => {
                Err(Error::new(Code::InternalError, "The queue of a destination is a FIFO queue."))
            }
        }
    }
}

/// A block of attributes with some texts added; an empty text is left out, because no queue takes
/// an attribute without a value.
fn with_texts(block: &[u8], added: &[(&str, String)]) -> Result<Vec<u8>> {
    let mut all = attributes::decode(block)?;
    all.retain(|attribute| !added.iter().any(|(name, _)| *name == attribute.name));
    for (name, value) in added.iter().filter(|(_, value)| !value.is_empty()) {
        all.push(Attribute {
            name: (*name).to_owned(),
            data_type: "String".to_owned(),
            value: value.clone().into_bytes(),
            system: false,
        });
    }
    Ok(attributes::encode(&all))
}
