//! The queue of a destination, as the outbox sees it.

use std::sync::Arc;

use trunkline_host::Subscription;
use trunkline_journal::{Signal, Ticket};
use trunkline_types::{Millis, Receipt, ResourceId, Result};

use crate::outbox::{Backlog, BacklogCounts, LeasedDelivery};
use crate::queue::operation::{DELETE, RECEIVE};
use crate::queue::{Queue, Receive};

impl Backlog for Queue {
    fn lease(
        &self,
        max: usize,
        lease: Millis,
        sink: &mut dyn FnMut(LeasedDelivery),
    ) -> Result<usize> {
        let request = Receive { max, visibility: Some(lease), ..Receive::default() };
        // Faults are the user's, and strike no work of the engine's own.
        let call = self.host.admit_internal(RECEIVE)?;
        let received = self.receive_admitted(&call, &request, |message| {
            sink(LeasedDelivery {
                receipt: message.receipt,
                body: message.body.to_vec(),
                attributes: message.attributes.to_vec(),
                context: message.context.to_vec(),
                headers: Vec::new(),
                url: None,
                group: message.group.map(str::to_owned),
                attempt: message.receipt.delivery,
                accepted: message.sent,
                origin: message.origin,
                ticket: Ticket::of(message.lsn),
            });
        })?;
        Ok(received.count)
    }

    fn delete(&self, receipt: &Receipt) -> Result<Option<Ticket>> {
        self.delete_admitted(&self.host.admit_internal(DELETE)?, receipt)
    }

    fn retry_after(&self, receipt: &Receipt, delay: Millis) -> Result<()> {
        self.hide(receipt, delay)
    }

    fn dead_letter(
        &self,
        receipt: &Receipt,
        target: ResourceId,
        attributes: &[(&str, String)],
    ) -> Result<bool> {
        self.move_leased(receipt, target, attributes)
    }

    fn listen(&self, signal: Arc<dyn Signal>) {
        Queue::listen(self, signal);
    }

    fn subscribe(self: Arc<Self>, signal: Arc<dyn Signal>) -> Subscription {
        Subscription::new(self, signal, None)
    }

    fn counts(&self) -> BacklogCounts {
        self.statistics().map_or(BacklogCounts::default(), |statistics| BacklogCounts {
            due: statistics.visible,
            leased: statistics.in_flight + statistics.delayed,
        })
    }
}
