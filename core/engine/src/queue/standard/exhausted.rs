//! Dead letters that do not wait for a receiver to come across them.

use trunkline_queue::MessageState;
use trunkline_types::{Millis, Result};

use super::StandardQueue;
use crate::queue::Queue;

impl StandardQueue {
    /// Gives every visible message that was delivered as often as it may be to the dead-letter
    /// queue. Looks at all messages.
    pub fn give_up_exhausted(&self, queue: &Queue, now: Millis) -> Result<()> {
        let Some(dead) = queue.rules.dead_letter() else { return Ok(()) };
        if self.log.counts().visible == 0 {
            return Ok(());
        }
        let mut places = Vec::new();
        self.log.scan(|info| {
            let is_visible = matches!(info.state, MessageState::Ready | MessageState::Held);
            if is_visible && info.deliveries >= dead.max_receive_count {
                places.push(info.place);
            }
            true
        });
        for place in places {
            // A receiver may have taken it since, and gives it up then.
            let Some(claimed) = self.log.claim_at(place) else { continue };
            // There may be no queue to take it, or no space.
            if let Some(kept) = self.dead_letter(queue, claimed, now)? {
                self.give_back(queue, kept);
            }
        }
        Ok(())
    }
}
