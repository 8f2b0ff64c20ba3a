//! The dispatcher against a model: destinations with a backlog, hosts that they share, and a bound
//! over all. Whatever happens in whatever order, nothing that could be sent is left lying.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use proptest::prelude::*;
use trunkline_delivery::{Dispatcher, Turn};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gate {
    Host(usize),
    Total,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Deliveries come in.
    Arrive { destination: usize, count: u32 },
    /// A turn is taken. Before it is over, so many deliveries come in and so many attempts end.
    Turn { meanwhile: u32, ends: usize },
    /// A destination pauses, or goes on.
    Pause { destination: usize },
    /// One of the running attempts ends, and tells whether its host is alive.
    End { which: usize, is_alive: bool },
}

/// What the owner of the dispatcher knows. Destination `d` is at host `d % HOSTS`.
struct World {
    dispatcher: Dispatcher<usize, Gate>,
    due: [u32; DESTINATIONS],
    is_paused: [bool; DESTINATIONS],
    running: Vec<usize>,
    /// A host that fails gets one attempt at a time.
    is_failing: [bool; HOSTS],
    limits: Limits,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    destination: u32,
    host: usize,
    total: usize,
}

const DESTINATIONS: usize = 6;
const HOSTS: usize = 3;

impl World {
    fn new(limits: Limits) -> Self {
        let dispatcher = Dispatcher::default();
        let (due, is_paused) = ([0; DESTINATIONS], [false; DESTINATIONS]);
        let is_failing = [false; HOSTS];
        Self { dispatcher, due, is_paused, running: Vec::new(), is_failing, limits }
    }

    fn at_host(&self, host: usize) -> usize {
        self.running.iter().filter(|destination| **destination % HOSTS == host).count()
    }

    fn closed(&self, destination: usize) -> Option<Gate> {
        let host = destination % HOSTS;
        if self.at_host(host) >= if self.is_failing[host] { 1 } else { self.limits.host } {
            return Some(Gate::Host(host));
        }
        (self.running.len() >= self.limits.total).then_some(Gate::Total)
    }

    fn arrive(&mut self, destination: usize, count: u32) {
        self.due[destination] += count;
        self.dispatcher.notify(destination);
    }

    /// Takes one turn; false when there is none.
    fn turn(&mut self, meanwhile: u32, ends: usize) -> bool {
        let (limit, is_paused) = (self.limits.destination, self.is_paused);
        let limit = |destination: usize| if is_paused[destination] { 0 } else { limit };
        let Some((destination, free)) = self.dispatcher.next(limit) else { return false };
        let (mut begun, mut end) = (0, Turn::More);
        while begun < free {
            if let Some(gate) = self.closed(destination) {
                end = Turn::Blocked(gate);
                break;
            }
            if self.due[destination] == 0 {
                end = Turn::Empty;
                break;
            }
            self.due[destination] -= 1;
            self.running.push(destination);
            begun += 1;
        }
        if meanwhile > 0 {
            self.arrive(destination, meanwhile);
        }
        // Other threads end attempts, those that this turn began as well.
        (0..ends).for_each(|which| {
            self.end(self.running.len().saturating_sub(1 + which), which % 2 == 0);
        });
        self.dispatcher.served(destination, begun, end);
        true
    }

    fn pause(&mut self, destination: usize) {
        self.is_paused[destination] = !self.is_paused[destination];
        self.dispatcher.notify(destination);
    }

    fn end(&mut self, which: usize, is_alive: bool) {
        if self.running.is_empty() {
            return;
        }
        let destination = self.running.swap_remove(which % self.running.len());
        self.is_failing[destination % HOSTS] = !is_alive;
        self.dispatcher.ended(destination, &[Gate::Host(destination % HOSTS), Gate::Total]);
    }

    fn check(&self) {
        let mut running: HashMap<usize, u32> = HashMap::new();
        self.running.iter().for_each(|destination| *running.entry(*destination).or_default() += 1);
        for destination in 0..DESTINATIONS {
            let there = running.get(&destination).copied().unwrap_or(0);
            assert_eq!(self.dispatcher.running(destination), there);
            assert!(there <= self.limits.destination);
        }
        assert!(self.running.len() <= self.limits.total);
        assert!((0..HOSTS).all(|host| self.at_host(host) <= self.limits.host));
    }

    /// With no turn left, nothing is due at a destination that could begin an attempt.
    fn check_nothing_lies(&self) {
        for destination in 0..DESTINATIONS {
            let is_full = self.dispatcher.running(destination) >= self.limits.destination;
            assert!(
                self.due[destination] == 0
                    || self.is_paused[destination]
                    || is_full
                    || self.closed(destination).is_some(),
                "{} deliveries of {destination} are forgotten: {:?}",
                self.due[destination],
                self.dispatcher
            );
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..DESTINATIONS, 0..40u32)
            .prop_map(|(destination, count)| Step::Arrive { destination, count }),
        4 => (0..3u32, 0..6usize).prop_map(|(meanwhile, ends)| Step::Turn {
            meanwhile: meanwhile.saturating_sub(1),
            ends: ends.saturating_sub(2),
        }),
        1 => (0..DESTINATIONS).prop_map(|destination| Step::Pause { destination }),
        4 => (0..64usize, any::<bool>())
            .prop_map(|(which, is_alive)| Step::End { which, is_alive }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn nothing_that_could_be_sent_is_left_lying(
        steps in prop::collection::vec(step(), 0..120),
        destination in 1..20u32,
        host in 1..8usize,
        total in 1..12usize,
    ) {
        let mut world = World::new(Limits { destination, host, total });
        for step in steps {
            match step {
                Step::Arrive { destination, count } => world.arrive(destination, count),
                Step::Turn { meanwhile, ends } => drop(world.turn(meanwhile, ends)),
                Step::Pause { destination } => world.pause(destination),
                Step::End { which, is_alive } => world.end(which, is_alive),
            }
            world.check();
        }
        // From any state, taking every turn leaves nothing that could be sent.
        let mut turns = 0;
        loop {
            while world.turn(0, turns % 3) {
                turns += 1;
                prop_assert!(turns < 100_000, "turns without end");
            }
            world.check_nothing_lies();
            match (world.running.is_empty(), world.is_paused.iter().position(|paused| *paused)) {
                (false, _) => world.end(turns, turns % 4 != 0),
                (true, Some(paused)) => world.pause(paused),
                (true, None) => break,
            }
        }
        prop_assert_eq!(world.due, [0; DESTINATIONS]);
        prop_assert!(world.dispatcher.is_idle());
    }
}

#[test]
fn destinations_take_turns() {
    let mut dispatcher: Dispatcher<u32, ()> = Dispatcher::default();
    assert!(dispatcher.notify(1) && dispatcher.notify(2) && !dispatcher.notify(1));
    for expected in [1, 2, 1, 2] {
        let (key, free) = dispatcher.next(|_| 100).unwrap();
        assert_eq!((key, free), (expected, 16));
        dispatcher.served(key, free, Turn::More);
    }
}

#[test]
fn a_notice_during_a_turn_is_not_lost() {
    let mut dispatcher: Dispatcher<u32, ()> = Dispatcher::default();
    dispatcher.notify(1);
    let (key, _) = dispatcher.next(|_| 1).unwrap();
    dispatcher.notify(key);
    dispatcher.served(key, 0, Turn::Empty);
    assert_eq!(dispatcher.next(|_| 1), Some((1, 1)));
    dispatcher.served(key, 0, Turn::Empty);
    assert!(dispatcher.is_idle());
}

#[test]
fn a_destination_that_pauses_needs_another_notice() {
    let mut dispatcher: Dispatcher<u32, ()> = Dispatcher::default();
    dispatcher.notify(1);
    assert_eq!(dispatcher.next(|_| 0), None);
    assert!(dispatcher.is_idle());
    dispatcher.notify(1);
    assert_eq!(dispatcher.next(|_| 2), Some((1, 2)));
}

#[test]
fn a_host_that_answers_again_is_open_to_all_destinations_that_wait_for_it() {
    let mut dispatcher: Dispatcher<u32, ()> = Dispatcher::default();
    assert!((1..=10).all(|key| dispatcher.notify(key)));
    // The host fails, so one attempt runs and nine destinations wait.
    for key in 1..=10 {
        assert_eq!(dispatcher.next(|_| 1), Some((key, 1)));
        let is_first = key == 1;
        dispatcher.served(
            key,
            u32::from(is_first),
            if is_first { Turn::Empty } else { Turn::Blocked(()) },
        );
    }
    assert_eq!(dispatcher.next(|_| 1), None);
    // It answers: its bound rises to five, and each destination has one delivery.
    dispatcher.ended(1, &[()]);
    for key in 2..=6 {
        assert_eq!(dispatcher.next(|_| 1), Some((key, 1)), "one end lets through all that fit");
        dispatcher.served(key, 1, Turn::Empty);
    }
    assert_eq!(dispatcher.next(|_| 1), Some((7, 1)));
    dispatcher.served(7, 0, Turn::Blocked(()));
    assert_eq!(dispatcher.next(|_| 1), None);
    // The one that came through for nothing is the next.
    dispatcher.ended(2, &[()]);
    assert_eq!(dispatcher.next(|_| 1), Some((7, 1)));
}
