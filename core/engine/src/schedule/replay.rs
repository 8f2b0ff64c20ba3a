//! What the records of schedules add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::component::{Schedules, counters};
use super::record::{Progress, Stored, StoredDefinition};
use super::{Schedule, State};

/// Collects schedules while a journal is replayed.
#[derive(Default)]
pub(super) struct ScheduleLoader {
    schedules: BTreeMap<ResourceId, Image>,
    last: u32,
}

#[derive(Default)]
struct Image {
    name: Option<ResourceName>,
    definition: Option<StoredDefinition>,
    progress: Progress,
    defined_at: Option<Location>,
    advanced_at: Option<Location>,
}

impl Loader for ScheduleLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Stored::decode(record)? {
            Stored::Defined(id, name, definition, progress) => {
                self.last = self.last.max(id.0);
                let image = Image {
                    name: Some(name),
                    definition: Some(*definition),
                    progress,
                    defined_at: Some(at),
                    advanced_at: None,
                };
                self.schedules.insert(id, image);
            }
            Stored::Advanced(id, progress) => {
                self.last = self.last.max(id.0);
                let image = self.schedules.entry(id).or_default();
                (image.progress, image.advanced_at) = (progress, Some(at));
            }
            Stored::Removed(id) => {
                self.last = self.last.max(id.0);
                self.schedules.remove(&id);
            }
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |image: &Image| {
            let enabled = image.definition.as_ref()?.config.enabled;
            let counters = counters(enabled, image.progress);
            Some(ResourceReport { name: image.name.clone()?, counters })
        };
        self.schedules.values().filter_map(report).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let is_writable = host.check_writable().is_ok();
        let now = host.now();
        for (id, image) in self.schedules {
            // A progress without a definition is of a schedule that was removed.
            let (Some(name), Some(mut definition)) = (image.name, image.definition) else {
                continue;
            };
            for location in [image.defined_at, image.advanced_at].into_iter().flatten() {
                host.live_bytes().add(location, now);
            }
            // Under a clock that was ahead a rate would begin when the clock gets there.
            definition.anchor = definition.anchor.min(now);
            let timetable = definition.config.timetable(definition.anchor);
            let (timetable, failure) = match timetable {
                Ok(timetable) => (Some(Arc::new(timetable)), None),
                Err(error) => (None, Some(error.message().to_owned())),
            };
            let mut progress = image.progress;
            // The same for what was decided upon, unless the clock was ahead by less than it takes
            // from one occurrence to the next: those of that time are not delivered again.
            let next = timetable.as_ref().and_then(|timetable| timetable.next(now));
            if next.is_some_and(|next| next < progress.through) {
                progress.through = now;
            }
            let state = State {
                definition: Arc::new(definition),
                timetable,
                progress,
                version: 0,
                defined_at: image.defined_at,
                advanced_at: image.advanced_at,
                retry_at: None,
                failure,
            };
            let schedule = Schedule::new(host.clone(), id, name, state);
            if is_writable {
                schedule.arm_first();
            }
            host.directory.add(Arc::new(schedule));
        }
        Ok(Arc::new(Schedules::new(host.clone())))
    }
}
