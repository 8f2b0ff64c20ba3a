//! Buckets as the surfaces create them.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::{ResourceName, Result};

use crate::bucket::{Bucket, BucketConfig};
use crate::engine::Engine;

impl Engine {
    /// Creates a bucket. Its name is taken in all accounts and regions. It is applied when this
    /// returns, and durable with the ticket.
    pub fn create_bucket(
        &self,
        name: ResourceName,
        config: BucketConfig,
    ) -> Result<(Arc<Bucket>, Option<Ticket>)> {
        self.buckets.create(name, config)
    }

    /// The bucket of this name, in whatever account and region.
    pub fn find_bucket(&self, name: &str) -> Result<Option<Arc<Bucket>>> {
        self.host().check_readable()?;
        Ok(self.buckets.find(name))
    }

    /// The buckets of an account (`None`: of all) whose name starts with `prefix`, sorted.
    pub fn buckets(&self, account: Option<&str>, prefix: &str) -> Result<Vec<Arc<Bucket>>> {
        self.host().check_readable()?;
        Ok(self.buckets.list(account, prefix))
    }
}
