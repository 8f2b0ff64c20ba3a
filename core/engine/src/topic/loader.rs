//! What the records of topics add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::sync::lock;
use trunkline_types::{Limits, Millis, ResourceId, ResourceName, Result};

use super::archive::Archive;
use super::component::{Topics, report};
use super::envelope::Envelopes;
use super::record::{ArchiveRecord, Record, Subject, TopicConfig, TopicRecord};
use super::replay::Replay;
use super::table::Entry;
use super::window::Window;
use super::{TOPIC, Topic};
use crate::archive::logs;
use crate::signing::Signing;

/// Topics and subscriptions as they are read.
pub(super) struct TopicLoader {
    topics: BTreeMap<ResourceId, StoredTopic>,
    subscriptions: BTreeMap<ResourceId, (ResourceId, Entry)>,
    windows: BTreeMap<ResourceId, Window>,
    archives: BTreeMap<ResourceId, (ArchiveRecord, Location)>,
    /// By subscription; the first id is that of the topic.
    replays: BTreeMap<ResourceId, (ResourceId, Replay)>,
    last: u32,
    dedup_window: Millis,
}

struct StoredTopic {
    at: Location,
    name: ResourceName,
    config: TopicConfig,
    created: Millis,
    document: Vec<u8>,
}

impl TopicLoader {
    pub fn new(limits: &Limits) -> Self {
        Self {
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            windows: BTreeMap::new(),
            archives: BTreeMap::new(),
            replays: BTreeMap::new(),
            last: 0,
            dedup_window: limits.dedup_window,
        }
    }
}

impl TopicLoader {
    /// Before the subscriptions, which are matched as their replays want.
    fn restore_replays(
        &mut self,
        topic: &Topic,
        subscriptions: impl Iterator<Item = ResourceId>,
        now: Millis,
    ) {
        for id in subscriptions {
            let Some((_, replay)) = self.replays.remove(&id) else { continue };
            replay.location.into_iter().for_each(|at| topic.host.live_bytes().add(at, now));
            topic.subscriptions.restore_replay(id, replay);
        }
    }

    fn restore_archive(&mut self, topic: &Topic, now: Millis) -> Result<()> {
        let Some((record, at)) = self.archives.remove(&topic.id) else { return Ok(()) };
        topic.host.live_bytes().add(at, now);
        let log = logs(&topic.host)?.get_or_create(record.log);
        let archive = Archive::new(&record, log, Some(at));
        topic.expiry(&archive).plan(now);
        *lock(&topic.archive) = Some(archive);
        Ok(())
    }
}

impl Loader for TopicLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let id = match Record::decode(record)? {
            Record::Topic(topic) => {
                let TopicRecord { id, account, region, name, config, created, document } = topic;
                let (name, document) =
                    (ResourceName::new(TOPIC, account, region, name), document.to_vec());
                self.topics.insert(id, StoredTopic { at, name, config, created, document });
                id
            }
            Record::Subscription(record) => {
                let entry = Entry::of(&record, Some(at));
                self.subscriptions.insert(record.id, (record.topic, entry));
                record.id
            }
            Record::Gone(Subject::Topic, id) => {
                self.topics.remove(&id);
                self.windows.remove(&id);
                self.archives.remove(&id);
                self.subscriptions.retain(|_, (topic, _)| *topic != id);
                self.replays.retain(|_, (topic, _)| *topic != id);
                id
            }
            Record::Gone(Subject::Subscription, id) => {
                self.subscriptions.remove(&id);
                self.replays.remove(&id);
                id
            }
            Record::Archive(archive) => {
                self.archives.insert(archive.topic, (archive, at));
                archive.topic.max(archive.log)
            }
            Record::Gone(Subject::Archive, id) => {
                self.archives.remove(&id);
                id
            }
            Record::Replay(record) => {
                let replay = Replay::of(&record, Some(at));
                self.replays.insert(record.subscription, (record.topic, replay));
                record.subscription.max(record.number)
            }
            Record::Gone(Subject::Replay, id) => {
                self.replays.remove(&id);
                id
            }
            Record::Published(published) => {
                let window = self.windows.entry(published.topic).or_default();
                window.note(published, Some(at), self.dedup_window);
                published.topic
            }
        };
        self.last = self.last.max(id.0);
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let of = |id: ResourceId| self.subscriptions.values().filter(move |(of, _)| *of == id);
        self.topics.iter().map(|(id, topic)| report(topic.name.clone(), of(*id).count())).collect()
    }

    fn finish(mut self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let now = host.now();
        let mut ready: BTreeMap<ResourceId, Vec<_>> = BTreeMap::new();
        for (id, (topic, entry)) in std::mem::take(&mut self.subscriptions) {
            entry.location.into_iter().for_each(|at| host.live_bytes().add(at, now));
            let pattern = entry.pattern()?;
            ready.entry(topic).or_default().push((id, entry, pattern));
        }
        let signing = Arc::new(Signing::default());
        host.directory.add(Arc::new(Envelopes::new(host.key, signing.clone())));
        for (id, stored) in std::mem::take(&mut self.topics) {
            host.live_bytes().add(stored.at, now);
            let StoredTopic { at, name, config, created, document } = stored;
            let topic = Topic::new(host.clone(), id, name, config, created, document, Some(at));
            let ready = ready.remove(&id).unwrap_or_default();
            self.restore_replays(&topic, ready.iter().map(|(id, ..)| *id), now);
            topic.subscriptions.put(ready);
            self.restore_archive(&topic, now)?;
            if let Some(mut window) = self.windows.remove(&id) {
                window.bound(now);
                window.newest().into_iter().for_each(|at| host.live_bytes().add(at, now));
                for (published, location) in window.all(now, self.dedup_window) {
                    let Some(location) = location else { continue };
                    host.live_bytes().note(location.segment(), published.at);
                }
                *lock(&topic.window) = window;
            }
            host.directory.add(Arc::new(topic));
        }
        Ok(Arc::new(Topics::new(host.clone(), signing)))
    }
}
