//! The inputs of the child executions of a map run, from items that come in parts.

use std::sync::Arc;

use super::{Batcher, ItemReader, ReaderFailed};
use crate::effect::{ItemBatch, ItemSelection};
use crate::entropy::Entropy;
use crate::history::Failure;
use crate::program::Program;
use crate::value::Value;

/// The error of a reader that cannot read.
pub const READER_FAILED: &str = "States.ItemReaderFailed";

/// Makes the inputs of child executions: reads items, has `ItemSelector` see each one, and puts
/// them together. The same bytes make the same inputs in the same order.
#[derive(Debug)]
pub struct ChildInputs {
    program: Arc<Program>,
    reader: Option<ItemReader>,
    selection: Option<ItemSelection>,
    batcher: Option<Batcher>,
    /// Items so far.
    index: u64,
}

/// The input of a child execution, and how many items it holds.
pub type ChildInput = (Value, u64);

impl ChildInputs {
    /// What makes inputs of the items that a reader with this `ReaderConfig` reads, or of items
    /// that are given.
    pub fn new(
        program: Arc<Program>,
        config: Option<&Value>,
        selection: Option<ItemSelection>,
        batch: Option<ItemBatch>,
    ) -> Result<ChildInputs, Failure> {
        let reader = config.map(ItemReader::new).transpose().map_err(of_reader)?;
        let batcher = batch.map(Batcher::new);
        Ok(ChildInputs { program, reader, selection, batcher, index: 0 })
    }

    /// Whether the reader wants no more bytes: it has read `MaxItems`.
    pub fn is_full(&self) -> bool {
        self.reader.as_ref().is_some_and(ItemReader::is_full)
    }

    /// Reads bytes of an object.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<ChildInput>, Failure> {
        let mut items = Vec::new();
        if let Some(reader) = &mut self.reader {
            reader.feed(bytes, &mut items).map_err(of_reader)?;
        }
        self.take(items, now_ms, entropy)
    }

    /// Takes items that need no reader.
    pub fn take(
        &mut self,
        items: Vec<Value>,
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<ChildInput>, Failure> {
        let mut inputs = Vec::with_capacity(items.len());
        for item in items {
            let selection = self.selection.as_ref();
            let index = self.index;
            let selected = self.program.select_item(selection, index, &item, now_ms, entropy)?;
            self.index += 1;
            match &mut self.batcher {
                Some(batcher) => inputs.extend(batcher.push(selected)),
                None => inputs.push((selected, 1)),
            }
        }
        Ok(inputs)
    }

    /// Ends the items: what is left of them.
    pub fn finish(
        &mut self,
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<ChildInput>, Failure> {
        let mut items = Vec::new();
        if let Some(reader) = self.reader.take() {
            reader.finish(&mut items).map_err(of_reader)?;
        }
        let mut inputs = self.take(items, now_ms, entropy)?;
        inputs.extend(self.batcher.as_mut().and_then(Batcher::close));
        Ok(inputs)
    }
}

fn of_reader(failed: ReaderFailed) -> Failure {
    Failure { error: Some(READER_FAILED.into()), cause: Some(failed.cause.into()) }
}
