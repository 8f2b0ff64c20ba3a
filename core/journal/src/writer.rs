//! The threads behind a journal, started at the first need and never at open: one that leads when
//! nobody who waits is there to lead, and a passing one for each segment that is made ready.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use trunkline_vocabulary::sync::{Condvar, Mutex, lock};
use trunkline_vocabulary::{Code, Durability, Error, Result};

use crate::completion::Signal;
use crate::lsn::Ticket;
use crate::prepare::Prepared;
use crate::shared::Shared;
use crate::tail::next_segment_bytes;

#[derive(Default)]
pub(crate) struct Threads {
    bell: Mutex<Bell>,
    rung: Condvar,
    maker: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Bell {
    wanted: Option<Durability>,
    stopped: bool,
    writer: Option<JoinHandle<()>>,
}

impl Shared {
    /// Has `signal` called once everything up to `ticket` has come as far as `level`, or never
    /// will. Not called when this answers with an error.
    pub(crate) fn notify_when(
        &self,
        ticket: Ticket,
        durability: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        let Some(level) = self.level(durability) else {
            signal.signal();
            return Ok(());
        };
        if ticket <= Ticket::at(level.settled()) || self.poison.is_set() {
            signal.signal();
            return Ok(());
        }
        self.check_usable()?;
        if ticket > self.appended() {
            return Err(Error::new(
                Code::InternalError,
                "ticket: it is not one of this journal; use the engine it is from",
            ));
        }
        if self.options.background {
            self.start_writer()?;
        }
        level.add(ticket, signal);
        // A leader that came by before the signal was added did not see it.
        if ticket <= Ticket::at(level.settled()) || self.poison.is_set() {
            level.complete(self.poison.is_set());
        } else {
            self.settle_soon(ticket, durability)?;
        }
        Ok(())
    }

    /// Sees to it that everything up to `ticket` comes as far as `level` without anybody waiting.
    pub(crate) fn settle_soon(&self, ticket: Ticket, durability: Durability) -> Result<()> {
        if !self.options.background {
            // The outcome is remembered, and told to whoever asks about the ticket.
            let _settled = self.commit(ticket, durability);
            return Ok(());
        }
        self.start_writer()?;
        let mut bell = lock(&self.threads.bell);
        if bell.wanted.is_none_or(|wanted| wanted < durability) {
            bell.wanted = Some(durability);
            drop(bell);
            self.threads.rung.notify_one();
        }
        Ok(())
    }

    fn start_writer(&self) -> Result<()> {
        let mut bell = lock(&self.threads.bell);
        if bell.writer.is_some() || bell.stopped {
            return Ok(());
        }
        let Some(shared) = self.me.upgrade() else { return Ok(()) };
        let started = thread::Builder::new()
            .name("trunkline-journal".into())
            .spawn(move || write_on(&shared));
        let writer = started.map_err(|cause| {
            Error::new(Code::StorageFailure, format!("cannot start the writer thread: {cause}"))
        })?;
        bell.writer = Some(writer);
        Ok(())
    }

    /// Has the segment after `number` made ready. A failure is left for the leader to meet again.
    pub(crate) fn ask_for_segment(&self, number: u32, bytes: u32) {
        if !self.options.background {
            return;
        }
        let mut maker = lock(&self.threads.maker);
        if maker.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        let Some(shared) = self.me.upgrade() else { return };
        let made = thread::Builder::new()
            .name("trunkline-segment".into())
            .spawn(move || shared.make_segment_after(number, bytes));
        *maker = made.ok();
    }

    fn make_segment_after(&self, number: u32, bytes: u32) {
        let mut prepared = lock(&self.prepared);
        // IMPORTANT: the leader may have gone on by itself. A segment in use is never made again.
        let newest = lock(&self.table).all().last().map(|segment| segment.number);
        if newest != Some(number) || prepared.is_some() {
            return;
        }
        let bytes = next_segment_bytes(bytes, self.options.segment_bytes);
        *prepared = Prepared::make(&*self.storage, &self.options, number + 1, bytes).ok();
    }

    /// Ends the threads and waits for them. They find everything settled, or the journal failed.
    pub(crate) fn stop_threads(&self) {
        let writer = {
            let mut bell = lock(&self.threads.bell);
            bell.stopped = true;
            bell.writer.take()
        };
        self.threads.rung.notify_one();
        let maker = lock(&self.threads.maker).take();
        for handle in [writer, maker].into_iter().flatten() {
            // A signal may close the journal on the writer's own thread, which cannot wait for
            // itself; it ends when it sees the bell. A panic there was reported by its hook.
            if handle.thread().id() != thread::current().id() {
                let _ended = handle.join();
            }
        }
    }
}

fn write_on(shared: &Shared) {
    loop {
        let mut bell = lock(&shared.threads.bell);
        let wanted = loop {
            if let Some(wanted) = bell.wanted.take() {
                break wanted;
            }
            if bell.stopped {
                return;
            }
            bell = match shared.threads.rung.wait(bell) {
                Ok(bell) => bell,
                Err(poisoned) => poisoned.into_inner(),
            };
        };
        drop(bell);
        let mut leader = shared.lead();
        let settled = shared
            .level(wanted)
            .is_none_or(|level| Ticket::at(level.settled()) >= shared.appended());
        if !settled {
            // The cause is remembered as poison; ending the lead tells everybody.
            let _driven = leader.drive(wanted);
        }
    }
}
