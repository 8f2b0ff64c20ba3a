//! The groups that have messages, found by name; and the rotation of those that can deliver.
//!
//! A group is in the rotation exactly while its oldest message is visible. It enters at the back,
//! so a group that was freed queues behind those already waiting and none starves.

use trunkline_types::IdKey;

use super::index::Index;
use super::slab::{Linked, NIL, Slab};

#[derive(Debug)]
pub(super) struct Group {
    pub name: Box<str>,
    hash: u32,
    /// The oldest and the newest message.
    pub first: u32,
    pub last: u32,
    pub messages: u32,
    pub leased: u32,
    is_ready: bool,
    ready_before: u32,
    ready_after: u32,
}

#[derive(Debug)]
pub(super) struct Groups {
    key: IdKey,
    slab: Slab<Group>,
    names: Index,
    ready_first: u32,
    ready_last: u32,
}

impl Groups {
    pub fn new(seed: u64) -> Self {
        // The second half only makes it a key; the seed is what a stranger does not know.
        Self::with_key(IdKey(seed, !seed))
    }

    /// Takes everything out.
    pub fn take(&mut self) -> Self {
        let key = self.key;
        std::mem::replace(self, Self::with_key(key))
    }

    fn with_key(key: IdKey) -> Self {
        Self {
            key,
            slab: Slab::default(),
            names: Index::default(),
            ready_first: NIL,
            ready_last: NIL,
        }
    }

    /// The group of this name; it is made if there is none.
    pub fn enter(&mut self, name: &str) -> u32 {
        let hash = self.key.digest(&[name.as_bytes()]) as u32;
        if let Some(group) = self.names.find(hash, |group| &*self.slab[group].name == name) {
            return group;
        }
        let group = self.slab.take();
        self.slab[group] = Group { name: name.into(), hash, ..Group::default() };
        self.names.insert(hash, group);
        group
    }

    /// Forgets a group without messages.
    pub fn forget(&mut self, group: u32) {
        debug_assert_eq!(self.slab[group].messages, 0);
        self.set_ready(group, false);
        self.names.remove(self.slab[group].hash, group);
        self.slab[group].name = Box::default();
        self.slab.release(group);
    }

    /// How many groups have messages.
    pub fn len(&self) -> usize {
        self.slab.live()
    }

    /// The group whose turn it is, or `NIL`.
    #[inline]
    pub fn first_ready(&self) -> u32 {
        self.ready_first
    }

    #[inline]
    pub fn next_ready(&self, group: u32) -> u32 {
        self.slab[group].ready_after
    }

    /// Lets a group into the rotation, at the back, or takes it out. True if it came in.
    pub fn set_ready(&mut self, group: u32, ready: bool) -> bool {
        if self.slab[group].is_ready == ready {
            return false;
        }
        self.slab[group].is_ready = ready;
        if ready {
            self.push_ready(group);
        } else {
            self.unlink_ready(group);
        }
        ready
    }

    /// A group that is in the rotation had its turn.
    pub fn rotate(&mut self, group: u32) {
        if self.slab[group].is_ready && self.ready_last != group {
            self.unlink_ready(group);
            self.push_ready(group);
        }
    }

    pub fn memory(&self) -> usize {
        // Names are small allocations; 32 bytes is what one costs at least.
        self.slab.memory() + self.names.memory() + self.slab.live() * 32
    }

    fn push_ready(&mut self, group: u32) {
        let last = std::mem::replace(&mut self.ready_last, group);
        (self.slab[group].ready_before, self.slab[group].ready_after) = (last, NIL);
        match last {
            NIL => self.ready_first = group,
            last => self.slab[last].ready_after = group,
        }
    }

    fn unlink_ready(&mut self, group: u32) {
        let (before, after) = (self.slab[group].ready_before, self.slab[group].ready_after);
        match before {
            NIL => self.ready_first = after,
            before => self.slab[before].ready_after = after,
        }
        match after {
            NIL => self.ready_last = before,
            after => self.slab[after].ready_before = before,
        }
    }
}

impl std::ops::Index<u32> for Groups {
    type Output = Group;

    #[inline]
    fn index(&self, group: u32) -> &Group {
        &self.slab[group]
    }
}

impl std::ops::IndexMut<u32> for Groups {
    #[inline]
    fn index_mut(&mut self, group: u32) -> &mut Group {
        &mut self.slab[group]
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            name: Box::default(),
            hash: 0,
            first: NIL,
            last: NIL,
            messages: 0,
            leased: 0,
            is_ready: false,
            ready_before: NIL,
            ready_after: NIL,
        }
    }
}

impl Linked for Group {
    fn link(&self) -> u32 {
        self.ready_after
    }

    fn set_link(&mut self, link: u32) {
        self.ready_after = link;
    }
}
