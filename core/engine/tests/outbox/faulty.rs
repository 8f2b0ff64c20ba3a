//! Faults behind the outbox: a queue that panics or refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use trunkline_engine::delivery::Ended;
use trunkline_engine::{
    Backlog, BacklogCounts, Code, DestinationConfig, Engine, Error, Millis, Queue, Receipt, Result,
    Signal, Subscription, Ticket, standard_queue,
};

use super::common::{memory, queue};
use super::endpoint::Endpoint;
use super::*;

/// The queue of a destination, with faults.
struct Faulty {
    queue: Arc<Queue>,
    /// Deletes that panic, counted down.
    delete_panics: AtomicU32,
    /// Whether no dead-letter queue takes anything.
    refuses_dead_letters: bool,
}

impl Faulty {
    fn of(engine: &Engine, id: ResourceId) -> Self {
        let queue = engine.queue_by_id(id).unwrap();
        Self { queue, delete_panics: AtomicU32::new(0), refuses_dead_letters: false }
    }
}

impl Backlog for Faulty {
    fn lease(
        &self,
        max: usize,
        lease: Millis,
        sink: &mut dyn FnMut(LeasedDelivery),
    ) -> Result<usize> {
        self.queue.lease(max, lease, sink)
    }

    fn delete(&self, receipt: &Receipt) -> Result<Option<Ticket>> {
        let less = |left: u32| left.checked_sub(1);
        let panics = self.delete_panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        assert!(panics.is_err(), "a defect, as the test wants it");
        Backlog::delete(&*self.queue, receipt)
    }

    fn retry_after(&self, receipt: &Receipt, delay: Millis) -> Result<()> {
        self.queue.retry_after(receipt, delay)
    }

    fn dead_letter(
        &self,
        receipt: &Receipt,
        target: ResourceId,
        attributes: &[(&str, String)],
    ) -> Result<bool> {
        if self.refuses_dead_letters {
            return Err(Error::new(Code::StorageFailure, "The test refuses it."));
        }
        self.queue.dead_letter(receipt, target, attributes)
    }

    fn listen(&self, signal: Arc<dyn Signal>) {
        self.queue.listen(signal);
    }

    fn subscribe(self: Arc<Self>, signal: Arc<dyn Signal>) -> Subscription {
        Backlog::subscribe(self.queue.clone(), signal)
    }

    fn counts(&self) -> BacklogCounts {
        self.queue.counts()
    }
}

#[test]
fn an_attempt_whose_end_panics_is_over_and_its_delivery_comes_back() {
    let (engine, hook) = (memory(), Endpoint::answering(200));
    let config = DestinationConfig { concurrency: 1, ..http(&hook.url) };
    let id = engine.create_destination("hook", &config).unwrap();
    let faulty = Faulty { delete_panics: AtomicU32::new(1), ..Faulty::of(&engine, id) };
    engine.outbox().attach(id, Arc::new(faulty), config);
    deliver(&engine, id, "a");
    settle(&engine);
    assert_eq!((hook.seen().len(), statistics(&engine, id).leased), (1, 1));
    engine.advance(60_000).unwrap();
    assert_eq!((hook.seen().len(), statistics(&engine, id).leased), (2, 0));
}

#[test]
fn an_error_of_one_delivery_does_not_count_as_an_attempt_of_another() {
    let engine = memory();
    let dead = queue(&engine, "dead", standard_queue());
    let config =
        DestinationConfig { retry: RetryTable::none(), dead_letter: Some(dead.id()), ..handled() };
    let id = engine.create_destination("handler", &config).unwrap();
    let faulty = Faulty { refuses_dead_letters: true, ..Faulty::of(&engine, id) };
    engine.outbox().attach(id, Arc::new(faulty), config);
    let handler = engine.outbox().enter_handler(id).unwrap();
    deliver(&engine, id, "lost");
    assert_eq!(handler.lease(1).unwrap().len(), 1);
    drop(handler);
    engine.advance(31_000).unwrap();
    // The first has to be given up, which fails; the second is leased in the same step.
    deliver(&engine, id, "b");
    let handler = engine.outbox().enter_handler(id).unwrap();
    let leased = handler.lease(10).unwrap();
    assert_eq!(leased.iter().map(|one| &one.body[..]).collect::<Vec<_>>(), [b"b"]);
    handler.settle(&end(&leased[0]), &Ended::Delivered).unwrap();
    drop(handler);
    // Alone, it is an error.
    engine.advance(31_000).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    assert_eq!(handler.lease(10).unwrap_err().code(), Code::StorageFailure);
    assert_eq!(statistics(&engine, id).leased, 1, "it is kept");
}
