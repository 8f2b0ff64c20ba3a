//! Items put together for one child execution each.

use crate::effect::ItemBatch;
use crate::value::{Members, Value};

/// Puts items together, up to a number and to a size.
#[derive(Debug)]
pub struct Batcher {
    settings: ItemBatch,
    items: Vec<Value>,
    bytes: usize,
    /// The bytes of an input without items.
    frame: usize,
}

impl Batcher {
    /// A batcher with the settings of a map run.
    pub fn new(settings: ItemBatch) -> Batcher {
        let mut batcher = Batcher { settings, items: Vec::new(), bytes: 0, frame: 0 };
        batcher.frame = batcher.input(Vec::new()).to_string().len();
        batcher
    }

    /// Takes an item. When it does not fit into the open batch, that batch comes back: the input of
    /// its child execution, and how many items it holds.
    pub fn push(&mut self, item: Value) -> Option<(Value, u64)> {
        let bytes = item.to_string().len() + 1;
        let too_large = self.settings.max_bytes > 0
            && (self.frame + self.bytes + bytes - 1) as u64 > self.settings.max_bytes;
        let full =
            self.settings.max_items > 0 && self.items.len() as u64 >= self.settings.max_items;
        let closed =
            if (too_large || full) && !self.items.is_empty() { self.close() } else { None };
        self.items.push(item);
        self.bytes += bytes;
        closed
    }

    /// The open batch, after the last item.
    pub fn close(&mut self) -> Option<(Value, u64)> {
        if self.items.is_empty() {
            return None;
        }
        self.bytes = 0;
        let items = std::mem::take(&mut self.items);
        let count = items.len() as u64;
        Some((self.input(items), count))
    }

    fn input(&self, items: Vec<Value>) -> Value {
        let mut members = Members::new();
        if let Some(input) = &self.settings.input {
            members.insert("BatchInput".into(), input.clone());
        }
        members.insert("Items".into(), Value::array(items));
        Value::Object(std::sync::Arc::new(members))
    }
}
