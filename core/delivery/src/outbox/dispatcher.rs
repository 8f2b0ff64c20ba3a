//! Which destination is served next: round robin over those that have something to do, each up to
//! its bound of attempts at once.
//!
//! A destination is in this table only while it has something to do or an attempt that runs; idle
//! ones cost nothing. The owner calls [`Dispatcher::notify`] when a delivery may be due, asks
//! [`Dispatcher::next`] for a turn, leases up to as many deliveries as the turn allows, and ends
//! the turn with [`Dispatcher::served`]. One turn is taken at a time; notices and ends of attempts
//! come at any time, ends of attempts that the turn itself began as well.
//!
//! Attempts also need a way out that destinations share, such as a connection to one host. A gate
//! stands for one bound of that kind. A destination that finds a gate closed waits at it, and an
//! attempt that ends opens its gates for one destination each. The bound behind a gate may rise
//! when an attempt ends: a host that answers again gets many attempts instead of one.
//!
//! Invariants: a notice that comes while a destination has its turn is remembered, and so is a gate
//! that opens meanwhile; the turn is then followed by another one. A destination that was let
//! through a gate lets the next one through, unless it found the gate closed again. So no delivery
//! that is due is forgotten.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

/// Most deliveries of one turn, so that a destination with a long backlog does not keep the others
/// waiting.
const TURN_MAX: u32 = 16;

/// The table of destinations that have something to do. `K` names a destination, `G` a gate.
#[derive(Debug)]
pub struct Dispatcher<K, G> {
    lanes: HashMap<K, Lane<G>>,
    /// Destinations that wait for a turn, each once.
    ready: VecDeque<K>,
    /// Destinations that wait at a gate, each at one.
    waiting: HashMap<G, VecDeque<K>>,
    /// Gates that opened during the turn that is being taken.
    opened: HashSet<G>,
}

#[derive(Debug)]
struct Lane<G> {
    /// Attempts that run. Below zero while attempts of a turn end before the turn does.
    running: i64,
    stage: Stage,
    /// A notice came during the turn.
    is_noticed: bool,
    /// The gate that let this destination through to its turn.
    through: Option<G>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is due, as far as is known.
    Parked,
    /// Waits for a turn.
    Ready,
    /// Has its turn.
    Turn,
    /// Something is due; as many attempts run as this destination allows.
    Full,
    /// Something is due; waits at a gate.
    AtGate,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn<G> {
    /// Nothing more was due.
    Empty,
    /// As many were begun as the turn allowed; more may be due.
    More,
    /// Something is due, and this gate is closed.
    Blocked(G),
}

impl<K, G> Default for Dispatcher<K, G> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            waiting: HashMap::new(),
            opened: HashSet::new(),
        }
    }
}

impl<G> Lane<G> {
    fn is_idle(&self) -> bool {
        self.running == 0 && self.stage == Stage::Parked
    }
}

impl<K: Copy + Eq + Hash, G: Copy + Eq + Hash> Dispatcher<K, G> {
    /// A delivery of this destination may be due. Whether there is a turn to take because of it.
    pub fn notify(&mut self, key: K) -> bool {
        let parked = Lane { running: 0, stage: Stage::Parked, is_noticed: false, through: None };
        let lane = self.lanes.entry(key).or_insert(parked);
        match lane.stage {
            Stage::Parked => {
                lane.stage = Stage::Ready;
                self.ready.push_back(key);
                true
            }
            Stage::Turn => {
                lane.is_noticed = true;
                false
            }
            Stage::Ready | Stage::Full | Stage::AtGate => false,
        }
    }

    /// The next turn: whose it is, and how many attempts may begin. `limit` gives the bound of
    /// attempts at once of a destination, and zero when it is gone or pauses: then the destination
    /// needs another notice.
    pub fn next(&mut self, limit: impl Fn(K) -> u32) -> Option<(K, u32)> {
        while let Some(key) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            let limit = limit(key);
            let free = (i64::from(limit) - lane.running).clamp(0, TURN_MAX.into()) as u32;
            if free > 0 {
                lane.stage = Stage::Turn;
                lane.is_noticed = false;
                self.opened.clear();
                return Some((key, free));
            }
            lane.stage = if limit == 0 { Stage::Parked } else { Stage::Full };
            let through = lane.through.take();
            self.forget_idle(key);
            through.into_iter().for_each(|gate| self.open(gate));
        }
        None
    }

    /// Ends a turn in which `begun` attempts began.
    pub fn served(&mut self, key: K, begun: u32, turn: Turn<G>) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.running += i64::from(begun);
        let through = lane.through.take();
        match turn {
            Turn::Empty if !lane.is_noticed => lane.stage = Stage::Parked,
            Turn::Blocked(gate) if !self.opened.contains(&gate) => {
                lane.stage = Stage::AtGate;
                let queue = self.waiting.entry(gate).or_default();
                // One that came through for nothing keeps its place: it has waited longest.
                match begun == 0 && through == Some(gate) {
                    true => queue.push_front(key),
                    false => queue.push_back(key),
                }
            }
            Turn::Empty | Turn::More | Turn::Blocked(_) => {
                lane.stage = Stage::Ready;
                self.ready.push_back(key);
            }
        }
        self.forget_idle(key);
        match (through, turn) {
            // Still closed: the one behind would find it so as well.
            (Some(through), Turn::Blocked(gate)) if through == gate => {}
            (Some(through), _) => self.open(through),
            (None, _) => {}
        }
    }

    /// An attempt of this destination ended, and with it its share of these gates.
    pub fn ended(&mut self, key: K, gates: &[G]) {
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.running -= 1;
            if lane.stage == Stage::Full {
                lane.stage = Stage::Ready;
                self.ready.push_back(key);
            }
        }
        self.forget_idle(key);
        for gate in gates {
            self.opened.insert(*gate);
            self.open(*gate);
        }
    }

    /// Lets the destination through that has waited longest at a gate.
    fn open(&mut self, gate: G) {
        let Some(queue) = self.waiting.get_mut(&gate) else { return };
        if let Some(key) = queue.pop_front()
            && let Some(lane) = self.lanes.get_mut(&key)
        {
            lane.stage = Stage::Ready;
            lane.through = Some(gate);
            self.ready.push_back(key);
        }
        if queue.is_empty() {
            self.waiting.remove(&gate);
        }
    }

    /// Attempts of one destination that run.
    pub fn running(&self, key: K) -> u32 {
        self.lanes.get(&key).map_or(0, |lane| lane.running.max(0) as u32)
    }

    /// Whether nothing is due, as far as is known, and no attempt runs.
    pub fn is_idle(&self) -> bool {
        self.lanes.is_empty()
    }

    fn forget_idle(&mut self, key: K) {
        if self.lanes.get(&key).is_some_and(Lane::is_idle) {
            self.lanes.remove(&key);
        }
    }
}
