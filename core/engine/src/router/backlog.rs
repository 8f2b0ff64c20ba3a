//! The queue of a destination, as the outbox sees it.

use std::sync::Arc;

use trunkline_host::{Ended, WaiterId};
use trunkline_journal::{Signal, Ticket};
use trunkline_types::{Millis, Receipt, ResourceId, Result};

use crate::outbox::{Backlog, BacklogCounts, LeasedDelivery};
use crate::queue::{Queue, Receive};

impl Backlog for Queue {
    fn lease(
        &self,
        max: usize,
        lease: Millis,
        sink: &mut dyn FnMut(LeasedDelivery),
    ) -> Result<usize> {
        let request = Receive { max, visibility: Some(lease), ..Receive::default() };
        self.try_receive(&request, |message| {
            sink(LeasedDelivery {
                receipt: message.receipt,
                body: message.body.to_vec(),
                attributes: message.attributes.to_vec(),
                context: message.context.to_vec(),
                headers: Vec::new(),
                group: message.group.map(str::to_owned),
                attempt: message.receipt.delivery,
                accepted: message.sent,
                origin: message.origin,
            });
        })
    }

    fn delete(&self, receipt: &Receipt) -> Result<Option<Ticket>> {
        Queue::delete(self, receipt)
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

    fn subscribe(&self, signal: Arc<dyn Signal>) -> WaiterId {
        Queue::subscribe(self, signal)
    }

    fn unsubscribe(&self, waiter: WaiterId) -> Ended {
        Queue::unsubscribe(self, waiter)
    }

    fn counts(&self) -> BacklogCounts {
        self.statistics().map_or(BacklogCounts::default(), |statistics| BacklogCounts {
            due: statistics.visible,
            leased: statistics.in_flight + statistics.delayed,
        })
    }
}
