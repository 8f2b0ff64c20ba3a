//! A read that may wait: of shards, or by a member of a reader. Threads block on it, event loops
//! poll it.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_engine::{
    Admitted, FetchRequest, LongPoll, MemberWait, Parker, Polled, ShardId, ShardPosition, Start,
    StreamMember, StreamRecord,
};
use trunkline_types::Millis;
use trunkline_types::sync::lock;

use crate::completion::Completion;
use crate::error::{guard, raise};
use crate::queue::waiting::park;
use crate::stream::batch::RecordBatch;
use crate::stream::columns::{BYTES_MAX, Builder};
use crate::stream::handle::StreamHandle;
use crate::waker::Waker;

/// One call to read, which may try more than once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ReadCall {
    handle: Arc<StreamHandle>,
    source: Source,
    max: usize,
    /// `None` once the call has come to its end.
    wait: Mutex<Option<Wait>>,
}

enum Source {
    /// Shards from these places on. All: shards that open meanwhile are read too.
    Shards { positions: Mutex<Vec<ShardPosition>>, all: bool },
    /// What a member of a reader holds, and the member's number.
    Member(Arc<StreamMember>, u64),
}

/// The wait of a call. A member's leases do not lapse while it waits.
struct Wait {
    call: Admitted,
    poll: LongPoll,
    member: Option<MemberWait>,
}

/// What to await before the next poll: the token to leave if that is cancelled, the completion, and
/// after how many seconds the time is over.
type Waiting = (u64, Py<Completion>, f64);

impl ReadCall {
    /// A read of one shard, or of all of them, from a place on.
    pub fn of_shards(
        handle: &Arc<StreamHandle>,
        call: Admitted,
        shard: Option<ShardId>,
        start: Start,
        max: usize,
        wait: Millis,
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
        Ok(Self::new(handle, call, source, max, wait))
    }

    /// A fetch by a member of a reader.
    pub fn of_member(
        handle: &Arc<StreamHandle>,
        call: Admitted,
        (member, number): (Arc<StreamMember>, u64),
        max: usize,
        wait: Millis,
    ) -> Self {
        Self::new(handle, call, Source::Member(member, number), max, wait)
    }

    fn new(
        handle: &Arc<StreamHandle>,
        call: Admitted,
        source: Source,
        max: usize,
        wait: Millis,
    ) -> Self {
        let poll = LongPoll::new(handle.stream.clone(), wait);
        let wait = Mutex::new(Some(Wait { call, poll, member: None }));
        Self { handle: handle.clone(), source, max, wait }
    }

    /// Reads without waiting; `None` if there is nothing.
    fn try_read(&self, call: &mut Admitted) -> trunkline_engine::Result<Option<RecordBatch>> {
        let mut records = Builder::default();
        let taken = match &self.source {
            Source::Shards { positions, all } => {
                let mut positions = lock(positions);
                if *all {
                    self.add_new_shards(&mut positions);
                }
                let push = |record: StreamRecord<'_>| records.push(record);
                self.handle.stream.read_shards_admitted(
                    call,
                    &mut positions,
                    self.max,
                    BYTES_MAX,
                    push,
                )?;
                None
            }
            Source::Member(member, number) => {
                let request = FetchRequest { max: self.max, max_bytes: BYTES_MAX };
                Some((
                    member.fetch_admitted(call, &request, |record| records.push(record))?,
                    *number,
                ))
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

    fn attempt(&self, py: Python<'_>, call: &mut Admitted) -> PyResult<Option<RecordBatch>> {
        py.detach(|| self.try_read(call)).map_err(raise)
    }

    /// Shards that were opened since the last try are read from their beginnings.
    fn add_new_shards(&self, positions: &mut Vec<ShardPosition>) {
        let newest = positions.iter().map(|position| position.shard).max();
        let shards = self.handle.stream.shards();
        let new = shards.all().filter(|shard| newest.is_none_or(|newest| shard.id > newest));
        positions.extend(new.map(|shard| ShardPosition { shard: shard.id, offset: 0 }));
    }

    /// A member that begins to wait keeps its leases.
    fn begin_wait(&self, wait: &mut Wait) {
        if let Source::Member(member, _) = &self.source {
            wait.member.get_or_insert_with(|| MemberWait::new(member.clone()));
        }
    }

    /// Reads, and blocks until there is something or the time is over; an empty batch then.
    pub fn block(&self, py: Python<'_>) -> PyResult<RecordBatch> {
        let Some(mut wait) = lock(&self.wait).take() else { return Ok(nothing()) };
        let parker = Arc::new(Parker::default());
        loop {
            let Wait { call, poll, .. } = &mut wait;
            let attempt = || self.attempt(py, call);
            match poll.poll(|| Ok::<_, PyErr>(parker.clone()), attempt)? {
                Polled::Found(batch) => return Ok(batch),
                Polled::Over => return Ok(nothing()),
                Polled::Wait(left) => {
                    self.begin_wait(&mut wait);
                    park(py, &parker, left)?;
                }
            }
        }
    }
}

fn nothing() -> RecordBatch {
    RecordBatch::new(Builder::default().finish())
}

#[pymethods]
impl ReadCall {
    /// The records, which may be none when the time is over; or what to await before the next poll.
    fn poll(
        &self,
        py: Python<'_>,
        waker: &Waker,
        event_loop: Py<PyAny>,
    ) -> PyResult<(RecordBatch, Option<Waiting>)> {
        guard(|| {
            let Some(mut wait) = lock(&self.wait).take() else { return Ok((nothing(), None)) };
            let mut parked = None;
            let signal = || {
                let (token, completion) = waker.park(py, event_loop)?;
                parked = Some((token, completion));
                Ok::<_, PyErr>(waker.signal(token))
            };
            let Wait { call, poll, .. } = &mut wait;
            let polled = poll.poll(signal, || self.attempt(py, call));
            if let (Ok(Polled::Wait(left)), Some((token, completion))) = (&polled, &parked) {
                let waiting = (*token, completion.clone_ref(py), left.as_secs_f64());
                self.begin_wait(&mut wait);
                *lock(&self.wait) = Some(wait);
                return Ok((nothing(), Some(waiting)));
            }
            // Something came behind the subscription: nothing awaits its token.
            parked.iter().for_each(|(token, _)| waker.leave(*token));
            match polled? {
                Polled::Found(batch) => Ok((batch, None)),
                Polled::Over | Polled::Wait(_) => Ok((nothing(), None)),
            }
        })
    }

    /// Ends the wait, for a task that is cancelled.
    fn cancel(&self) {
        let ended = lock(&self.wait).take();
        drop(ended);
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ReadCall>()
}
