//! What several queues get at once, in one step of the journal, with everything else that the
//! sender records of it: a crash leaves all of a step or nothing of it.
//!
//! The records of a step lie in one batch of the journal, which recovery accepts or rejects as a
//! whole. So the step says beforehand how many bytes they need at most ([`Append::reserve`]).
//!
//! Lock order: the mutexes of the FIFO queues in the order of their ids, then the append lock. All
//! are held until the last record of the step is appended.

mod grouped;

use std::sync::Arc;

use trunkline_host::mutant::{self, Mutant};
use trunkline_host::{Also, Append, Host, Payload, Payloads, Put, Renderer, Shared};
use trunkline_journal::Ticket;
use trunkline_queue::FifoState;
use trunkline_types::sync::MutexGuard;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use self::grouped::Group;
use super::fifo::{self, FifoQueue, Prepared};
use super::message::{Outgoing, Sent};
use super::plain::{LOOK_AHEAD, look_ahead};
use super::record::TARGET_BYTES;
use super::{Kind, Queue, standard};

/// What the messages of a fan-out share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedPayload<'a> {
    /// Any bytes.
    pub body: &'a [u8],
    /// The attribute block (see [`crate::attributes`]); empty for none.
    pub attributes: &'a [u8],
    /// What the publisher says of the payload, for who renders it; empty for nothing.
    pub context: &'a [u8],
}

/// One queue of a step, and its message.
pub(crate) struct Branch<'a> {
    pub queue: &'a Arc<Queue>,
    pub message: Outgoing<'a>,
    pub kept: Kept,
}

/// Where the body and the attributes of a message are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In the shared payload of the step, which the renderer renders for receivers.
    Shared(Option<Renderer>),
    /// In the message itself.
    Own,
}

/// What one step of the journal does.
#[derive(Clone, Copy)]
pub(crate) struct FanOutStep<'a> {
    pub branches: &'a [Branch<'a>],
    /// The content of the branches that share it.
    pub content: SharedPayload<'a>,
    /// What others append in the same step, behind the messages.
    pub participants: &'a [&'a dyn Also],
    /// When the call was admitted: nothing here waits.
    pub now: Millis,
}

/// What became of each branch, in their order, and what is to be waited for: nothing if no branch
/// took its message and there are no participants.
pub(crate) type Outcome = (Vec<Result<Sent>>, Option<Ticket>);

/// More bytes than the record of a message has beside its group, its deduplication id and its
/// content.
const MESSAGE_HEAD_BYTES: usize = 128;
/// The bytes of a deduplication id that is made from the body.
const DEDUP_ID_BYTES: usize = 64;
/// More bytes than the record of a payload has beside its content.
const PAYLOAD_HEAD_BYTES: usize = 32;

/// Whether a queue would take this message now: for a sender that gives what is refused to another
/// queue in the same step.
pub(crate) fn check(queue: &Queue, message: &Outgoing<'_>) -> Result<()> {
    queue.check_present()?;
    match queue.inner() {
        Kind::Standard(_) => standard::check(queue, message),
        Kind::Fifo(_) => fifo::check(queue, message),
    }
}

/// Sends to every branch that takes its message, in one step of the journal with what the
/// participants append. An error means that nothing was done.
pub(crate) fn fan_out(host: &Arc<Host>, step: &FanOutStep<'_>) -> Result<Outcome> {
    if step.branches.is_empty() && step.participants.is_empty() {
        return Ok((Vec::new(), None));
    }
    let mut prefix = Vec::new();
    let content = Content::new(host, step, &mut prefix)?;
    let fifos = prepare_fifos(step);
    let (results, ticket) = {
        let states = lock_states(&fifos);
        let mut log = host.append_at(step.now)?;
        reserve(&mut log, step)?;
        let group = Group::new(step.now);
        let mut running =
            Running { host: Some(host), step, content: &content, states, group, log: &mut log };
        let results = running.admit_all(&fifos)?;
        // A duplicate waits for what it stands for.
        let is_anything = !step.participants.is_empty() || results.iter().any(Result::is_ok);
        (results, log.ticket().filter(|_| is_anything))
    };
    let appended = Appended { results, payload: content.payload };
    Ok((appended.settle(step.branches, ticket), ticket))
}

/// Sends to standard queues in the step of another sender, which has kept space for
/// [`FanOutStep::extent`] and holds the append lock.
pub(crate) fn append_fan_out(
    host: &Arc<Host>,
    step: &FanOutStep<'_>,
    log: &mut Append<'_>,
) -> Result<Appended> {
    let mut prefix = Vec::new();
    let content = Content::new(host, step, &mut prefix)?;
    let (states, group) = (States::new(), Group::new(step.now));
    let mut running = Running { host: None, step, content: &content, states, group, log };
    let results = running.admit_all(&[])?;
    drop(running);
    Ok(Appended { results, payload: content.payload })
}

/// Messages that were appended and are not settled yet.
#[derive(Debug)]
pub(crate) struct Appended {
    results: Vec<Result<Sent>>,
    payload: Option<Arc<Payload>>,
}

impl Appended {
    /// With every lock released: what became of each branch of the step, whose ticket this is.
    pub fn settle(self, branches: &[Branch<'_>], ticket: Option<Ticket>) -> Vec<Result<Sent>> {
        let mut results = self.results;
        for (branch, result) in branches.iter().zip(&mut results) {
            // Every branch is settled, also those behind one whose queue could not let go of its
            // message.
            let Ok(sent) = result else { continue };
            sent.ticket = ticket;
            if let Err(error) = settle(branch, self.payload.as_ref(), sent) {
                *result = Err(error);
            }
        }
        results
    }
}

impl FanOutStep<'_> {
    /// The most records that the step appends, and the most bytes of them.
    pub fn extent(&self) -> (usize, usize) {
        let SharedPayload { body, attributes, context } = self.content;
        let participants: usize = self.participants.iter().map(|one| one.bytes()).sum();
        let records: usize = self.participants.iter().map(|one| one.records()).sum();
        let messages: usize = self.branches.iter().map(Branch::bytes).sum();
        let payload = PAYLOAD_HEAD_BYTES + context.len() + attributes.len() + body.len();
        (1 + self.branches.len() + records, messages + participants + payload)
    }
}

impl Branch<'_> {
    /// The most bytes that the message takes.
    fn bytes(&self) -> usize {
        if self.is_grouped() {
            return TARGET_BYTES;
        }
        let Outgoing { body, attributes, group, dedup_id, .. } = self.message;
        let names = group.map_or(0, str::len) + dedup_id.map_or(DEDUP_ID_BYTES, str::len);
        let is_own = self.kept == Kept::Own;
        MESSAGE_HEAD_BYTES + names + if is_own { body.len() + attributes.len() } else { 0 }
    }

    /// Whether the message can lie in the record of a fan-out.
    fn is_grouped(&self) -> bool {
        let Outgoing { group, delay, .. } = self.message;
        self.kept != Kept::Own
            && matches!(self.queue.inner(), Kind::Standard(_))
            && group.is_none()
            && delay.unwrap_or_else(|| self.queue.rules.delay()) == 0
    }
}

/// Keeps the records of a step together.
fn reserve(log: &mut Append<'_>, step: &FanOutStep<'_>) -> Result<()> {
    if !log.is_on() {
        return Ok(());
    }
    let (records, bytes) = step.extent();
    if log.reserve(records, bytes) {
        return Ok(());
    }
    Err(Error::new(
        Code::UnsupportedOperation,
        format!(
            "Its targets get {bytes} bytes together, which is more than a step of the journal can \
             hold. Nothing was delivered. Give it fewer targets, or make it shorter."
        ),
    ))
}

/// The content that branches share.
struct Content<'a> {
    /// `None` if each branch keeps its own.
    payload: Option<Arc<Payload>>,
    payloads: Option<Arc<Payloads>>,
    parts: [&'a [u8]; 2],
    /// How many branches share it.
    sharing: u32,
}

impl<'a> Content<'a> {
    fn new(host: &Host, step: &FanOutStep<'a>, prefix: &'a mut Vec<u8>) -> Result<Content<'a>> {
        let SharedPayload { context, attributes, body } = step.content;
        let sharing = step.branches.iter().filter(|one| one.kept != Kept::Own).count() as u32;
        if sharing == 0 {
            return Ok(Content { payload: None, payloads: None, parts: [&[], &[]], sharing });
        }
        let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open a new one.");
        let payloads = host.component::<Payloads>().ok_or_else(closed)?;
        prefix.reserve(8 + context.len() + attributes.len());
        prefix.put_bytes(context);
        prefix.put_bytes(attributes);
        let parts = [&**prefix, body];
        let payload = Some(payloads.create(&parts)?);
        Ok(Content { payload, payloads: Some(payloads), parts, sharing })
    }
}

/// A message for a FIFO queue, made ready before the queue is locked.
struct FifoBranch<'a> {
    queue: ResourceId,
    fifo: &'a FifoQueue,
    prepared: Result<Prepared<'a>>,
}

/// The messages for FIFO queues, in the order of their branches.
fn prepare_fifos<'a>(step: &FanOutStep<'a>) -> Vec<FifoBranch<'a>> {
    let prepared = |branch: &'a Branch<'a>| match branch.queue.inner() {
        Kind::Standard(_) => None,
        Kind::Fifo(fifo) => {
            let prepared = fifo::prepare(branch.queue, &branch.message, step.now);
            Some(FifoBranch { queue: branch.queue.id, fifo, prepared })
        }
    };
    step.branches.iter().filter_map(prepared).collect()
}

/// The FIFO queues that are locked, in the order of their ids.
type States<'a> = Vec<(ResourceId, MutexGuard<'a, FifoState>)>;

/// Locks the FIFO queues, each once.
fn lock_states<'a>(fifos: &[FifoBranch<'a>]) -> States<'a> {
    let mut queues: Vec<_> = fifos.iter().map(|branch| (branch.queue, branch.fifo)).collect();
    queues.sort_unstable_by_key(|(id, _)| *id);
    queues.dedup_by_key(|(id, _)| *id);
    queues.into_iter().map(|(id, fifo)| (id, fifo.lock())).collect()
}

/// A step whose locks are held.
struct Running<'a, 'r, 'l> {
    /// For mutants: where another step can begin.
    host: Option<&'l Arc<Host>>,
    step: &'a FanOutStep<'a>,
    content: &'a Content<'a>,
    states: States<'a>,
    /// Dropped before the append lock is released.
    group: Group<'a>,
    log: &'r mut Append<'l>,
}

impl<'a> Running<'a, '_, '_> {
    /// Appends and applies all messages, then what they share, then what the participants append.
    fn admit_all(&mut self, fifos: &[FifoBranch<'_>]) -> Result<Vec<Result<Sent>>> {
        let Content { payload, payloads, parts, sharing } = self.content;
        let is_first = mutant::has(Mutant::PayloadFirst);
        let shared = payload.as_ref().zip(payloads.as_ref());
        if let Some((payload, payloads)) = shared {
            payload.refer_many(*sharing);
            if is_first {
                payloads.commit(payload, parts, self.log);
            }
        }
        let mut results = Vec::with_capacity(self.step.branches.len());
        let mut fifos = fifos.iter();
        // One reference is that of this step itself.
        let mut unused = 1 + sharing;
        let step = self.step;
        for some in step.branches.chunks(LOOK_AHEAD) {
            std::hint::black_box(some.iter().fold(0, |word, one| word ^ look_ahead(one.queue)));
            for branch in some {
                self.begin_another_step(Mutant::OwnBodiesApart, branch.kept == Kept::Own)?;
                let sent = self.admit(branch, &mut fifos);
                let is_new = sent.as_ref().is_ok_and(|one| !one.duplicate);
                unused -= u32::from(branch.kept != Kept::Own && is_new);
                results.push(sent);
            }
        }
        self.group.end(self.log);
        if let Some((payload, payloads)) = shared {
            // No message took it: there is nothing to keep.
            if unused <= *sharing && !is_first {
                payloads.commit(payload, parts, self.log);
            }
            payload.release(unused, self.log);
        }
        self.begin_another_step(Mutant::ParticipantsApart, true)?;
        self.step.participants.iter().for_each(|participant| participant.append(self.log));
        Ok(results)
    }

    /// Appends and applies the message of one branch.
    fn admit<'b>(
        &mut self,
        branch: &'a Branch<'a>,
        fifos: &mut impl Iterator<Item = &'b FifoBranch<'b>>,
    ) -> Result<Sent> {
        let queue = branch.queue;
        let shared = match (branch.kept, &self.content.payload) {
            (Kept::Shared(renderer), Some(payload)) => {
                Some(Shared { payload, renderer, context: self.step.content.context })
            }
            _ => None,
        };
        match queue.inner() {
            Kind::Standard(standard) => {
                // A queue that was removed before this step.
                queue.check_present()?;
                let now = self.step.now;
                let seq = match shared.filter(|_| self.log.is_on() && branch.is_grouped()) {
                    None => standard.admit(queue, self.log, &branch.message, shared, now)?,
                    Some(shared) => {
                        standard::check(queue, &branch.message)?;
                        self.group.add(queue, standard, shared, self.log)
                    }
                };
                Ok(Sent { queue: queue.id, seq, duplicate: false, ticket: None })
            }
            Kind::Fifo(fifo) => {
                let left_out = || Error::new(Code::InternalError, "A FIFO queue is not locked.");
                let prepared = &fifos.next().ok_or_else(left_out)?.prepared;
                let prepared = prepared.as_ref().map_err(Clone::clone)?;
                queue.check_present()?;
                let at = self.states.binary_search_by_key(&queue.id, |(id, _)| *id);
                let state = &mut self.states[at.map_err(|_| left_out())?].1;
                Ok(fifo.admit(queue, state, self.log, prepared, shared, self.step.now))
            }
        }
    }

    /// For a mutant: what follows is in another step of the journal.
    fn begin_another_step(&mut self, mutant: Mutant, is_due: bool) -> Result<()> {
        if let (true, Some(host)) = (is_due && mutant::has(mutant), self.host) {
            *self.log = Append::Off;
            *self.log = host.append_at(self.step.now)?;
        }
        Ok(())
    }
}

/// With every lock released: wakes a receiver, and takes back a message whose queue was removed in
/// the middle, which found its references before this one was among them.
fn settle(branch: &Branch<'_>, payload: Option<&Arc<Payload>>, sent: &Sent) -> Result<()> {
    let queue = branch.queue;
    if let Some(payload) = payload.filter(|_| queue.is_removed())
        && queue.references.holds(sent.seq, payload)
    {
        queue.references.release(sent.seq, &mut queue.host.append()?);
    }
    if !sent.duplicate {
        queue.wake(1);
    }
    queue.tell_listener();
    Ok(())
}
