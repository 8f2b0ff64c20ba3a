//! A commit that no thread waits for.

use trunkline_types::{Durability, Result};

use crate::journal::Journal;
use crate::lsn::Ticket;

impl Journal {
    /// Starts to bring everything up to `ticket` to `level`, and returns without waiting. While a
    /// sync runs, the next one follows it at once, with everything that was appended by then.
    pub fn begin_commit(&self, ticket: Ticket, level: Durability) -> Result<()> {
        if ticket <= self.settled(level) {
            return Ok(());
        }
        self.check_usable()?;
        self.shared().commit_in_background(ticket, level)
    }
}
