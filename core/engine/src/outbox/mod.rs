//! The outbox: deliveries that leave the engine, over HTTP or to handlers of the embedder.
//!
//! A destination is a queue and a configuration, which is the queue's document. A delivery is a
//! message of that queue: its lease is an attempt, the end of its lease the next one. What follows
//! an attempt is decided by `trunkline-delivery` and carried out here. The only records of the
//! outbox itself are failures: deliveries that were given up and that no dead-letter queue took.
//!
//! Deliveries are made at least once. An attempt whose end is lost, in a crash or by a handler that
//! hung, counts as an attempt.

mod backlog;
mod config;
mod destination;
mod failures;
mod handlers;
mod pace;
mod replay;
mod request;
mod sender;
mod settle;
mod tokens;
mod traced;
mod turns;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use trunkline_delivery::{Attempt, Client, ClientOptions, Dispatcher, Outcome, Reach};
use trunkline_host::{ComponentKind, Host};
use trunkline_types::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use trunkline_types::sync::{Condvar, Mutex, lock};
use trunkline_types::{
    Code, Deadline, Error, Limits, ResourceId, ResourceKind, ResourceName, Result,
};

use self::destination::Destination;
use self::failures::{FAILED, FORGOTTEN, Failures};
use self::pace::Buckets;
use self::replay::OutboxLoader;
use self::sender::Way;
use self::tokens::Tokens;
use self::turns::TurnTask;

pub use self::backlog::{Backlog, BacklogCounts, LeasedDelivery};
pub use self::config::{DestinationConfig, Transport};
pub use self::destination::DestinationStatistics;
pub use self::failures::FailedDelivery;
pub use self::handlers::HandlerGuard;
pub use self::request::{HttpOptions, Parameter, Place, Rate, TokenSource, Value};
pub use self::settle::AttemptRef;

/// The kind of the outbox, for the table of kinds.
pub static OUTBOX: ComponentKind = ComponentKind {
    name: "outbox",
    records: &[FAILED..=FORGOTTEN],
    operations: &[],
    loader: |_: &Limits| Box::<OutboxLoader>::default(),
};

/// The kind under which reports show destinations that have failures.
pub const OUTBOX_KIND: ResourceKind = ResourceKind("outbox");

/// The account in the names of the queues of destinations, and their region. No caller has them: an
/// account is 12 digits, and a region is not empty.
pub(crate) const OUTBOX_ACCOUNT: &str = "outbox";
pub(crate) const OUTBOX_REGION: &str = "";

/// Whether a queue of this name holds the deliveries of a destination.
pub(crate) fn is_of_outbox(name: &ResourceName) -> bool {
    name.account == OUTBOX_ACCOUNT && name.region == OUTBOX_REGION
}

/// How long a virtual clock waits for attempts and handlers before it is an error: longer than any
/// endpoint may take, and short enough that a test which hangs says so.
const QUIET_PATIENCE: Duration = Duration::from_secs(60);
/// How often a wait for handlers looks again: a queue may be emptied without a word.
const QUIET_LOOK: Duration = Duration::from_millis(50);

const PAUSED: u8 = 0;
const STARTED: u8 = 1;
const CLOSED: u8 = 2;

/// The outbox of one engine.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

/// What all clones of an outbox share.
pub struct Shared {
    host: Arc<Host>,
    destinations: Mutex<HashMap<ResourceId, Arc<Destination>>>,
    dispatcher: Mutex<Dispatcher<ResourceId, Way>>,
    turns: TurnTask,
    stage: AtomicU8,
    client: Mutex<Option<Arc<Client>>>,
    client_options: Mutex<ClientOptions>,
    failures: Mutex<Failures>,
    buckets: Buckets,
    tokens: Tokens,
    quiet: (Mutex<()>, Condvar),
    /// How many threads wait for quiet.
    waits_for_quiet: AtomicU32,
}

impl Deref for Outbox {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Outbox {
    fn new(host: Arc<Host>, failures: Failures) -> Self {
        Self(Arc::new(Shared {
            host,
            destinations: Mutex::default(),
            dispatcher: Mutex::default(),
            turns: TurnTask::default(),
            stage: AtomicU8::new(PAUSED),
            client: Mutex::new(None),
            client_options: Mutex::new(ClientOptions::default()),
            failures: Mutex::new(failures),
            buckets: Buckets::default(),
            tokens: Tokens::default(),
            quiet: (Mutex::new(()), Condvar::new()),
            waits_for_quiet: AtomicU32::new(0),
        }))
    }

    /// Replaces the bounds of the HTTP client. Fails once it is at work.
    pub fn set_client_options(&self, options: ClientOptions) -> Result<()> {
        if lock(&self.client).is_some() {
            return Err(Error::new(
                Code::UnsupportedOperation,
                "Deliveries over HTTP are being made. Set the client's options before the first.",
            ));
        }
        *lock(&self.client_options) = options;
        Ok(())
    }

    /// Which addresses deliveries over HTTP may reach from now on. Attempts that are being made end
    /// as they began.
    pub fn set_reach(&self, reach: Reach) {
        lock(&self.client_options).reach = reach;
        lock(&self.client).take();
    }

    /// Begins to deliver. Before that, deliveries only gather: a copy of an engine must not send
    /// what its original sends.
    pub fn start(&self) {
        let started =
            self.stage.compare_exchange(PAUSED, STARTED, Ordering::AcqRel, Ordering::Acquire);
        if started.is_ok() {
            self.notify_all();
        }
    }

    /// Adds a destination whose deliveries are in `backlog`, and delivers what is there.
    pub fn attach(&self, id: ResourceId, backlog: Arc<dyn Backlog>, config: DestinationConfig) {
        let destination = Arc::new(Destination::new(id, backlog, config));
        lock(&self.destinations).insert(id, destination.clone());
        destination.backlog.listen(self.due(id));
        let counts = destination.backlog.counts();
        if counts.due + counts.leased > 0 {
            self.notify(id);
        }
    }

    /// Changes the configuration of a destination, from its next attempt on.
    pub fn configure(&self, id: ResourceId, config: DestinationConfig) -> Result<()> {
        self.destination(id).ok_or_else(no_such_destination)?.set_config(config);
        self.notify(id);
        Ok(())
    }

    /// Forgets a destination whose queue was removed, and its failures. Attempts that run are not
    /// recalled.
    pub fn detach(&self, id: ResourceId) -> Result<()> {
        let removed = lock(&self.destinations).remove(&id);
        if let Some(destination) = removed {
            destination.remove();
        }
        lock(&self.failures).forget_all(&mut self.host.append()?, id);
        Ok(())
    }

    /// Forgets the failures of destinations that are not attached. Called once all are: a crash may
    /// have come between the end of a queue and that of its failures.
    pub fn forget_removed(&self) -> Result<()> {
        let mut failures = lock(&self.failures);
        let mut gone = failures.destinations();
        gone.retain(|id| self.destination(*id).is_none());
        if !gone.is_empty() {
            let mut log = self.host.append()?;
            gone.into_iter().for_each(|id| failures.forget_all(&mut log, id));
        }
        Ok(())
    }

    /// The configuration of a destination.
    pub fn config(&self, id: ResourceId) -> Result<DestinationConfig> {
        let destination = self.destination(id).ok_or_else(no_such_destination)?;
        Ok(destination.prepared().config.clone())
    }

    /// How a destination stands.
    pub fn statistics(&self, id: ResourceId) -> Result<DestinationStatistics> {
        self.host.check_readable()?;
        Ok(self.destination(id).ok_or_else(no_such_destination)?.statistics())
    }

    /// Deliveries of a destination that were given up and that no dead-letter queue took: the
    /// newest hundred, oldest first.
    pub fn failures(&self, id: ResourceId) -> Result<Vec<FailedDelivery>> {
        self.host.check_readable()?;
        Ok(lock(&self.failures).list(id))
    }

    /// Waits until no attempt runs, nothing is due, and every handler has answered: before a
    /// virtual clock moves on. Not to be called by a handler, for which it would wait.
    pub fn wait_until_quiet(&self) -> Result<()> {
        // Before it looks: what comes back later tells this thread.
        self.waits_for_quiet.fetch_add(1, Ordering::SeqCst);
        let quiet = self.await_quiet();
        self.waits_for_quiet.fetch_sub(1, Ordering::SeqCst);
        quiet
    }

    fn await_quiet(&self) -> Result<()> {
        let end = Deadline::after(QUIET_PATIENCE);
        let mut guard = lock(&self.quiet.0);
        while !self.is_quiet() {
            if end.left().is_zero() {
                return Err(Error::new(
                    Code::UnsupportedOperation,
                    format!(
                        "The clock cannot be advanced: a delivery has not come back for {} \
                         seconds. A handler must not advance the clock, and must end.",
                        QUIET_PATIENCE.as_secs()
                    ),
                ));
            }
            if self.turns.is_stalled() {
                // Its timer cannot fire before this wait is over.
                self.request_turns();
            }
            guard = match self.quiet.1.wait_timeout(guard, QUIET_LOOK.min(end.left())) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        if self.stage.load(Ordering::Acquire) != STARTED {
            return true;
        }
        lock(&self.dispatcher).is_idle()
            && !self.all_destinations().iter().any(|destination| destination.is_handling())
    }

    /// Something came back: threads that wait for quiet look again.
    fn tell_quiet(&self) {
        if self.waits_for_quiet.load(Ordering::SeqCst) == 0 {
            return;
        }
        drop(lock(&self.quiet.0));
        self.quiet.1.notify_all();
    }

    /// Whether deliveries only gather: not begun, or closed.
    fn is_paused(&self) -> bool {
        self.stage.load(Ordering::Acquire) != STARTED
    }

    fn destination(&self, id: ResourceId) -> Option<Arc<Destination>> {
        lock(&self.destinations).get(&id).cloned()
    }

    fn all_destinations(&self) -> Vec<Arc<Destination>> {
        let mut all: Vec<_> = lock(&self.destinations).values().cloned().collect();
        all.sort_unstable_by_key(|destination| destination.id);
        all
    }

    /// The HTTP client, started at the first need.
    fn client(&self) -> Result<Arc<Client>> {
        let mut client = lock(&self.client);
        self.host.check_writable()?;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let started = Arc::new(Client::new(lock(&self.client_options).clone())?);
        Ok(client.insert(started).clone())
    }

    /// Makes one request beside the deliveries, within the bounds of the HTTP client, and waits for
    /// its outcome.
    pub fn request(&self, attempt: Attempt) -> Result<Outcome> {
        Ok(self.client()?.request(attempt))
    }

    /// Ends attempts and lets go of every queue. What was not carried out is in the queues.
    fn shut(&self) {
        self.stage.store(CLOSED, Ordering::Release);
        if let Some(client) = lock(&self.client).take() {
            client.close();
        }
        let destinations = std::mem::take(&mut *lock(&self.destinations));
        destinations.values().for_each(|destination| destination.remove());
        *lock(&self.dispatcher) = Dispatcher::default();
        self.tell_quiet();
    }
}

#[cold]
fn no_such_destination() -> Error {
    Error::new(Code::ResourceNotFoundException, "The destination does not exist.")
}
