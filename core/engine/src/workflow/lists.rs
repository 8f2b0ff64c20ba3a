//! Task lists: which tasks wait for which workers, in the order in which they are handed out.
//!
//! A list is there as long as a task or a worker waits in it. What is in one follows from the
//! executions, so lists have no records.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trunkline_host::{Awaited, Host, TimerKey, Waiters};
use trunkline_types::sync::atomic::{AtomicUsize, Ordering};
use trunkline_types::{Millis, ResourceId};
use trunkline_workflow::{Execution, TaskKind, Waiting};

use super::SLOT_WAITERS;

/// A task list, for those who wait for its tasks.
pub struct TaskList {
    host: Arc<Host>,
    domain: ResourceId,
    waiters: Waiters,
    tasks: AtomicUsize,
}

impl Awaited for TaskList {
    fn host(&self) -> &Arc<Host> {
        &self.host
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn has_content(&self) -> bool {
        self.tasks.load(Ordering::SeqCst) > 0
    }

    fn waiters_timer(&self) -> TimerKey {
        TimerKey { owner: self.domain, slot: SLOT_WAITERS }
    }
}

/// A task in the order of its list: the highest priority first, then the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: Reverse<i32>,
    at: Millis,
    execution: u32,
    event: u64,
}

/// The tasks of one list.
struct Queue {
    list: Arc<TaskList>,
    tasks: BTreeSet<Place>,
}

impl Queue {
    /// Whether nothing is in the list, and no poll waits for it.
    fn is_idle(&self) -> bool {
        self.tasks.is_empty() && Arc::strong_count(&self.list) == 1
    }
}

/// From so many lists on, idle ones are looked for when another list is made.
const IDLE_MAX: usize = 1_024;

/// All task lists of a domain.
pub(super) struct TaskLists {
    host: Arc<Host>,
    domain: ResourceId,
    queues: HashMap<(TaskKind, String), Queue>,
}

/// Lists that tasks were added to, and how many.
pub(super) type Wakes = Vec<(Arc<TaskList>, usize)>;

impl TaskLists {
    pub fn new(host: Arc<Host>, domain: ResourceId) -> Self {
        Self { host, domain, queues: HashMap::new() }
    }

    /// The list of this name, to wait for.
    pub fn list(&mut self, kind: TaskKind, name: &str) -> Arc<TaskList> {
        self.queue(kind, name).list.clone()
    }

    fn queue(&mut self, kind: TaskKind, name: &str) -> &mut Queue {
        let Self { host, domain, queues } = self;
        if queues.len() >= IDLE_MAX && !queues.contains_key(&(kind, name.to_owned())) {
            queues.retain(|_, queue| !queue.is_idle());
        }
        queues.entry((kind, name.to_owned())).or_insert_with(|| {
            let (waiters, tasks) = (Waiters::default(), AtomicUsize::new(0));
            let list = TaskList { host: host.clone(), domain: *domain, waiters, tasks };
            Queue { list: Arc::new(list), tasks: BTreeSet::new() }
        })
    }

    /// The first task of a list: its execution, and the event that scheduled it.
    pub fn first(&self, kind: TaskKind, name: &str) -> Option<(u32, u64)> {
        let queue = self.queues.get(&(kind, name.to_owned()))?;
        queue.tasks.first().map(|place| (place.execution, place.event))
    }

    /// How many tasks wait in a list.
    pub fn len(&self, kind: TaskKind, name: &str) -> usize {
        self.queues.get(&(kind, name.to_owned())).map_or(0, |queue| queue.tasks.len())
    }

    /// An execution has changed: its tasks go and come.
    pub fn change(
        &mut self,
        number: u32,
        before: Option<&Execution>,
        after: Option<&Execution>,
        wakes: &mut Wakes,
    ) {
        let waiting = |one: Option<&Execution>| -> BTreeSet<(TaskKind, String, Place)> {
            let waiting = one.map(Execution::waiting).unwrap_or_default();
            waiting.into_iter().map(|task| owned(number, &task)).collect()
        };
        let (old, new) = (waiting(before), waiting(after));
        for (kind, name, place) in old.difference(&new) {
            let queue = self.queue(*kind, name);
            queue.tasks.remove(place);
            queue.list.tasks.store(queue.tasks.len(), Ordering::SeqCst);
            if queue.tasks.is_empty() {
                self.forget(*kind, name);
            }
        }
        for (kind, name, place) in new.difference(&old) {
            let queue = self.queue(*kind, name);
            queue.tasks.insert(*place);
            queue.list.tasks.store(queue.tasks.len(), Ordering::SeqCst);
            wakes.push((queue.list.clone(), 1));
        }
    }

    /// Forgets a list that is empty and that no poll waits for.
    pub fn forget(&mut self, kind: TaskKind, name: &str) {
        let key = (kind, name.to_owned());
        if self.queues.get(&key).is_some_and(Queue::is_idle) {
            self.queues.remove(&key);
        }
    }

    /// Every list, to end waits in.
    pub fn all(&self) -> Vec<Arc<TaskList>> {
        self.queues.values().map(|queue| queue.list.clone()).collect()
    }
}

fn owned(execution: u32, task: &Waiting<'_>) -> (TaskKind, String, Place) {
    let Waiting { kind, list, priority, at, event } = *task;
    (kind, list.to_owned(), Place { priority: Reverse(priority), at, execution, event })
}
