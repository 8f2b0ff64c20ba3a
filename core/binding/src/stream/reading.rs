//! A read that may wait: of shards, or by a member of a reader. Threads block on it, event loops
//! poll it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{
    Ended, FetchRequest, Parker, ReaderWaiter, ShardId, ShardPosition, Signal, Start, StreamMember,
    StreamRecord, WaiterId,
};
use trunkline_types::sync::lock;
use trunkline_types::{Deadline, Millis};

use crate::error::{guard, raise};
use crate::signals::{SLICE, handles_signals};
use crate::stream::batch::RecordBatch;
use crate::stream::columns::{BYTES_MAX, Builder};
use crate::stream::handle::StreamHandle;
use crate::waker::Waker;

/// The slice of threads that handle no signals: only so that no sum overflows.
const LONG: Duration = Duration::from_secs(3_600);

/// One call to read, which may try more than once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ReadCall {
    handle: Arc<StreamHandle>,
    source: Source,
    max: usize,
}

enum Source {
    /// Shards from these places on. All: shards that open meanwhile are read too.
    Shards { positions: Mutex<Vec<ShardPosition>>, all: bool },
    /// What a member of a reader holds, and the member's number.
    Member(Arc<StreamMember>, u64),
}

/// A place among those who wait.
enum Place {
    Stream(WaiterId),
    Member(ReaderWaiter),
}

impl ReadCall {
    /// A read of one shard, or of all of them, from a place on.
    pub fn of_shards(
        handle: &Arc<StreamHandle>,
        shard: Option<ShardId>,
        start: Start,
        max: usize,
    ) -> trunkline_engine::Result<Self> {
        let stream = &handle.stream;
        let shard = match start {
            // A sequence number is of one shard.
            Start::At(number) | Start::After(number) => Some(shard.unwrap_or(number.shard)),
            _ => shard,
        };
        let shards: Vec<ShardId> = match shard {
            Some(shard) => vec![shard],
            None => stream.shards().all().map(|shard| shard.id).collect(),
        };
        let place = |shard| Ok(ShardPosition { shard, offset: stream.offset_at(shard, start)? });
        let positions = shards.into_iter().map(place).collect::<trunkline_engine::Result<_>>()?;
        let source = Source::Shards { positions: Mutex::new(positions), all: shard.is_none() };
        Ok(Self { handle: handle.clone(), source, max })
    }

    /// A fetch by a member of a reader.
    pub fn of_member(
        handle: &Arc<StreamHandle>,
        member: Arc<StreamMember>,
        number: u64,
        max: usize,
    ) -> Self {
        Self { handle: handle.clone(), source: Source::Member(member, number), max }
    }

    /// Reads without waiting; `None` if there is nothing.
    fn try_read(&self) -> trunkline_engine::Result<Option<RecordBatch>> {
        let mut records = Builder::new();
        let taken = match &self.source {
            Source::Shards { positions, all } => {
                let mut positions = lock(positions);
                if *all {
                    self.add_new_shards(&mut positions);
                }
                let push = |record: StreamRecord<'_>| records.push(record);
                self.handle.stream.read_shards(&mut positions, self.max, BYTES_MAX, push)?;
                None
            }
            Source::Member(member, number) => {
                let request = FetchRequest { max: self.max, max_bytes: BYTES_MAX };
                Some((member.fetch(&request, |record| records.push(record))?, *number))
            }
        };
        if records.is_empty() {
            return Ok(None);
        }
        let columns = records.finish();
        Ok(Some(match taken {
            Some((taken, member)) => RecordBatch::of_member(columns, taken, member),
            None => RecordBatch::new(columns),
        }))
    }

    /// Shards that were opened since the last try are read from their beginnings.
    fn add_new_shards(&self, positions: &mut Vec<ShardPosition>) {
        let newest = positions.iter().map(|position| position.shard).max();
        let shards = self.handle.stream.shards();
        let new = shards.all().filter(|shard| newest.is_none_or(|newest| shard.id > newest));
        positions.extend(new.map(|shard| ShardPosition { shard: shard.id, offset: 0 }));
    }

    fn subscribe(&self, signal: Arc<dyn Signal>, deadline: Option<Millis>) -> Place {
        match &self.source {
            Source::Shards { .. } => Place::Stream(self.handle.stream.subscribe(signal, deadline)),
            Source::Member(member, _) => Place::Member(member.subscribe(signal, deadline)),
        }
    }

    fn unsubscribe(&self, place: Place) -> Ended {
        match (place, &self.source) {
            (Place::Member(waiter), Source::Member(member, _)) => member.unsubscribe(waiter),
            (Place::Stream(id), _) => self.handle.stream.unsubscribe(id),
            // A place is given up where it was taken.
            (Place::Member(_), Source::Shards { .. }) => Ended::Waiting,
        }
    }

    /// Reads, and blocks for up to `wait` until there is something; an empty batch if there is not.
    ///
    /// On a virtual clock the wait ends when that much time has passed there or in the world, so
    /// that a program of one thread cannot wait for itself.
    pub fn block(&self, py: Python<'_>, wait: Millis) -> PyResult<RecordBatch> {
        let attempt = || py.detach(|| self.try_read()).map_err(raise);
        let mut found = attempt()?;
        if found.is_none() && wait > 0 {
            found = self.wait(py, wait, attempt)?;
        }
        Ok(found.unwrap_or_else(|| RecordBatch::new(Builder::new().finish())))
    }

    fn wait(
        &self,
        py: Python<'_>,
        wait: Millis,
        attempt: impl Fn() -> PyResult<Option<RecordBatch>>,
    ) -> PyResult<Option<RecordBatch>> {
        let virtual_end = self.deadline(wait);
        let end = Deadline::after(Duration::from_millis(wait));
        loop {
            let parker = Arc::new(Parker::default());
            let place = self.subscribe(parker.clone(), virtual_end);
            // Something may have come between the try before and the subscription.
            let found = match attempt() {
                Ok(None) => park(py, &parker, &end).map(|woken| (None, woken)),
                Ok(found) => Ok((found, false)),
                Err(failure) => Err(failure),
            };
            let ended = self.unsubscribe(place);
            match found? {
                (Some(found), _) => return Ok(Some(found)),
                (None, woken) => match attempt()? {
                    None if woken && ended != Ended::Expired => {}
                    found => return Ok(found),
                },
            }
        }
    }
}

/// Parks until `parker` is signalled or the time is over, and lets signals interrupt; whether it
/// was signalled.
fn park(py: Python<'_>, parker: &Parker, end: &Deadline) -> PyResult<bool> {
    let slice = if handles_signals() { SLICE } else { LONG };
    loop {
        let left = end.left();
        let signalled = py.detach(|| parker.park(left.min(slice)));
        py.check_signals()?;
        if signalled || left.is_zero() {
            return Ok(signalled);
        }
    }
}

#[pymethods]
impl ReadCall {
    /// The records that are there; `None` if there are none.
    fn attempt(&self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        guard(|| py.detach(|| self.try_read()).map_err(raise))
    }

    /// A batch without records.
    fn nothing(&self) -> RecordBatch {
        RecordBatch::new(Builder::new().finish())
    }

    /// When a wait that starts now ends on a virtual clock; `None` on the system's.
    fn deadline(&self, wait: Millis) -> Option<Millis> {
        let clock = self.handle.engine.clock();
        clock.is_virtual().then(|| clock.now().saturating_add(wait))
    }

    /// Joins those who wait for records: `waker` signals `token` once, when an attempt may find
    /// some or, on a virtual clock, at `deadline`.
    fn wait_with(
        slf: &Bound<'_, Self>,
        waker: &Waker,
        token: u64,
        deadline: Option<Millis>,
    ) -> PyResult<ReadSubscription> {
        guard(|| {
            let place = slf.get().subscribe(waker.signal(token), deadline);
            let call = slf.clone().unbind();
            Ok(ReadSubscription { call, place: Mutex::new(Some(place)) })
        })
    }
}

/// A place among those who wait for records.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ReadSubscription {
    call: Py<ReadCall>,
    place: Mutex<Option<Place>>,
}

#[pymethods]
impl ReadSubscription {
    /// Gives the place up. Whether a virtual deadline had passed.
    fn end(&self) -> PyResult<bool> {
        guard(|| {
            let place = lock(&self.place).take();
            Ok(place.map(|place| self.call.get().unsubscribe(place)) == Some(Ended::Expired))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ReadCall>()?;
    module.add_class::<ReadSubscription>()
}
