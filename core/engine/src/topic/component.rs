//! Topics as a kind of resource: how they are created, relocated, copied and removed as a whole.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trunkline_host::{
    Accepted, CheckpointSink, Component, Encode, HOPS_MAX, Host, Jobs, Joined, Location,
    ResourceReport, Routed,
};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, ResourceName, Result};

use super::accept::{Delivered, Publisher, Slot};
use super::message::Notification;
use super::record::{PUBLISHED_BYTES, Record, TopicConfig};
use super::table::Numbered;
use super::{Topic, check_name, differs};
use crate::signing::Signing;

/// Subscriptions that one step of relocation writes, or one step of a copy reads.
const STEP: usize = 64;

/// All topics of an engine.
pub(crate) struct Topics {
    host: Arc<Host>,
    creating: Mutex<()>,
    publisher: Slot,
    /// The topics of replays that run, by subscription.
    replays: Mutex<HashMap<ResourceId, ResourceId>>,
    pub(crate) signing: Arc<Signing>,
}

impl Topics {
    pub(super) fn new(host: Arc<Host>, signing: Arc<Signing>) -> Self {
        let (creating, publisher, replays) = Default::default();
        Self { host, creating, publisher, replays, signing }
    }

    /// Gives the topics the router to publish through.
    pub(crate) fn attach(&self, publisher: Arc<dyn Publisher>) {
        self.publisher.set(publisher);
    }

    /// Goes on with the replays that ran when the engine was closed.
    pub(crate) fn resume_replays(&self) {
        if self.host.check_writable().is_ok() {
            self.all().iter().for_each(|topic| topic.resume_replays());
        }
    }

    /// A replay runs from now on, or ended.
    pub(super) fn note_replay(&self, subscription: ResourceId, topic: Option<ResourceId>) {
        let mut replays = lock(&self.replays);
        match topic {
            Some(topic) => _ = replays.insert(subscription, topic),
            None => _ = replays.remove(&subscription),
        }
    }

    /// The topic of this name, and whether it was created just now. `config` is compared with that
    /// of a topic which is there, if it is given.
    pub(crate) fn get_or_create(
        &self,
        name: ResourceName,
        config: Option<TopicConfig>,
        document: &[u8],
    ) -> Result<(Arc<Topic>, bool)> {
        let host = &self.host;
        host.check_readable()?;
        let existing = |topic: Arc<Topic>| match config {
            Some(config) if config != topic.config() => Err(differs(&topic)),
            _ => Ok((topic, false)),
        };
        if let Some(topic) = host.directory.find(&name) {
            return existing(topic);
        }
        host.check_writable()?;
        host.refuse_if_full()?;
        let config = check_name(&name.name, config)?;
        // Creation is rare, and must not race with itself for a name.
        let _creating = lock(&self.creating);
        if let Some(topic) = host.directory.find(&name) {
            return existing(topic);
        }
        let (id, created) = (host.next_id(), host.now());
        let topic = Topic::new(host.clone(), id, name, config, created, document.to_vec(), None);
        let topic = Arc::new(topic);
        topic.define(&mut host.append_at(created)?);
        host.directory.add(topic.clone());
        Ok((topic, true))
    }

    /// The resources that belong to subscriptions of all topics.
    pub(crate) fn owned(&self) -> BTreeSet<ResourceId> {
        let mut owned = BTreeSet::new();
        for topic in self.all() {
            topic.each_page(STEP, &mut |page| {
                let made = page.iter().filter(|(_, entry)| entry.is_owned);
                owned.extend(made.map(|(_, entry)| entry.target));
            });
        }
        owned
    }

    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.host.directory.all()
    }
}

/// A record whose bytes are there.
struct Encoded(Vec<u8>);

impl Encode for Encoded {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// How a topic stands, for people.
pub(super) fn report(name: ResourceName, subscriptions: usize) -> ResourceReport {
    ResourceReport { name, counters: vec![("subscriptions", subscriptions as u64)] }
}

impl Topic {
    /// Writes what lies in `segment` again. Lock order, as in changes: the subscriptions, the
    /// definition, the append lock; or the window, the append lock.
    fn relocate(&self, segment: u32) -> Result<()> {
        self.relocate_definition(segment)?;
        let mut after = None;
        loop {
            let page = self.subscriptions.page(after, STEP);
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            let _unchanged = self.subscriptions.change();
            let mut log = self.host.append()?;
            for (id, _) in page {
                let Some(entry) = self.subscriptions.get(id) else { continue };
                let old = entry.location.filter(|location| location.segment() == segment);
                if old.is_some() {
                    let record = Record::Subscription(entry.record(id, self.id));
                    self.subscriptions.relocated(id, log.append_live(&record, old));
                }
            }
        }
        self.relocate_window(segment)?;
        self.relocate_archive(segment)?;
        self.relocate_replays(segment)
    }

    fn relocate_definition(&self, segment: u32) -> Result<()> {
        let _unchanged = self.subscriptions.change();
        let mut definition = lock(&self.definition);
        let old = definition.location.filter(|location| location.segment() == segment);
        if old.is_some() {
            let mut log = self.host.append()?;
            definition.location = log.append_live(&self.record(&definition), old);
        }
        Ok(())
    }

    fn relocate_window(&self, segment: u32) -> Result<()> {
        let window_length = self.host.limits.dedup_window;
        let mut window = lock(&self.window);
        let newest = window.newest();
        for (published, location) in window.all(self.host.now(), window_length) {
            let old = location.filter(|location| location.segment() == segment);
            if old.is_none() {
                continue;
            }
            let mut log = self.host.append()?;
            let record = Record::Published(published);
            // The newest alone is counted as live: the others matter for some minutes.
            let location = match old == newest {
                true => log.append_live(&record, old),
                false => {
                    let lsn = log.append_dated(&record, published.at);
                    lsn.map(|lsn| Location { lsn, len: PUBLISHED_BYTES })
                }
            };
            window.note(published, location, window_length);
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<()> {
        let (record, location) = {
            let definition = lock(&self.definition);
            let mut bytes = Vec::new();
            self.record(&definition).encode(&mut bytes);
            (Encoded(bytes), definition.location)
        };
        // It was removed meanwhile, which is on record behind the checkpoint.
        let Some(location) = location else { return Ok(()) };
        sink.record(location, &record)?;
        let mut after = None;
        loop {
            // Changes that are on record are complete when their lock is free.
            let page = {
                let _unchanged = self.subscriptions.change();
                self.subscriptions.page(after, STEP)
            };
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (id, entry) in &page {
                let Some(location) = entry.location else { continue };
                sink.record(location, &Record::Subscription(entry.record(*id, self.id)))?;
            }
        }
        let window = lock(&self.window).all(self.host.now(), self.host.limits.dedup_window);
        for (published, location) in window {
            let Some(location) = location else { continue };
            sink.record(location, &Record::Published(published))?;
        }
        if let Some(archive) = self.current_archive()
            && let Some(location) = archive.location
        {
            sink.record(location, &Record::Archive(archive.record(self.id)))?;
        }
        let replays = {
            let _unchanged = self.subscriptions.change();
            self.subscriptions.replays()
        };
        for (id, replay) in replays {
            let Some(location) = replay.location else { continue };
            sink.record(location, &Record::Replay(replay.record(id, self.id)))?;
        }
        Ok(())
    }

    /// Shows all subscriptions, some at a time.
    pub(super) fn each_page(&self, limit: usize, see: &mut dyn FnMut(&[Numbered])) {
        let mut after = None;
        loop {
            let page = self.subscriptions.page(after, limit);
            let Some((last, _)) = page.last() else { return };
            after = Some(*last);
            see(&page);
        }
    }
}

impl Topic {
    fn publisher(&self) -> Option<Arc<dyn Publisher>> {
        self.host.component::<Topics>()?.publisher.get()
    }

    /// A message of another resource.
    fn notification<'a>(&self, routed: &Routed<'a>) -> Notification<'a> {
        let is_fifo = self.config().is_fifo;
        Notification {
            body: routed.body,
            attributes: routed.attributes,
            is_structured: false,
            subject: None,
            group: routed.group,
            dedup_id: routed.dedup_id.filter(|_| is_fifo),
            is_withheld: false,
        }
    }

    /// A FIFO topic has a step of its own, which it locks its window for.
    pub(super) fn join_step<'a>(
        &'a self,
        routed: &[Routed<'a>],
        now: Millis,
    ) -> Option<Box<dyn Joined + 'a>> {
        let is_plain =
            |one: &Routed<'_>| one.moved.is_none() && one.also.is_none() && one.hops < HOPS_MAX;
        if self.config().is_fifo || !routed.iter().all(is_plain) {
            return None;
        }
        let messages: Vec<_> = routed.iter().map(|one| self.notification(one)).collect();
        self.publisher()?.join(self, &messages, now)
    }

    pub(super) fn accept_message(&self, routed: &Routed<'_>) -> Result<Accepted> {
        if routed.moved.is_some() {
            return Err(Error::new(
                Code::UnsupportedOperation,
                format!("Messages cannot be moved to the topic {}.", self.name.name),
            ));
        }
        let publisher = self.publisher().ok_or_else(|| {
            Error::new(Code::InternalError, "The topics have no router to publish through.")
        })?;
        let message = self.notification(routed);
        let delivered = Delivered { message, also: routed.also, hops: routed.hops };
        let published = publisher.publish(self, &delivered)?;
        Ok(Accepted {
            resource: self.id,
            seq: published.seq.unwrap_or(0),
            duplicate: published.duplicate,
            ticket: published.ticket,
        })
    }
}

impl Component for Topics {
    fn needs(&self, newest: Millis, now: Millis) -> bool {
        // The deduplication ids of FIFO topics are not counted as live.
        newest + self.host.limits.dedup_window >= now
            && self.all().iter().any(|topic| topic.config().is_fifo)
    }

    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|topic| topic.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut each = |record: Record<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        for topic in self.all() {
            each(topic.record(&lock(&topic.definition)))?;
            let mut result = Ok(());
            topic.each_page(STEP, &mut |page| {
                for (id, entry) in page {
                    if result.is_ok() {
                        result = each(Record::Subscription(entry.record(*id, topic.id)));
                    }
                }
            });
            result?;
            let all = lock(&topic.window).all(self.host.now(), self.host.limits.dedup_window);
            all.into_iter().try_for_each(|(published, _)| each(Record::Published(published)))?;
            let archive = topic.current_archive();
            let archive = archive.map(|archive| Record::Archive(archive.record(topic.id)));
            archive.into_iter().try_for_each(&mut each)?;
            for (id, replay) in topic.subscriptions.replays() {
                each(Record::Replay(replay.record(id, topic.id)))?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        // A topic that is on record is in the directory when this lock is free.
        drop(lock(&self.creating));
        self.all().iter().try_for_each(|topic| topic.checkpoint(sink))?;
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |topic: &Arc<Topic>| report(topic.name.clone(), topic.subscriptions.len());
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|topic| topic.remove_all(true).map(drop))
    }

    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(u64::from(slot));
        None
    }

    /// The job of an archive, whose messages may have expired, or of a replay.
    fn run(&self, task: u64, now: Millis) -> Result<()> {
        let id = ResourceId(u32::try_from(task).unwrap_or(u32::MAX));
        let of_replay = lock(&self.replays).get(&id).copied();
        let Some(topic) = self.host.directory.get::<Topic>(of_replay.unwrap_or(id)) else {
            return Ok(());
        };
        if of_replay.is_some() {
            if let Some(publisher) = self.publisher.get() {
                topic.run_replay(&*publisher, id, now);
            }
            return Ok(());
        }
        topic.current_archive().map_or(Ok(()), |archive| topic.expiry(&archive).run(now))
    }
}
