//! Replays: events of an archive are put on its bus again, in the order of their time.
//!
//! A replay is a job that a timer starts again and again. It records how far it has come with every
//! step, so one that was running goes on when the engine is opened again; a crash has the events of
//! at most one step replayed twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Append, Host, Location, Ticker, TimerKey};
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Durability, Error, Millis, ResourceId, Result};

use super::archive::Archive;
use super::event::{Envelope, Event, invalid};
use super::record::{Record, ReplayRecord, Subject};
use super::{BUSES, Bus, check_name};
use crate::archive::{self, PAUSE_WHEN_FULL, ReplayState};

/// Longest name of a replay: EventBridge's.
const NAME_MAX: usize = 64;
/// Most replays that run at once: EventBridge's.
const RUNNING_MAX: usize = 10;

/// Which events a replay puts, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayRequest {
    /// Its name; `None` makes one up.
    pub name: Option<String>,
    /// The time of the first events.
    pub start: Millis,
    /// The time before which the last events were put.
    pub end: Millis,
    /// The rules that get them; `None` for all.
    pub rules: Option<Vec<ResourceId>>,
}

/// A replay as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStatus {
    /// Its id in the engine.
    pub id: ResourceId,
    /// The archive.
    pub archive: ResourceId,
    /// What was asked for.
    pub request: ReplayRequest,
    /// Where it stands.
    pub state: ReplayState,
    /// How many events were put.
    pub replayed: u64,
    /// The time of the last event that was put.
    pub last_event: Option<Millis>,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// A replay, and how far it has come in the log of its archive.
pub(super) struct Replay {
    pub status: ReplayStatus,
    pub next: u64,
    pub location: Option<Location>,
}

/// The replays of an engine.
#[derive(Default)]
pub(crate) struct Replays(Mutex<BTreeMap<ResourceId, Replay>>);

impl Replay {
    pub fn of(record: &ReplayRecord<'_>, location: Option<Location>) -> Self {
        let status = ReplayStatus {
            id: record.id,
            archive: record.archive,
            request: ReplayRequest {
                name: Some(record.name.to_owned()),
                start: record.start,
                end: record.end,
                rules: record.rules.clone(),
            },
            state: ReplayState::of_number(record.state),
            replayed: record.replayed,
            last_event: Some(record.last_event).filter(|time| *time > 0),
            started: record.started,
            ended: Some(record.ended).filter(|time| *time > 0),
            failure: Some(record.failure.to_owned()).filter(|why| !why.is_empty()),
        };
        Self { status, next: record.next, location }
    }

    pub fn record(&self) -> ReplayRecord<'_> {
        let status = &self.status;
        ReplayRecord {
            id: status.id,
            archive: status.archive,
            name: status.name(),
            start: status.request.start,
            end: status.request.end,
            rules: status.request.rules.clone(),
            state: status.state as u8,
            next: self.next,
            replayed: status.replayed,
            started: status.started,
            ended: status.ended.unwrap_or(0),
            failure: status.failure.as_deref().unwrap_or_default(),
            last_event: status.last_event.unwrap_or(0),
        }
    }

    fn write(&mut self, log: &mut Append<'_>) {
        self.location = log.append_live(&Record::Replay(self.record()), self.location);
    }
}

impl ReplayStatus {
    /// Its name.
    pub fn name(&self) -> &str {
        self.request.name.as_deref().unwrap_or_default()
    }

    fn is_running(&self) -> bool {
        self.state == ReplayState::Running
    }
}

/// What one step of a replay has found.
struct Found {
    events: Vec<Event>,
    next: u64,
    /// The time of the last of them.
    last: Option<Millis>,
    is_last: bool,
}

impl Replays {
    /// Starts a replay; the ticket stands for its start.
    pub fn start(
        &self,
        host: &Arc<Host>,
        archive: &Archive,
        mut request: ReplayRequest,
    ) -> Result<(ReplayStatus, Option<Ticket>)> {
        if request.start >= request.end {
            return Err(invalid("The start of a replay must be before its end."));
        }
        host.refuse_if_full()?;
        let (id, now) = (host.next_id(), host.now());
        let name = request.name.get_or_insert_with(|| format!("replay-{}", id.0)).clone();
        check_name("replay", &name, NAME_MAX)?;
        let mut replays = lock(&self.0);
        if replays.values().any(|replay| replay.status.name() == name) {
            return Err(invalid(format!("Replay {name} already exists. Give it another name.")));
        }
        if replays.values().filter(|replay| replay.status.is_running()).count() >= RUNNING_MAX {
            return Err(Error::new(
                Code::OverLimit,
                format!("{RUNNING_MAX} replays are running. Wait until one has ended."),
            ));
        }
        let status = ReplayStatus {
            id,
            archive: archive.id(),
            request,
            state: ReplayState::Running,
            replayed: 0,
            last_event: None,
            started: now,
            ended: None,
            failure: None,
        };
        let mut replay = Replay { status: status.clone(), next: 0, location: None };
        let ticket = {
            let mut log = host.append_at(now)?;
            replay.write(&mut log);
            log.ticket()
        };
        replays.insert(id, replay);
        drop(replays);
        Ticker::enter(host);
        host.arm(TimerKey { owner: BUSES.owner(), slot: id.0 }, now);
        Ok((status, ticket))
    }

    /// Cancels a running replay. One that has ended is left as it is.
    pub fn cancel(&self, host: &Arc<Host>, id: ResourceId) -> Result<Option<Ticket>> {
        let mut replays = lock(&self.0);
        let replay = replays.get_mut(&id).ok_or_else(no_such_replay)?;
        if replay.status.is_running() {
            replay.status.state = ReplayState::Cancelled;
            replay.status.ended = Some(host.now());
            replay.write(&mut host.append()?);
            Ticker::leave(host);
        }
        Ok(host.append()?.ticket())
    }

    /// How a replay stands.
    pub fn status(&self, id: ResourceId) -> Result<ReplayStatus> {
        let replays = lock(&self.0);
        replays.get(&id).map(|replay| replay.status.clone()).ok_or_else(no_such_replay)
    }

    /// The replays of an archive, newest first.
    pub fn list(&self, archive: ResourceId) -> Vec<ReplayStatus> {
        let replays = lock(&self.0);
        let of_archive = replays.values().rev().filter(|one| one.status.archive == archive);
        of_archive.map(|replay| replay.status.clone()).collect()
    }

    /// The names and ids of those for which `keep` holds.
    pub fn names(&self, keep: impl Fn(&ReplayStatus) -> bool) -> Vec<(String, ResourceId)> {
        let replays = lock(&self.0);
        let kept = replays.values().filter(|one| keep(&one.status));
        kept.map(|one| (one.status.name().to_owned(), one.status.id)).collect()
    }

    /// Takes over what was read from the journal.
    pub(super) fn restore(&self, replays: Vec<Replay>) {
        lock(&self.0).extend(replays.into_iter().map(|replay| (replay.status.id, replay)));
    }

    /// Goes on with the replays that were running when the engine was closed. The buses have their
    /// router by then: a step delivers through it.
    pub fn resume(&self, host: &Arc<Host>) {
        if host.check_writable().is_err() {
            return;
        }
        for (id, _) in lock(&self.0).iter().filter(|(_, replay)| replay.status.is_running()) {
            Ticker::enter(host);
            // Not at once: an embedder who opens the engine can look first, and cancel.
            host.arm(TimerKey { owner: BUSES.owner(), slot: id.0 }, host.now() + 1);
        }
    }

    /// Forgets the replays of archives that are gone.
    pub fn forget(&self, host: &Arc<Host>, archive: ResourceId) -> Result<()> {
        let mut replays = lock(&self.0);
        let mut log = host.append()?;
        let gone: Vec<ResourceId> = replays
            .values()
            .filter(|replay| replay.status.archive == archive)
            .map(|replay| replay.status.id)
            .collect();
        for id in gone {
            let Some(replay) = replays.remove(&id) else { continue };
            if replay.status.is_running() {
                Ticker::leave(host);
            }
            log.append(&Record::Gone(Subject::Replay, id));
            replay.location.into_iter().for_each(|location| log.release(location));
        }
        Ok(())
    }

    /// Calls `each` with the record of every replay.
    pub(super) fn export(&self, each: &mut dyn FnMut(Record<'_>) -> Result<()>) -> Result<()> {
        lock(&self.0).values().try_for_each(|replay| each(Record::Replay(replay.record())))
    }

    /// Calls `each` with the record of every replay, and where it lies.
    pub(super) fn each(
        &self,
        each: &mut dyn FnMut(Location, Record<'_>) -> Result<()>,
    ) -> Result<()> {
        for replay in lock(&self.0).values() {
            if let Some(location) = replay.location {
                each(location, Record::Replay(replay.record()))?;
            }
        }
        Ok(())
    }

    /// Writes replays that lie in `segment` again.
    pub fn relocate(&self, host: &Arc<Host>, segment: u32) -> Result<()> {
        for replay in lock(&self.0).values_mut() {
            if replay.location.is_some_and(|location| location.segment() == segment) {
                replay.write(&mut host.append()?);
            }
        }
        Ok(())
    }

    /// The job of a replay: puts some events, and arms the timer of the next job.
    pub fn run(&self, bus: &Arc<Bus>, archive: &Archive, id: ResourceId, now: Millis) {
        let host = &bus.host;
        let Some((status, next)) = self.running(id) else { return };
        let key = TimerKey { owner: BUSES.owner(), slot: id.0 };
        if host.is_full() {
            host.arm(key, now + PAUSE_WHEN_FULL);
            return;
        }
        let stepped = find(archive, &status, next, now).and_then(|found| {
            put_all(bus, &status, &found.events, now)?;
            Ok(found)
        });
        if stepped.is_err() && host.check_writable().is_err() {
            // The engine closes. What the step put is repeated when it is opened again.
            return;
        }
        if self.settle(host, id, stepped, now) {
            // One millisecond, so that other jobs get their turn.
            host.arm(key, now + 1);
        }
    }

    fn running(&self, id: ResourceId) -> Option<(ReplayStatus, u64)> {
        let replays = lock(&self.0);
        let replay = replays.get(&id).filter(|replay| replay.status.is_running())?;
        Some((replay.status.clone(), replay.next))
    }

    /// Keeps what a step came to; whether the replay goes on.
    fn settle(&self, host: &Arc<Host>, id: ResourceId, found: Result<Found>, now: Millis) -> bool {
        let mut replays = lock(&self.0);
        let Some(replay) = replays.get_mut(&id) else { return false };
        let was_running = replay.status.is_running();
        match found {
            Ok(found) => {
                replay.next = found.next;
                replay.status.replayed += found.events.len() as u64;
                replay.status.last_event = found.last.or(replay.status.last_event);
                if was_running && found.is_last {
                    replay.status.state = ReplayState::Completed;
                }
            }
            Err(error) if was_running => {
                replay.status.state = ReplayState::Failed;
                replay.status.failure = Some(error.to_string());
            }
            Err(_) => {}
        }
        let goes_on = replay.status.is_running();
        if was_running && !goes_on {
            replay.status.ended = Some(now);
            Ticker::leave(host);
        }
        // A journal that refuses is poisoned, and every later verb says so.
        if let Ok(mut log) = host.append_at(now) {
            replay.write(&mut log);
        }
        drop(replays);
        let _ = host.flush_in_background(Durability::Os);
        goes_on
    }
}

/// The next events of a replay, from the sequence number `next` on; 0 looks for the start.
fn find(archive: &Archive, status: &ReplayStatus, next: u64, now: Millis) -> Result<Found> {
    let times = (status.request.start, status.request.end);
    let archive::Found { entries, last, next, is_last } =
        archive::find(&archive.log, next, times, now)?;
    let replayed = |(_, text): &(u64, Vec<u8>)| Envelope::read(text)?.replayed(status.name());
    let events = entries.iter().map(replayed).collect::<Result<_>>()?;
    Ok(Found { events, next, last, is_last })
}

fn put_all(bus: &Arc<Bus>, status: &ReplayStatus, events: &[Event], now: Millis) -> Result<()> {
    for event in events {
        bus.put_replayed(event.clone(), status.request.rules.as_deref(), now)?;
    }
    Ok(())
}

#[cold]
fn no_such_replay() -> Error {
    Error::new(Code::ResourceNotFoundException, "The replay does not exist.")
}
