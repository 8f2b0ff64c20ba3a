//! The fair scheduler: which tenant's message is received next.
//!
//! Messages with a group on a standard queue are held in the log and listed here, by tenant. Quiet
//! tenants take turns. A tenant is noisy while it has many messages in flight, both absolutely and
//! as a share of all; noisy tenants get what quiet ones leave, the one with the fewest first.
//!
//! A tenant with waiting messages is either in `turns` or in `parked`. It is parked when its turn
//! comes and it is noisy, and unparked when it no longer is: the parked tenant with the fewest in
//! flight is the first to become quiet, so only that one has to be looked at.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use trunkline_types::Limits;

use super::types::SlotRef;

/// The visible and leased messages with a group of one queue. Plain data, for one thread at a time.
#[derive(Debug, Default)]
pub struct FairScheduler {
    names: HashMap<Arc<str>, u32>,
    tenants: Vec<Tenant>,
    /// Entries of `tenants` that are free.
    free: Vec<u32>,
    turns: VecDeque<u32>,
    /// `(in flight, tenant)`, fewest first.
    parked: BTreeSet<(u32, u32)>,
    in_flight: HashMap<SlotRef, u32>,
    waiting: usize,
}

#[derive(Debug)]
struct Tenant {
    name: Arc<str>,
    waiting: VecDeque<SlotRef>,
    in_flight: u32,
    line: Line,
}

/// Where a tenant waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Nowhere,
    Turns,
    Parked,
}

impl FairScheduler {
    /// How many messages wait here, those included that were deleted while they waited.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many tenants are known: those with messages waiting or in flight.
    pub fn tenants(&self) -> usize {
        self.names.len()
    }

    /// A message of `tenant` is visible from now on.
    pub fn push(&mut self, tenant: &str, place: SlotRef) {
        let index = self.index_of(tenant);
        self.wait(index, place);
    }

    /// The message to receive next. It counts as in flight from here on: report `gone` if it cannot
    /// be claimed any more, and `released` if it becomes visible again.
    pub fn next(&mut self, total_in_flight: u32, limits: &Limits) -> Option<SlotRef> {
        self.next_quiet(total_in_flight, limits).or_else(|| {
            let (_, index) = self.parked.pop_first()?;
            self.tenants[index as usize].line = Line::Nowhere;
            self.take(index)
        })
    }

    /// The same, but only of a quiet tenant.
    pub fn next_quiet(&mut self, total_in_flight: u32, limits: &Limits) -> Option<SlotRef> {
        self.unpark(total_in_flight, limits);
        let index = self.quiet_turn(total_in_flight, limits)?;
        self.take(index)
    }

    fn take(&mut self, index: u32) -> Option<SlotRef> {
        let tenant = &mut self.tenants[index as usize];
        let place = tenant.waiting.pop_front()?;
        self.waiting -= 1;
        tenant.in_flight += 1;
        self.in_flight.insert(place, index);
        if !tenant.waiting.is_empty() {
            // Whether it has become noisy is seen when its turn comes.
            tenant.line = Line::Turns;
            self.turns.push_back(index);
        }
        Some(place)
    }

    /// A message of `tenant` is in flight although it was not taken from here: recovered so.
    pub fn leased(&mut self, tenant: &str, place: SlotRef) {
        let index = self.index_of(tenant);
        if self.in_flight.insert(place, index).is_none() {
            self.change_in_flight(index, 1);
        }
    }

    /// A message in flight is visible again, behind the others of its tenant. False: it is not
    /// known to be in flight, and has to be pushed with its tenant's name.
    pub fn released(&mut self, place: SlotRef) -> bool {
        let Some(index) = self.in_flight.remove(&place) else { return false };
        self.wait(index, place);
        self.change_in_flight(index, -1);
        true
    }

    /// A message is deleted or moved away. One that waits is not searched for: `next` will yield
    /// it, and claiming it will fail.
    pub fn gone(&mut self, place: SlotRef) {
        if let Some(index) = self.in_flight.remove(&place) {
            self.change_in_flight(index, -1);
        }
    }

    fn index_of(&mut self, name: &str) -> u32 {
        if let Some(index) = self.names.get(name) {
            return *index;
        }
        let name: Arc<str> = name.into();
        let tenant = Tenant {
            name: Arc::clone(&name),
            waiting: VecDeque::new(),
            in_flight: 0,
            line: Line::Nowhere,
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.tenants[index as usize] = tenant;
                index
            }
            None => {
                self.tenants.push(tenant);
                self.tenants.len() as u32 - 1
            }
        };
        self.names.insert(name, index);
        index
    }

    fn wait(&mut self, index: u32, place: SlotRef) {
        let tenant = &mut self.tenants[index as usize];
        tenant.waiting.push_back(place);
        self.waiting += 1;
        if tenant.line == Line::Nowhere {
            tenant.line = Line::Turns;
            self.turns.push_back(index);
        }
    }

    fn change_in_flight(&mut self, index: u32, by: i32) {
        let tenant = &mut self.tenants[index as usize];
        let before = tenant.in_flight;
        tenant.in_flight = before.saturating_add_signed(by);
        if tenant.line == Line::Parked {
            self.parked.remove(&(before, index));
            self.parked.insert((tenant.in_flight, index));
        }
        self.forget_if_empty(index);
    }

    fn forget_if_empty(&mut self, index: u32) {
        let tenant = &mut self.tenants[index as usize];
        if tenant.in_flight == 0 && tenant.waiting.is_empty() {
            self.names.remove(&tenant.name);
            tenant.waiting = VecDeque::new();
            self.free.push(index);
        }
    }

    /// The next tenant that is quiet; noisy ones on the way are parked.
    fn quiet_turn(&mut self, total: u32, limits: &Limits) -> Option<u32> {
        while let Some(index) = self.turns.pop_front() {
            let tenant = &mut self.tenants[index as usize];
            if !is_noisy(tenant.in_flight, total, limits) {
                tenant.line = Line::Nowhere;
                return Some(index);
            }
            tenant.line = Line::Parked;
            self.parked.insert((tenant.in_flight, index));
        }
        None
    }

    fn unpark(&mut self, total: u32, limits: &Limits) {
        while let Some((in_flight, index)) = self.parked.first().copied() {
            if is_noisy(in_flight, total, limits) {
                return;
            }
            self.parked.pop_first();
            self.tenants[index as usize].line = Line::Turns;
            self.turns.push_back(index);
        }
    }
}

fn is_noisy(in_flight: u32, total: u32, limits: &Limits) -> bool {
    let share =
        u64::from(in_flight) * 100 > u64::from(total) * u64::from(limits.noisy_share_percent);
    share && in_flight >= limits.noisy_in_flight_min
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn place(slot: u32) -> SlotRef {
        SlotRef { slot, generation: 1 }
    }

    fn drain(scheduler: &mut FairScheduler, mut total: u32, count: usize) -> Vec<u32> {
        let limits = Limits::default();
        let next = std::iter::from_fn(|| {
            let place = scheduler.next(total, &limits)?;
            total += 1;
            Some(place.slot)
        });
        next.take(count).collect()
    }

    #[test]
    fn quiet_tenants_take_turns_and_each_keeps_its_order() {
        let mut scheduler = FairScheduler::default();
        for slot in [10, 11, 12] {
            scheduler.push("a", place(slot));
        }
        scheduler.push("b", place(20));
        scheduler.push("c", place(30));
        scheduler.push("c", place(31));
        assert_eq!(drain(&mut scheduler, 0, 9), [10, 20, 30, 11, 31, 12]);
        assert_eq!(scheduler.waiting(), 0);
    }

    #[test]
    fn a_noisy_tenant_gets_what_quiet_ones_leave() {
        let mut scheduler = FairScheduler::default();
        for slot in 0..40 {
            scheduler.push("noisy", place(slot));
        }
        assert_eq!(drain(&mut scheduler, 0, 35).len(), 35);
        for slot in 100..103 {
            scheduler.push("quiet", place(slot));
        }
        assert_eq!(drain(&mut scheduler, 35, 5), [100, 101, 102, 35, 36]);
    }

    #[test]
    fn of_noisy_tenants_the_one_with_fewest_in_flight_is_first() {
        let mut scheduler = FairScheduler::default();
        for slot in 0..50 {
            scheduler.leased("louder", place(slot));
        }
        for slot in 100..140 {
            scheduler.leased("loud", place(slot));
        }
        scheduler.push("louder", place(50));
        scheduler.push("loud", place(140));
        scheduler.push("loud", place(141));
        assert_eq!(drain(&mut scheduler, 90, 3), [140, 141, 50]);
    }

    #[test]
    fn a_tenant_is_quiet_again_when_its_share_falls() {
        let mut scheduler = FairScheduler::default();
        for slot in 0..40 {
            scheduler.leased("a", place(slot));
        }
        scheduler.push("a", place(40));
        for slot in 200..240 {
            scheduler.push("b", place(slot));
        }
        assert_eq!(drain(&mut scheduler, 40, 1), [200]);
        for slot in 0..20 {
            scheduler.gone(place(slot));
        }
        // Twenty in flight: quiet by the absolute bound, so it has its turn.
        assert_eq!(drain(&mut scheduler, 21, 2), [201, 40]);
    }

    #[test]
    fn many_in_flight_are_not_noisy_in_a_large_crowd() {
        let mut scheduler = FairScheduler::default();
        for slot in 0..40 {
            scheduler.leased("a", place(slot));
        }
        scheduler.push("a", place(40));
        scheduler.push("b", place(50));
        assert_eq!(drain(&mut scheduler, 400, 1), [40]);
    }

    #[test]
    fn a_released_message_waits_again_behind_its_tenants_others() {
        let mut scheduler = FairScheduler::default();
        scheduler.push("a", place(1));
        scheduler.push("a", place(2));
        assert_eq!(drain(&mut scheduler, 0, 1), [1]);
        assert!(scheduler.released(place(1)));
        assert!(!scheduler.released(place(1)));
        assert_eq!(drain(&mut scheduler, 0, 9), [2, 1]);
    }

    #[test]
    fn a_tenant_without_messages_is_forgotten() {
        let mut scheduler = FairScheduler::default();
        for round in 0..1_000 {
            let name = format!("tenant {round}");
            scheduler.push(&name, place(round));
            assert_eq!(drain(&mut scheduler, 0, 1), [round]);
            scheduler.gone(place(round));
        }
        assert_eq!((scheduler.tenants(), scheduler.tenants.len()), (0, 1));
        assert!(
            scheduler.turns.is_empty()
                && scheduler.parked.is_empty()
                && scheduler.in_flight.is_empty()
        );
    }
}
