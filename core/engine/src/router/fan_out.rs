//! One content for many targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Payloads, Renderer};
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, Result};

use super::Target;
use crate::engine::Engine;
use crate::queue::{
    Branch, FanOutStep, Kept, Outgoing, Queue, Sent, SharedPayload, fan_out, operation,
};

/// One target of a fan-out, and what is its message's own.
#[derive(Debug, Clone, Copy)]
pub struct FanTarget<'a> {
    /// Where the message goes.
    pub target: Target,
    /// FIFO: the group, required. Standard: the tenant of a fair queue.
    pub group: Option<&'a str>,
    /// FIFO: the deduplication id; the SHA-256 of the body stands in where the queue says so.
    pub dedup_id: Option<&'a str>,
    /// Standard: how long the message stays invisible, instead of the queue's own delay.
    pub delay: Option<Millis>,
    /// Who renders the content for this target when it is received; `None` for as it is.
    pub renderer: Option<Renderer>,
}

impl FanTarget<'_> {
    /// A target that gets the content as it is.
    pub fn of(target: Target) -> Self {
        Self { target, group: None, dedup_id: None, delay: None, renderer: None }
    }
}

/// What became of a fan-out.
#[derive(Debug)]
pub struct FanOut {
    /// What became of each target, in their order: one that is gone, or takes no such message,
    /// fails for itself.
    pub results: Vec<Result<Sent>>,
    /// To be waited for, if the engine has a journal and a target took its message. A crash before
    /// it is durable leaves the message of every target that succeeded, or of none.
    pub ticket: Option<Ticket>,
}

impl Engine {
    /// Delivers one content to many targets, in one step of the journal. The content is stored
    /// once.
    pub fn fan_out(
        &self,
        targets: &[FanTarget<'_>],
        content: &SharedPayload<'_>,
    ) -> Result<FanOut> {
        let now = self.host().admit_internal(operation::SEND)?.now(self.host());
        let queues: Vec<_> =
            targets.iter().map(|target| self.target_queue(target.target)).collect();
        let mut branches = Vec::with_capacity(targets.len());
        for (target, queue) in targets.iter().zip(&queues) {
            let Ok(queue) = queue else { continue };
            let FanTarget { group, dedup_id, delay, renderer, .. } = *target;
            let SharedPayload { body, attributes, .. } = *content;
            let message = Outgoing { body, attributes, group, dedup_id, delay };
            branches.push(Branch { queue, message, kept: Kept::Shared(renderer) });
        }
        let step = FanOutStep { branches: &branches, content: *content, participants: &[], now };
        let (sent, ticket) = fan_out(self.host(), &step)?;
        let mut sent = sent.into_iter();
        let left_out = || Err(Error::new(Code::InternalError, "A target was left out."));
        let result = |queue: &Result<Arc<Queue>>| match queue {
            Ok(_) => sent.next().unwrap_or_else(left_out),
            Err(error) => Err(error.clone()),
        };
        let results = queues.iter().map(result).collect();
        Ok(FanOut { results, ticket })
    }

    /// The shared payloads: the number of each, the references that were counted, and those that
    /// the messages of all queues hold. The two are equal when no verb runs.
    #[doc(hidden)]
    pub fn count_payload_references(&self) -> Vec<(u64, u32, u32)> {
        let Some(payloads) = self.host().component::<Payloads>() else { return Vec::new() };
        let mut counts: BTreeMap<u64, (u32, u32)> =
            payloads.counts().into_iter().map(|(id, counted)| (id, (counted, 0))).collect();
        for queue in self.host().directory.all::<Queue>() {
            for (_, id) in queue.references.all() {
                counts.entry(id).or_default().1 += 1;
            }
        }
        counts.into_iter().map(|(id, (counted, held))| (id, counted, held)).collect()
    }

    fn target_queue(&self, target: Target) -> Result<Arc<Queue>> {
        match target {
            Target::Queue(id) => self.queue_of(id),
            Target::Outbox(id) => self.destination_queue(id),
        }
    }
}
