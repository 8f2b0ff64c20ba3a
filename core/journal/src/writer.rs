//! The threads behind a journal, started at the first need and never at open: one that leads when
//! nobody who waits is there to lead, and a passing one for each segment that is made ready.

use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use trunkline_types::sync::atomic::{AtomicU8, Ordering};
use trunkline_types::sync::{Condvar, Mutex, lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::completion::Signal;
use crate::limits;
use crate::lsn::Ticket;
use crate::prepare::Prepared;
use crate::shared::Shared;
use crate::tail::next_segment_bytes;

#[derive(Default)]
pub(crate) struct Threads {
    /// The level that is owed to what nobody waits for, as a number; 0 when nothing is.
    owed: AtomicU8,
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

    /// Sees to it that everything appended comes as far as `level` within `LAZY_MILLIS`, together
    /// with what others append until then.
    #[inline]
    pub(crate) fn settle_lazily(&self, level: Durability) -> Result<()> {
        // Relaxed is enough: the writer takes the mark away before it takes the append lock, so
        // whoever appended before it still sees the mark is written with it.
        if self.threads.owed.load(Ordering::Relaxed) >= level as u8 {
            return Ok(());
        }
        self.owe(level)
    }

    #[cold]
    fn owe(&self, level: Durability) -> Result<()> {
        if !self.options.background {
            return self.settle_soon(self.appended(), level);
        }
        self.start_writer()?;
        let bell = lock(&self.threads.bell);
        self.threads.owed.fetch_max(level as u8, Ordering::SeqCst);
        drop(bell);
        self.threads.rung.notify_one();
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

    /// Has the segment after `number` made ready.
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

    pub(crate) fn make_segment_after(&self, number: u32, bytes: u32) {
        let mut prepared = lock(&self.prepared);
        // IMPORTANT: the leader may have gone on by itself. A segment in use is never made again.
        let (newest, longest) = {
            let table = lock(&self.table);
            let longest = table.all().iter().map(|segment| segment.bytes).max();
            (table.all().last().map(|segment| segment.number), longest.unwrap_or(bytes))
        };
        if newest != Some(number) || prepared.is_some() {
            self.room.note(&Ok(()));
            return;
        }
        let bytes = next_segment_bytes(bytes, self.options.segment_bytes);
        let made = self.make_what_fits(number + 1, bytes, longest / 2);
        self.room.note(&made.map(|made| {
            lock(&self.tail).set_next_bytes(number, made.bytes);
            *prepared = Some(made);
        }));
    }

    /// On a nearly full disk a shorter segment does, down to `least`: half of the longest one, so
    /// that there is room to write down that everything in that one is done with.
    fn make_what_fits(&self, number: u32, bytes: u32, least: u32) -> Result<Prepared> {
        let mut bytes = bytes;
        loop {
            let made = Prepared::make(&*self.storage, &self.options, number, bytes);
            let full = made.as_ref().is_err_and(|cause| cause.code() == Code::StorageFull);
            if !full || bytes / 2 < least.max(limits::SEGMENT_BYTES_MIN) {
                return made;
            }
            bytes = (bytes / 2).next_multiple_of(limits::SEGMENT_BYTES_MIN);
        }
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

fn level_of(owed: u8) -> Durability {
    if owed >= Durability::Disk as u8 { Durability::Disk } else { Durability::Os }
}

fn write_on(shared: &Shared) {
    let threads = &shared.threads;
    loop {
        let mut bell = lock(&threads.bell);
        let wanted = loop {
            if let Some(wanted) = bell.wanted.take() {
                break wanted;
            }
            if bell.stopped {
                return;
            }
            if threads.owed.load(Ordering::SeqCst) == 0 {
                bell = threads.rung.wait(bell).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let rest = threads.rung.wait_timeout(bell, Duration::from_millis(limits::LAZY_MILLIS));
            let (rung, waited) = rest.unwrap_or_else(PoisonError::into_inner);
            bell = rung;
            if waited.timed_out() {
                break level_of(threads.owed.swap(0, Ordering::SeqCst));
            }
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
