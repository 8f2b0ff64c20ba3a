//! What the records of topics add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::sync::lock;
use trunkline_types::{Limits, Millis, ResourceId, ResourceName, Result};

use super::component::{Topics, report};
use super::envelope::Envelopes;
use super::record::{Record, Subject, TopicConfig, TopicRecord};
use super::table::Entry;
use super::window::Window;
use super::{TOPIC, Topic};
use crate::signing::Signing;

/// Topics and subscriptions as they are read.
pub(super) struct TopicLoader {
    topics: BTreeMap<ResourceId, StoredTopic>,
    subscriptions: BTreeMap<ResourceId, (ResourceId, Entry)>,
    windows: BTreeMap<ResourceId, Window>,
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
            last: 0,
            dedup_window: limits.dedup_window,
        }
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
                self.subscriptions.retain(|_, (topic, _)| *topic != id);
                id
            }
            Record::Gone(Subject::Subscription, id) => {
                self.subscriptions.remove(&id);
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
        for (id, (topic, entry)) in self.subscriptions {
            entry.location.into_iter().for_each(|at| host.live_bytes().add(at, now));
            let pattern = entry.pattern()?;
            ready.entry(topic).or_default().push((id, entry, pattern));
        }
        let signing = Arc::new(Signing::default());
        host.directory.add(Arc::new(Envelopes::new(host.key, signing.clone())));
        for (id, stored) in self.topics {
            host.live_bytes().add(stored.at, now);
            let StoredTopic { at, name, config, created, document } = stored;
            let topic = Topic::new(host.clone(), id, name, config, created, document, Some(at));
            topic.subscriptions.put(ready.remove(&id).unwrap_or_default());
            if let Some(window) = self.windows.remove(&id) {
                window.newest().into_iter().for_each(|at| host.live_bytes().add(at, now));
                *lock(&topic.window) = window;
            }
            host.directory.add(Arc::new(topic));
        }
        Ok(Arc::new(Topics::new(host.clone(), signing)))
    }
}
