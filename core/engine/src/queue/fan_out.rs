//! One content for many queues, in one step of the journal: all of its messages are there after a
//! crash, or none.
//!
//! Lock order: the mutexes of the FIFO queues in the order of their ids, then the append lock. All
//! are held until the payload is appended behind the last message, which commits them all.

use std::sync::Arc;

use trunkline_host::mutant::{self, Mutant};
use trunkline_host::{Also, Append, Host, Payload, Payloads, Put, Renderer, Shared};
use trunkline_journal::Ticket;
use trunkline_queue::FifoState;
use trunkline_types::sync::MutexGuard;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::fifo::{self, FifoQueue, Prepared};
use super::message::{Outgoing, Sent};
use super::standard::StandardQueue;
use super::{Kind, Queue};

/// What all messages of a fan-out share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedPayload<'a> {
    /// Any bytes.
    pub body: &'a [u8],
    /// The attribute block (see [`crate::attributes`]); empty for none.
    pub attributes: &'a [u8],
    /// What the publisher says of the payload, for who renders it; empty for nothing.
    pub context: &'a [u8],
}

/// One queue of a fan-out, and what is its message's own.
pub(crate) struct Branch<'a> {
    pub queue: &'a Arc<Queue>,
    pub message: Outgoing<'a>,
    pub renderer: Option<Renderer>,
}

/// A queue that takes its message: what can be worked out about it before any lock.
struct Ready<'a> {
    /// Its place among the branches.
    index: usize,
    branch: &'a Branch<'a>,
    kind: ReadyKind<'a>,
}

enum ReadyKind<'a> {
    Standard(&'a StandardQueue),
    Fifo(&'a FifoQueue, Prepared<'a>),
}

/// More bytes than the record of a payload has beside its content.
const HEAD_BYTES: usize = 64;

/// Sends to every branch that takes its message; what the publisher has to record `also` lies in
/// the same step, right behind the payload. The call was admitted `now`: nothing here waits.
/// `each` is told what became of each branch, by its place among them, with no lock held.
pub(crate) fn fan_out(
    host: &Arc<Host>,
    payloads: &Payloads,
    branches: &[Branch<'_>],
    content: &SharedPayload<'_>,
    also: Option<&dyn Also>,
    now: Millis,
    each: &mut dyn FnMut(usize, Result<Sent>),
) -> Result<Option<Ticket>> {
    let mut ready = prepare(branches, now, each);
    if ready.is_empty() && also.is_none() {
        return Ok(None);
    }
    // Each queue's branches together, in the order of ids; branches of one queue stay in order.
    ready.sort_by_key(|ready| ready.branch.queue.id);
    let mut prefix = Vec::with_capacity(8 + content.context.len() + content.attributes.len());
    prefix.put_bytes(content.context);
    prefix.put_bytes(content.attributes);
    let parts = [&*prefix, content.body];
    let payload = payloads.create(&parts)?;
    let shared = |renderer| Shared { payload: &payload, renderer, context: content.context };
    let mut results = Vec::with_capacity(ready.len());
    let ticket = {
        let mut states = lock_states(&ready);
        let mut log = host.append_at(now)?;
        payload.refer_many(ready.len() as u32);
        if mutant::has(Mutant::PayloadFirst) {
            payloads.commit(&payload, &parts, &mut log);
        }
        let mut unused = 1;
        for ready in &mut ready {
            let shared = shared(ready.branch.renderer);
            let sent = admit(ready, &mut states, &mut log, shared, now);
            unused += u32::from(!sent.as_ref().is_ok_and(|sent| !sent.duplicate));
            results.push((ready.index, sent));
        }
        // No message took it: there is nothing to commit.
        if unused <= ready.len() as u32 && !mutant::has(Mutant::PayloadFirst) {
            if let Some(also) = also {
                log.reserve(2, HEAD_BYTES + prefix.len() + content.body.len() + also.bytes());
            }
            payloads.commit(&payload, &parts, &mut log);
        }
        also.into_iter().for_each(|also| also.append(&mut log));
        payload.release(unused, &mut log);
        // A duplicate waits for what it stands for.
        log.ticket().filter(|_| also.is_some() || results.iter().any(|(_, sent)| sent.is_ok()))
    };
    for (ready, (index, sent)) in ready.iter().zip(results) {
        // Every branch is told, also those behind one whose queue could not let go of its message.
        let sent = sent.and_then(|sent| {
            settle(ready.branch.queue, &payload, &sent)?;
            Ok(Sent { ticket, ..sent })
        });
        each(index, sent);
    }
    Ok(ticket)
}

/// Checks every branch; tells `each` about those that take no message.
fn prepare<'a>(
    branches: &'a [Branch<'a>],
    now: Millis,
    each: &mut dyn FnMut(usize, Result<Sent>),
) -> Vec<Ready<'a>> {
    let mut ready = Vec::with_capacity(branches.len());
    for (index, branch) in branches.iter().enumerate() {
        let prepared = branch.queue.check_present().and_then(|()| match branch.queue.inner() {
            Kind::Standard(standard) => Ok(ReadyKind::Standard(standard)),
            Kind::Fifo(fifo) => {
                let prepared = fifo::prepare(branch.queue, &branch.message, now)?;
                Ok(ReadyKind::Fifo(fifo, prepared))
            }
        });
        match prepared {
            Ok(kind) => ready.push(Ready { index, branch, kind }),
            Err(error) => each(index, Err(error)),
        }
    }
    ready
}

type States<'a> = Vec<(ResourceId, MutexGuard<'a, FifoState>)>;

/// Locks the FIFO queues, each once; `ready` is in the order of their ids.
fn lock_states<'a>(ready: &[Ready<'a>]) -> States<'a> {
    let mut states: States<'a> = Vec::new();
    for Ready { branch, kind, .. } in ready {
        let ReadyKind::Fifo(fifo, _) = kind else { continue };
        if states.last().is_none_or(|(id, _)| *id != branch.queue.id) {
            states.push((branch.queue.id, fifo.lock()));
        }
    }
    states
}

/// Appends and applies the message of one branch.
fn admit<'a>(
    ready: &mut Ready<'a>,
    states: &mut States<'_>,
    log: &mut Append<'_>,
    shared: Shared<'a>,
    now: Millis,
) -> Result<Sent> {
    let queue = ready.branch.queue;
    // A queue that was removed since it was checked: on record that came before this step.
    queue.check_present()?;
    match &mut ready.kind {
        ReadyKind::Standard(standard) => {
            let seq = standard.admit(queue, log, &ready.branch.message, Some(shared), now)?;
            Ok(Sent { queue: queue.id, seq, duplicate: false, ticket: None })
        }
        ReadyKind::Fifo(fifo, prepared) => {
            let at = states.binary_search_by_key(&queue.id, |(id, _)| *id).map_err(|_| {
                Error::new(Code::InternalError, "A FIFO queue of a fan-out is not locked.")
            })?;
            prepared.shared = Some(shared);
            Ok(fifo.admit(queue, &mut states[at].1, log, prepared, now))
        }
    }
}

/// With every lock released: wakes a receiver, and takes back a message whose queue was removed in
/// the middle, which found its references before this one was among them.
fn settle(queue: &Queue, payload: &Arc<Payload>, sent: &Sent) -> Result<()> {
    if queue.is_removed() && queue.references.holds(sent.seq, payload) {
        queue.references.release(sent.seq, &mut queue.host.append()?);
    }
    if !sent.duplicate {
        queue.wake(1);
    }
    Ok(())
}
