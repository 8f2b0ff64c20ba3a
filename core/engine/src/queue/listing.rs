//! All queues at once: a part of their list, and what is in them together. A page that watches an
//! engine asks for both every few seconds, so neither makes anything of queues that it does not
//! show.

use std::sync::Arc;

use trunkline_types::{ResourceName, Result};

use crate::engine::Engine;
use crate::outbox::is_of_outbox;
use crate::queue::{QUEUE, Queue, Statistics};

impl Engine {
    /// Up to `limit` queues in order of account, region and name: those of an account and region
    /// (`None`: of all) whose name starts with `prefix` and comes behind `after`. And how many
    /// there are with those before and behind.
    pub fn queue_window(
        &self,
        (account, region): (Option<&str>, Option<&str>),
        prefix: &str,
        after: Option<&ResourceName>,
        limit: usize,
    ) -> Result<(Vec<Arc<Queue>>, usize)> {
        self.host().check_readable()?;
        let below = (QUEUE, account, region);
        let keep = |name: &ResourceName| !is_of_outbox(name) && name.is_listed(region);
        Ok(self.host().directory.window(below, prefix, after, limit, keep))
    }

    /// The queues that a service keeps something in, in all accounts and regions.
    pub fn queues_of_service(&self, service: &str) -> Result<Vec<Arc<Queue>>> {
        self.host().check_readable()?;
        let mut queues = self.host().directory.list::<Queue>(QUEUE, None, None, "");
        queues.retain(|queue| {
            let region = queue.name().region.strip_prefix(service);
            region.is_some_and(|region| region.starts_with('.'))
        });
        Ok(queues)
    }

    /// How many queues there are, and how all of them stand together.
    pub fn queue_totals(&self) -> Result<(usize, Statistics)> {
        let queues = self.queues(None, None, "")?;
        let now = self.host().now();
        self.host().sweep_all(now);
        let mut all = Statistics { at: now, ..Statistics::default() };
        for counts in queues.iter().map(|queue| queue.counts()) {
            all.visible += counts.visible;
            all.in_flight += counts.in_flight;
            all.delayed += counts.delayed;
            all.groups_in_flight += counts.groups_in_flight;
            all.oldest_sent = [all.oldest_sent, counts.oldest_sent].into_iter().flatten().min();
        }
        Ok((queues.len(), all))
    }
}
