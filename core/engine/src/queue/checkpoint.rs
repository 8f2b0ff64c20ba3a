//! Queues in a checkpoint: definitions and remembered ids as records, messages as blocks.

use trunkline_host::{CheckpointSink, Location};
use trunkline_types::sync::lock;
use trunkline_types::{ResourceId, Result, Seq};

use crate::queue::block::Block;
use crate::queue::envelope::SHARED;
use crate::queue::record::{Record, SECTION};
use crate::queue::stored::StoredMessage;
use crate::queue::{Kind, Queue};

/// Hands the messages of one queue to a checkpoint, in blocks.
pub(crate) struct BlockSink<'a, 'b> {
    queue: ResourceId,
    sink: &'a mut CheckpointSink<'b>,
    block: Block,
}

impl BlockSink<'_, '_> {
    /// Adds a message. They need not come in order, but then take more space.
    pub fn push(
        &mut self,
        queue: &Queue,
        seq: Seq,
        message: StoredMessage,
        group: Option<&str>,
    ) -> Result<()> {
        let payload = if message.flags & SHARED == 0 {
            None
        } else {
            // A message that holds no reference any more is gone, which a record behind the
            // checkpoint says.
            let Some(payload) = queue.references.get(seq) else { return Ok(()) };
            Some(payload.id())
        };
        if self.block.push(seq, message, group, payload) {
            return Ok(());
        }
        self.end_block()?;
        self.block.push(seq, message, group, payload);
        Ok(())
    }

    /// A record of the queue that is in the journal.
    pub fn record(&mut self, at: Location, record: &Record<'_>) -> Result<()> {
        self.sink.record(at, record)
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let (queue, block) = (self.queue, &mut self.block);
        self.sink.section(SECTION, |bytes| block.take(queue, bytes))
    }
}

impl Queue {
    /// Hands the queue to a checkpoint; see [`trunkline_host::Component::checkpoint`].
    pub(crate) fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<()> {
        let definition = self.stored_definition();
        let Some(location) = definition.location() else { return Ok(()) };
        if self.is_removed() {
            return Ok(());
        }
        sink.record(location, &Record::Defined(definition.record(self.id, self.next_seq())))?;
        let purged = *lock(&self.purged);
        if let Some(location) = purged.location {
            // Nothing is before 0: only the time is told.
            sink.record(location, &Record::Purged { queue: self.id, before: 0, at: purged.at })?;
        }
        let mut blocks = BlockSink { queue: self.id, sink, block: Block::default() };
        match self.inner() {
            Kind::Standard(standard) => standard.checkpoint(self, &mut blocks)?,
            Kind::Fifo(fifo) => fifo.checkpoint(self, &mut blocks)?,
        }
        blocks.end_block()
    }
}
