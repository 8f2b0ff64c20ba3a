//! One body for the queues of an engine in memory, which share it if they are several.

use std::sync::Arc;

use trunkline_queue::SharedBody;
use trunkline_types::Millis;

use super::message::Outgoing;
use super::{Kind, Queue, standard};

/// Queues whose memory is fetched side by side.
pub(super) const LOOK_AHEAD: usize = 16;

/// Whether each of `queues` takes this body at once and as it is.
pub(crate) fn take_plain(queues: &[Arc<Queue>], body: &[u8]) -> bool {
    let message = Outgoing { body, ..Outgoing::default() };
    queues.iter().all(|queue| {
        let is_standard = matches!(queue.inner(), Kind::Standard(_));
        is_standard && !queue.is_removed() && standard::is_plain(queue, &message)
    })
}

/// Sends a body to queues that take it; returns how many did.
pub(crate) fn send_plain(queues: &[Arc<Queue>], body: &[u8], now: Millis) -> usize {
    let message = Outgoing { body, ..Outgoing::default() };
    // For one queue a copy costs less than a block that counts its references.
    let shared = (queues.len() > 1).then(|| SharedBody::new(body, queues.len() as u32));
    let mut sent = 0;
    for some in queues.chunks(LOOK_AHEAD) {
        std::hint::black_box(some.iter().fold(0, |word, queue| word ^ look_ahead(queue)));
        for queue in some {
            let Kind::Standard(standard) = queue.inner() else { continue };
            // It may have been given a delay or a shorter bound since it was asked.
            let done = match &shared {
                Some(body) => standard.send_shared(queue, body, now),
                None => standard.send_plain(queue, &message, now),
            };
            let is_sent = done.is_some() || standard.send(queue, &message, now).is_ok();
            sent += usize::from(is_sent);
            queue.wake(1);
            queue.tell_listener();
        }
    }
    sent
}

/// A word that depends on the memory which a message for `queue` will change.
#[inline]
pub(super) fn look_ahead(queue: &Queue) -> u64 {
    match queue.inner() {
        Kind::Standard(standard) => standard.look_ahead(),
        Kind::Fifo(_) => 0,
    }
}
