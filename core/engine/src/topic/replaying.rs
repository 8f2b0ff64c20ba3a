//! Replays: a subscription gets messages of its topic's archive again, then the new ones.
//!
//! While a replay runs, its subscription gets nothing from publishes: the archive has what they
//! publish, too. A timer runs the replay in steps. Each message is delivered in one step of the
//! journal with the record of how far the replay has come, so a crash has none delivered twice and
//! none left out. When the archive has nothing more, the subscription goes live while no publish is
//! under way. A replay that has an end leaves its subscription paused until it is removed.
//!
//! Lock order: changes of subscriptions, the window, the append lock.

use std::cell::RefCell;
use std::fmt;

use trunkline_host::{Also, Append, Ticker, TimerKey};
use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::accept::{Publisher, Replayed};
use super::archive::Archived;
use super::component::Topics;
use super::message::Notification;
use super::record::{REPLAY_BYTES, Record, Subject};
use super::replay::{Replay, SubscriptionReplay};
use super::table::{Entry, Filter};
use super::{PUBLISH, TOPICS, Topic, invalid, no_such_subscription};
use crate::archive::{self, PAUSE_WHEN_FULL, ReplayState};
use crate::attributes;

/// Most replays of one topic that run at once.
const RUNNING_MAX: usize = 10;
/// Bytes of one step: space in the journal is asked for before each.
const STEP_BYTES: usize = 1 << 20;
/// Most attributes that a queue takes with a message.
const ATTRIBUTES_MAX: usize = 10;
/// The attribute of a message that is replayed without an envelope.
const REPLAYED: &str = "Replayed";

/// How far a replay has come, to be appended in the step of a delivery.
struct Progress<'a> {
    topic: ResourceId,
    subscription: ResourceId,
    replay: RefCell<&'a mut Replay>,
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the progress of the replay of subscription {}", self.subscription.0)
    }
}

impl Also for Progress<'_> {
    fn bytes(&self) -> usize {
        REPLAY_BYTES
    }

    fn append(&self, log: &mut Append<'_>) {
        let mut replay = self.replay.borrow_mut();
        let record = Record::Replay(replay.record(self.subscription, self.topic));
        let location = log.append_live(&record, replay.location);
        replay.location = location;
    }
}

impl Topic {
    /// The replay of a subscription: the one that runs, or the last one.
    pub fn replay_of(&self, id: ResourceId) -> Result<Option<SubscriptionReplay>> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        Ok(self.subscriptions.replay(id).map(|replay| replay.status))
    }

    /// Lets a subscription have messages of the archive again: those from `start` on, and with an
    /// `end` only those before it. It takes the place of an earlier replay. Applied when this
    /// returns, and durable with the ticket.
    pub fn start_replay(
        &self,
        id: ResourceId,
        start: Millis,
        end: Option<Millis>,
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        if end.is_some_and(|end| end <= start) {
            return Err(invalid("The start of a replay must be before its end.".to_owned()));
        }
        let ticket = {
            let _changing = self.subscriptions.change();
            // Excludes publishes: each delivers to the subscription, or leaves it to the replay.
            let _window = lock(&self.window);
            self.check_present()?;
            if self.current_archive().is_none() {
                return Err(invalid(format!(
                    "The topic {} has no archive. Switch it on with archive().",
                    self.name.name
                )));
            }
            let old = self.subscriptions.replay(id);
            let was_running = old.as_ref().is_some_and(Replay::is_running);
            if !was_running && self.subscriptions.running_replays().len() >= RUNNING_MAX {
                return Err(Error::new(
                    Code::OverLimit,
                    format!("{RUNNING_MAX} replays of the topic run. Wait until one has ended."),
                ));
            }
            self.subscriptions.get(id).ok_or_else(no_such_subscription)?;
            let (number, now) = (self.host.next_id(), self.host.now());
            let status = SubscriptionReplay {
                start,
                end,
                state: ReplayState::Running,
                replayed: 0,
                started: now,
                ended: None,
                failure: None,
            };
            let location = old.and_then(|old| old.location);
            let ticket = self.keep(id, Replay { status, number, next: 0, location })?;
            if !was_running {
                self.begin_running(id);
            }
            ticket
        };
        self.host.arm(timer(id), self.host.now());
        Ok(ticket)
    }

    /// Ends the replay of a subscription, which gets what is published from now on. What was
    /// delivered stays. Without a replay nothing changes.
    pub fn stop_replay(&self, id: ResourceId) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let _changing = self.subscriptions.change();
        let _window = lock(&self.window);
        self.check_present()?;
        let mut log = self.host.append()?;
        if let Some(replay) = self.subscriptions.replay(id) {
            log.append(&Record::Gone(Subject::Replay, id));
            replay.location.into_iter().for_each(|location| log.release(location));
            self.subscriptions.set_replay(id, None)?;
            self.end_running(id, &replay);
        }
        Ok(log.ticket())
    }

    /// Replays that run fail; the changes of subscriptions and publishes are excluded.
    pub(super) fn fail_replays(&self, why: &str) -> Result<()> {
        let now = self.host.now();
        for (id, mut replay) in self.subscriptions.running_replays() {
            self.end_running(id, &replay);
            replay.status.failure = Some(why.to_owned());
            replay.end(ReplayState::Failed, now);
            self.keep(id, replay)?;
        }
        Ok(())
    }

    /// Writes a replay, and lets its subscription follow.
    fn keep(&self, id: ResourceId, mut replay: Replay) -> Result<Option<Ticket>> {
        let mut log = self.host.append()?;
        let record = Record::Replay(replay.record(id, self.id));
        replay.location = log.append_live(&record, replay.location);
        let ticket = log.ticket();
        drop(log);
        self.subscriptions.set_replay(id, Some(replay))?;
        Ok(ticket)
    }

    /// The job of a replay: delivers some messages, and arms the timer of the next job.
    pub(super) fn run_replay(&self, publisher: &dyn Publisher, id: ResourceId, now: Millis) {
        // Waits for space here, if at all: with the lock held, compaction could not make any.
        if !self.host.is_full() && self.host.admit_internal(PUBLISH).is_err() {
            return;
        }
        let _changing = self.subscriptions.change();
        let replay = self.subscriptions.replay(id).filter(Replay::is_running);
        let (Some(replay), Some(entry)) = (replay, self.subscriptions.get(id)) else { return };
        // It goes on when the subscription has its target.
        if entry.is_pending {
            return;
        }
        let next = match self.host.is_full() {
            true => Ok(Some(now + PAUSE_WHEN_FULL)),
            false => self.step(publisher, id, &entry, replay, now),
        };
        match next {
            Ok(None) => {}
            Ok(Some(at)) => self.host.arm(timer(id), at),
            Err(_) if self.host.is_full() => self.host.arm(timer(id), now + PAUSE_WHEN_FULL),
            // The engine closes. The replay goes on when it is opened again.
            Err(_) if self.host.check_writable().is_err() => {}
            Err(error) => self.fail(id, &error, now),
        }
    }

    fn fail(&self, id: ResourceId, error: &Error, now: Millis) {
        let Some(mut replay) = self.subscriptions.replay(id) else { return };
        self.end_running(id, &replay);
        replay.status.failure = Some(error.to_string());
        replay.end(ReplayState::Failed, now);
        let _window = lock(&self.window);
        // A journal that refuses is poisoned, and every later verb says so.
        let _refused = self.keep(id, replay);
    }

    /// One step; when the next one is due, if the replay goes on.
    fn step(
        &self,
        publisher: &dyn Publisher,
        id: ResourceId,
        entry: &Entry,
        mut replay: Replay,
        now: Millis,
    ) -> Result<Option<Millis>> {
        let absent = || invalid("The topic has no archive any more.".to_owned());
        let archive = self.current_archive().ok_or_else(absent)?;
        let start = replay.status.start.max(archive.beginning(now));
        let end = replay.status.end.unwrap_or(Millis::MAX);
        let found = archive::find(&archive.log, replay.next, (start, end), now)?;
        let filter = Filter::of(entry)?;
        let (written, mut bytes) = (replay.next, 0);
        for (sequence, payload) in &found.entries {
            if bytes > STEP_BYTES {
                self.note(id, replay, written)?;
                return Ok(Some(now + 1));
            }
            bytes += payload.len();
            let archived = Archived::decode(payload)?;
            replay.next = sequence + 1;
            if !filter.matches(&archived)? {
                continue;
            }
            replay.status.replayed += 1;
            self.replay_one(publisher, id, entry, archived, &mut replay, now)?;
            self.subscriptions.note_progress(id, &replay);
        }
        replay.next = found.next;
        if !found.is_last {
            self.note(id, replay, written)?;
            return Ok(Some(now + 1));
        }
        match replay.status.end {
            Some(end) if now < end => {
                self.note(id, replay, written)?;
                lock(&self.waiting).insert(id);
                Ok(Some(end))
            }
            Some(_) => self.complete(id, replay, now),
            None => {
                // No publish is under way, so what the archive has is all that there is.
                let _window = lock(&self.window);
                let (first, newest) = archive.log.range();
                if replay.next.max(first) < newest {
                    self.note(id, replay, written)?;
                    return Ok(Some(now));
                }
                self.complete(id, replay, now)
            }
        }
    }

    fn complete(&self, id: ResourceId, mut replay: Replay, now: Millis) -> Result<Option<Millis>> {
        self.end_running(id, &replay);
        replay.end(ReplayState::Completed, now);
        self.keep(id, replay)?;
        Ok(None)
    }

    /// Keeps how far a replay has come, if that is not on record yet.
    fn note(&self, id: ResourceId, mut replay: Replay, written: u64) -> Result<()> {
        if replay.next != written {
            let mut log = self.host.append()?;
            let record = Record::Replay(replay.record(id, self.id));
            replay.location = log.append_live(&record, replay.location);
        }
        self.subscriptions.note_progress(id, &replay);
        Ok(())
    }

    fn replay_one(
        &self,
        publisher: &dyn Publisher,
        id: ResourceId,
        entry: &Entry,
        archived: Archived<'_>,
        replay: &mut Replay,
        now: Millis,
    ) -> Result<()> {
        let number = replay.number.0;
        let dedup_id = format!("{}-replay-{number}", archived.context.message_id);
        let marked = match entry.is_raw {
            true => marked(archived.attributes)?,
            false => archived.attributes.to_vec(),
        };
        let message = Notification {
            body: archived.body,
            attributes: &marked,
            is_structured: archived.context.is_structured,
            subject: archived.context.subject,
            group: Some(archived.group),
            dedup_id: Some(&dedup_id),
            is_withheld: false,
        };
        let progress = Progress { topic: self.id, subscription: id, replay: RefCell::new(replay) };
        let selected = entry.selected(id);
        let replayed = Replayed { archived, message, selected, progress: &progress, now };
        publisher.replay(self, &replayed).map(drop)
    }

    /// A message was archived: replays that wait for their end may have it.
    pub(super) fn wake_waiting_replays(&self, now: Millis) {
        for id in std::mem::take(&mut *lock(&self.waiting)) {
            self.host.arm(timer(id), now);
        }
    }

    /// Has the timer of a replay fire.
    fn begin_running(&self, id: ResourceId) {
        if let Some(topics) = self.host.component::<Topics>() {
            topics.note_replay(id, Some(self.id));
        }
        Ticker::enter(&self.host);
    }

    /// Ends what [`Topic::begin_running`] began, if the replay was running.
    pub(super) fn end_running(&self, id: ResourceId, replay: &Replay) {
        if replay.is_running() {
            if let Some(topics) = self.host.component::<Topics>() {
                topics.note_replay(id, None);
            }
            Ticker::leave(&self.host);
        }
    }

    /// Goes on with the replays that ran when the engine was closed.
    pub(super) fn resume_replays(&self) {
        for (id, _) in self.subscriptions.running_replays() {
            self.begin_running(id);
            // Not at once: an embedder who opens the engine can look first, and stop it.
            self.host.arm(timer(id), self.host.now() + 1);
        }
    }

    /// A subscription has changed: its replay may have waited for that.
    pub(super) fn wake_replay(&self, id: ResourceId) {
        if self.subscriptions.replay(id).is_some_and(|replay| replay.is_running()) {
            self.host.arm(timer(id), self.host.now());
        }
    }

    pub(super) fn relocate_replays(&self, segment: u32) -> Result<()> {
        let _unchanged = self.subscriptions.change();
        for (id, mut replay) in self.subscriptions.replays() {
            if replay.location.is_some_and(|location| location.segment() == segment) {
                let mut log = self.host.append()?;
                let record = Record::Replay(replay.record(id, self.id));
                replay.location = log.append_live(&record, replay.location);
                self.subscriptions.note_progress(id, &replay);
            }
        }
        Ok(())
    }
}

fn timer(id: ResourceId) -> TimerKey {
    TimerKey { owner: TOPICS.owner(), slot: id.0 }
}

/// The attributes of a message that is replayed without an envelope, which would say so.
fn marked(block: &[u8]) -> Result<Vec<u8>> {
    let given = attributes::decode(block)?;
    match given.iter().filter(|attribute| !attribute.system).count() < ATTRIBUTES_MAX {
        true => attributes::with_texts(block, &[(REPLAYED, "true".to_owned())]),
        false => Ok(block.to_vec()),
    }
}
