//! Handles: numbers that C holds as pointers to types it knows nothing about.
//!
//! A handle is the place in a table, the generation of that place and the kind of thing, so a
//! handle that was given back, was made up, or names another kind of thing is told from a good one
//! without following any address. Looking a handle up takes no lock; giving out and taking back
//! take a short one.
//!
//! ```text
//! handle := generation | place (SLOT_BITS) | kind (KIND_BITS, never 0: so no handle is null)
//! ```

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use trunkline_engine::{
    Bus, Code, Durability, Engine, Error, Queue, QueueKind, ResourceName, Result, Stream, Ticket,
    Topic,
};
use trunkline_types::sync::{Mutex, lock};

const KIND_BITS: u32 = 3;
const SLOT_BITS: u32 = 20;
const GENERATION_BITS: u32 = usize::BITS - SLOT_BITS - KIND_BITS;
const CHUNK_SLOTS: usize = 1_024;
/// The most handles of one kind at a time.
const HANDLES_MAX: usize = 1 << SLOT_BITS;

/// An open engine.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct EngineHandle(usize);

/// A queue of an open engine.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct QueueHandle(usize);

/// A topic of an open engine.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct TopicHandle(usize);

/// An event bus of an open engine.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct BusHandle(usize);

/// A stream of an open engine.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct StreamHandle(usize);

/// An open engine with what its resources share.
pub(crate) struct OpenEngine {
    pub engine: Arc<Engine>,
    /// Held to define a resource: two threads must not compare with what the other changes.
    pub defining: Mutex<()>,
}

impl OpenEngine {
    /// Refuses a resource of another engine: its id would name something else in this one.
    pub fn check_same(&self, other: &Self, field: &str) -> Result<()> {
        if Arc::ptr_eq(&self.engine, &other.engine) {
            return Ok(());
        }
        let text = format!(
            "Value for parameter {field} is invalid. Reason: It is of another engine; both have to \
             be of one."
        );
        Err(Error::new(Code::InvalidParameterValue, text))
    }

    /// Returns when `ticket` is acknowledged at `level`.
    fn settle(&self, name: &ResourceName, ticket: Option<Ticket>, level: Durability) -> Result<()> {
        self.engine.host().settle(name, ticket, level)
    }
}

/// A queue with what every verb needs at hand.
pub(crate) struct OpenQueue {
    pub owner: Arc<OpenEngine>,
    pub queue: Arc<Queue>,
    /// What "acknowledged" means in this engine.
    pub level: Durability,
    pub fifo: bool,
}

impl OpenQueue {
    pub fn new(owner: Arc<OpenEngine>, queue: Arc<Queue>) -> Self {
        let (level, fifo) = (owner.engine.durability(), queue.kind() == QueueKind::Fifo);
        Self { owner, queue, level, fifo }
    }

    /// Returns when `ticket` is acknowledged at `level`.
    pub fn settle(&self, ticket: Option<Ticket>, level: Durability) -> Result<()> {
        self.queue.settle(ticket, level)
    }
}

/// A topic.
pub(crate) struct OpenTopic {
    pub owner: Arc<OpenEngine>,
    pub topic: Arc<Topic>,
}

impl OpenTopic {
    pub fn new(owner: Arc<OpenEngine>, topic: Arc<Topic>) -> Self {
        Self { owner, topic }
    }

    /// Returns when `ticket` is acknowledged at the engine's level.
    pub fn settle(&self, ticket: Option<Ticket>) -> Result<()> {
        self.owner.settle(self.topic.name(), ticket, self.owner.engine.durability())
    }
}

/// An event bus.
pub(crate) struct OpenBus {
    pub owner: Arc<OpenEngine>,
    pub bus: Arc<Bus>,
}

impl OpenBus {
    pub fn new(owner: Arc<OpenEngine>, bus: Arc<Bus>) -> Self {
        Self { owner, bus }
    }

    /// Returns when `ticket` is acknowledged at the engine's level.
    pub fn settle(&self, ticket: Option<Ticket>) -> Result<()> {
        self.owner.settle(self.bus.name(), ticket, self.owner.engine.durability())
    }
}

/// A stream, with what "acknowledged" means in its engine.
pub(crate) struct OpenStream {
    pub owner: Arc<OpenEngine>,
    pub stream: Arc<Stream>,
    pub level: Durability,
}

impl OpenStream {
    pub fn new(owner: Arc<OpenEngine>, stream: Arc<Stream>) -> Self {
        let level = owner.engine.durability();
        Self { owner, stream, level }
    }

    /// Returns when `ticket` is acknowledged at `level`.
    pub fn settle(&self, ticket: Option<Ticket>, level: Durability) -> Result<()> {
        self.owner.settle(self.stream.name(), ticket, level)
    }
}

static ENGINES: Table<OpenEngine> = Table::new(1);

impl EngineHandle {
    pub(crate) const NULL: Self = Self(0);

    pub(crate) fn new(engine: OpenEngine) -> Result<Self> {
        ENGINES.add(engine).map(Self)
    }

    pub(crate) fn get(self) -> Result<Arc<OpenEngine>> {
        ENGINES.find(self.0).ok_or_else(|| refused(self.0, "engine"))
    }

    /// Takes the handle back: every later use of it is refused.
    pub(crate) fn take(self) -> Result<Arc<OpenEngine>> {
        ENGINES.remove(self.0).ok_or_else(|| refused(self.0, "engine"))
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == 0
    }
}

/// What the handle of a resource does.
macro_rules! resource {
    ($handle:ident, $open:ident, $table:ident, $kind:literal, $field:literal) => {
        static $table: Table<$open> = Table::new($kind);

        impl $handle {
            pub(crate) const NULL: Self = Self(0);

            pub(crate) fn new(resource: $open) -> Result<Self> {
                $table.add(resource).map(Self)
            }

            pub(crate) fn get(self) -> Result<Arc<$open>> {
                $table.find(self.0).ok_or_else(|| refused(self.0, $field))
            }

            pub(crate) fn free(self) {
                $table.remove(self.0);
            }
        }
    };
}

resource!(QueueHandle, OpenQueue, QUEUES, 2, "queue");
resource!(TopicHandle, OpenTopic, TOPICS, 3, "topic");
resource!(BusHandle, OpenBus, BUSES, 4, "bus");
resource!(StreamHandle, OpenStream, STREAMS, 5, "stream");

#[cold]
fn refused(handle: usize, field: &str) -> Error {
    if handle == 0 {
        let text = format!("The parameter {field} is NULL, and is required.");
        return Error::new(Code::MissingParameter, text);
    }
    let text = format!(
        "Value for parameter {field} is invalid. Reason: It is not an open handle: it was given \
         back, or never came from this library."
    );
    Error::new(Code::InvalidParameterValue, text)
}

struct Entry<T> {
    handle: usize,
    value: Arc<T>,
}

type Chunk<T> = Box<[ArcSwapOption<Entry<T>>]>;

struct Table<T> {
    kind: usize,
    chunks: [OnceLock<Chunk<T>>; HANDLES_MAX / CHUNK_SLOTS],
    places: Mutex<Places>,
}

struct Places {
    /// Places that were never used start here.
    fresh: usize,
    /// Places that were given back, each with its next generation.
    spare: Vec<(usize, usize)>,
}

impl<T> Table<T> {
    const fn new(kind: usize) -> Self {
        let places = Places { fresh: 0, spare: Vec::new() };
        let chunks = [const { OnceLock::new() }; HANDLES_MAX / CHUNK_SLOTS];
        Self { kind, chunks, places: Mutex::new(places) }
    }

    fn add(&self, value: T) -> Result<usize> {
        let mut places = lock(&self.places);
        let (place, generation) = match places.spare.pop() {
            Some(spare) => spare,
            None if places.fresh < HANDLES_MAX => {
                places.fresh += 1;
                (places.fresh - 1, 0)
            }
            None => {
                let text = format!("{HANDLES_MAX} handles of this kind are open; free some first.");
                return Err(Error::new(Code::OverLimit, text));
            }
        };
        let handle = (generation << SLOT_BITS | place) << KIND_BITS | self.kind;
        let chunk = self.chunks[place / CHUNK_SLOTS]
            .get_or_init(|| (0..CHUNK_SLOTS).map(|_| ArcSwapOption::const_empty()).collect());
        chunk[place % CHUNK_SLOTS].store(Some(Arc::new(Entry { handle, value: Arc::new(value) })));
        Ok(handle)
    }

    fn find(&self, handle: usize) -> Option<Arc<T>> {
        let entry = self.slot(handle)?.load();
        let entry = entry.as_ref().filter(|entry| entry.handle == handle)?;
        Some(entry.value.clone())
    }

    fn remove(&self, handle: usize) -> Option<Arc<T>> {
        // Under the lock, so that of two threads that give one handle back, one does.
        let mut places = lock(&self.places);
        let value = self.find(handle)?;
        self.slot(handle)?.store(None);
        let place = handle >> KIND_BITS & (HANDLES_MAX - 1);
        let generation = (handle >> (SLOT_BITS + KIND_BITS)) + 1;
        // A place whose generations are used up is retired: no handle is ever given out twice.
        if generation < 1 << GENERATION_BITS {
            places.spare.push((place, generation));
        }
        Some(value)
    }

    fn slot(&self, handle: usize) -> Option<&ArcSwapOption<Entry<T>>> {
        let place = handle >> KIND_BITS & (HANDLES_MAX - 1);
        Some(&self.chunks[place / CHUNK_SLOTS].get()?[place % CHUNK_SLOTS])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_handle_that_was_given_back_is_never_valid_again() {
        let table = Table::new(1);
        let first = table.add("first").expect("the table is not full");
        assert_eq!(table.remove(first).as_deref(), Some(&"first"));
        let second = table.add("second").expect("the table is not full");
        assert_ne!(first, second);
        assert_eq!(table.find(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.find(second).as_deref(), Some(&"second"));
    }

    #[test]
    fn made_up_handles_and_handles_of_another_kind_are_refused() {
        let (engines, queues) = (Table::new(1), Table::new(2));
        let engine = engines.add(()).expect("the table is not full");
        queues.add(()).expect("the table is not full");
        assert_eq!(queues.find(engine), None);
        for made_up in [0, 1 << 40, usize::MAX, engine + 4, engine + 1, engine ^ 1 << 63] {
            assert_eq!(engines.find(made_up), None, "{made_up:#x}");
        }
    }

    #[test]
    fn of_many_threads_that_give_a_handle_back_one_does() {
        let table = Table::new(1);
        for _ in 0..1_000 {
            let handle = table.add(()).expect("the table is not full");
            let done = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        if table.remove(handle).is_some() {
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!(done.into_inner(), 1);
        }
    }
}
