//! Schedules as the surfaces create them: the target and the dead-letter queue have to fit.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, QueueKind, ResourceId, ResourceKind, ResourceName, Result};

use crate::bus::BUS;
use crate::engine::Engine;
use crate::queue::{QUEUE, Queue};
use crate::router::Target;
use crate::schedule::{SCHEDULE, Schedule, ScheduleConfig};
use crate::stream::STREAM;
use crate::topic::{TOPIC, Topic};

/// The kinds that take what a schedule sends: those that implement `Resource::accept` for it.
const TARGETS: [ResourceKind; 4] = [QUEUE, TOPIC, BUS, STREAM];

impl Engine {
    /// Creates a schedule. Its name is that of a group of schedules and its own, with a slash in
    /// between. It is applied when this returns, and durable with the ticket.
    pub fn create_schedule(
        &self,
        name: ResourceName,
        config: ScheduleConfig,
    ) -> Result<(Arc<Schedule>, Option<Ticket>)> {
        self.check_schedule(&config)?;
        self.schedules.create(name, config)
    }

    /// Replaces the definition of a schedule.
    pub fn configure_schedule(
        &self,
        schedule: &Schedule,
        config: ScheduleConfig,
    ) -> Result<Option<Ticket>> {
        self.check_schedule(&config)?;
        schedule.configure(config)
    }

    /// The schedule of this name.
    pub fn find_schedule(&self, name: &ResourceName) -> Result<Option<Arc<Schedule>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.find(name))
    }

    /// The schedules of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn schedules(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Schedule>>> {
        self.host().check_readable()?;
        Ok(self.schedules.list(account, region, prefix))
    }

    /// Up to `limit` schedules of an account and region whose name starts with `prefix` and comes
    /// behind `after`, in order.
    pub fn schedule_page(
        &self,
        (account, region): (&str, &str),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Schedule>>> {
        self.host().check_readable()?;
        let below = ResourceName::new(SCHEDULE, account, region, prefix);
        Ok(self.host().directory.page(&below, after, limit, |_| true))
    }

    /// The name of a target, for the definition of a schedule.
    pub fn target_name(&self, target: Target) -> Result<ResourceName> {
        let queue = match target {
            Target::Queue(id) => self.queue_of(id)?,
            Target::Outbox(id) => self.destination_queue(id)?,
        };
        Ok(queue.name().clone())
    }

    /// The name of a resource, for the definition of a schedule.
    pub fn resource_name(&self, id: ResourceId) -> Result<ResourceName> {
        let resource = self.host().directory.any(id).ok_or_else(|| {
            Error::new(Code::ResourceNotFoundException, "target: it was removed. Create it again.")
        })?;
        Ok(resource.name().clone())
    }

    fn check_schedule(&self, config: &ScheduleConfig) -> Result<()> {
        self.host().check_writable()?;
        if !TARGETS.contains(&config.target.kind) {
            return Err(Error::new(
                Code::UnsupportedOperation,
                format!(
                    "target: a schedule cannot send to a {} yet. Name a queue, a topic, an \
                     event bus, a stream, a function or a URL.",
                    config.target.kind
                ),
            ));
        }
        let directory = &self.host().directory;
        if directory.id_of(&config.target).is_none() {
            return Err(absent("target", &config.target));
        }
        let needs = match config.target.kind {
            STREAM => Some("a stream. Name the partition key of its records."),
            TOPIC => directory
                .find::<Topic>(&config.target)
                .is_some_and(|topic| topic.config().is_fifo)
                .then_some("a FIFO topic. Name the group of its messages."),
            _ => directory
                .find::<Queue>(&config.target)
                .is_some_and(|queue| queue.kind() == QueueKind::Fifo)
                .then_some("a FIFO queue. Name the group of its messages."),
        };
        if let (Some(needs), None) = (needs, &config.group) {
            return Err(Error::new(
                Code::ValidationException,
                format!("group: it is absent, and the target is {needs}"),
            ));
        }
        let Some(name) = &config.dead_letter else { return Ok(()) };
        match directory.find::<Queue>(name) {
            Some(queue) if queue.kind() == QueueKind::Standard => Ok(()),
            Some(_) => Err(Error::new(
                Code::ValidationException,
                "dead_letter: it is a FIFO queue. Name a standard queue.",
            )),
            None => Err(absent("dead_letter", name)),
        }
    }
}

#[cold]
fn absent(field: &str, name: &ResourceName) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("{field}: the {} {:?} does not exist. Create it first.", name.kind, name.name),
    )
}
