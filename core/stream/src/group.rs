//! The members of a reader at work: who holds the lease of which shard, how far each shard was
//! fetched, and how far it was committed.
//!
//! A shard moves to another member once nothing of it is in flight: everything that its holder
//! fetched is committed. It moves at once when the holder leaves, or lets its lease lapse; what was
//! in flight is then fetched again by the next holder, and a late commit is refused.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_types::Millis;

use crate::reader::{Assignment, MemberId, assign};
use crate::shard_id::ShardId;

/// The state of one reader. Positions are offsets in a shard.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// When the leases of a member lapse unless it shows itself; `None` while it waits for records.
    members: BTreeMap<MemberId, Option<Millis>>,
    leases: BTreeMap<ShardId, Lease>,
    /// Who is to hold which shard, once nothing of it is in flight.
    wanted: Assignment,
    committed: BTreeMap<ShardId, u64>,
    next_member: u64,
    next_lease: u64,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    number: u64,
    member: MemberId,
    fetched: u64,
}

/// Records of one shard that a member fetched, to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The shard.
    pub shard: ShardId,
    /// The number of the lease under which they were fetched.
    pub lease: u64,
    /// The offset behind the last one.
    pub next: u64,
}

/// A shard whose lease another member holds now, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostLease(pub ShardId);

impl Group {
    /// A reader without members that has committed these positions.
    pub fn new(committed: BTreeMap<ShardId, u64>) -> Self {
        Self { committed, ..Self::default() }
    }

    /// The offset of the next record of `shard` that is not committed; 0 at the start.
    pub fn committed(&self, shard: ShardId) -> u64 {
        self.committed.get(&shard).copied().unwrap_or(0)
    }

    /// Adds a member whose leases last until `deadline`. Call [`Group::balance`] then.
    pub fn join(&mut self, deadline: Millis) -> MemberId {
        self.next_member += 1;
        let member = MemberId(self.next_member);
        self.members.insert(member, Some(deadline));
        member
    }

    /// A member shows itself: its leases last until `deadline`, or, without one, for as long as it
    /// waits. True if its leases had lapsed, so that [`Group::balance`] has to follow.
    pub fn renew(&mut self, member: MemberId, deadline: Option<Millis>) -> bool {
        self.members.insert(member, deadline).is_none()
    }

    /// Removes a member; its shards are free at once. Call [`Group::balance`] then.
    pub fn leave(&mut self, member: MemberId) {
        self.members.remove(&member);
        self.leases.retain(|_, lease| lease.member != member);
    }

    /// Removes the members whose leases lapsed; whether there were any.
    pub fn lapse(&mut self, now: Millis) -> bool {
        let lapsed = |deadline: &Option<Millis>| deadline.is_some_and(|deadline| deadline <= now);
        let gone = self.members.iter().filter(|(_, deadline)| lapsed(deadline));
        let gone: Vec<_> = gone.map(|(member, _)| *member).collect();
        gone.iter().for_each(|member| self.leave(*member));
        !gone.is_empty()
    }

    /// When the next member lapses, if none of them shows itself.
    pub fn next_lapse(&self) -> Option<Millis> {
        self.members.values().filter_map(|deadline| *deadline).min()
    }

    /// The members.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// Shares `readable` among the members, and hands over shards without an owner.
    pub fn balance(&mut self, readable: &[ShardId]) {
        let members: BTreeSet<_> = self.members.keys().copied().collect();
        let readable_set: BTreeSet<_> = readable.iter().copied().collect();
        self.leases.retain(|shard, _| readable_set.contains(shard));
        let current = self.leases.iter().map(|(shard, lease)| (*shard, lease.member)).collect();
        self.wanted = assign(readable, &members, &current);
        let shards: Vec<_> = self.wanted.keys().copied().collect();
        shards.into_iter().for_each(|shard| self.hand_over(shard));
    }

    /// Gives the shard to the member that is to hold it, if nothing of it is in flight.
    fn hand_over(&mut self, shard: ShardId) {
        let Some(member) = self.wanted.get(&shard).copied() else { return };
        let committed = self.committed(shard);
        let in_flight = |lease: &Lease| lease.member == member || lease.fetched > committed;
        if self.leases.get(&shard).is_some_and(in_flight) {
            return;
        }
        self.next_lease += 1;
        let lease = Lease { number: self.next_lease, member, fetched: committed };
        self.leases.insert(shard, lease);
    }

    /// The shards that `member` may fetch from, each with its lease and the next offset.
    pub fn fetchable(&self, member: MemberId) -> Vec<Taken> {
        let may = |(shard, lease): &(&ShardId, &Lease)| {
            lease.member == member && self.wanted.get(shard) == Some(&member)
        };
        let taken = |(shard, lease): (&ShardId, &Lease)| Taken {
            shard: *shard,
            lease: lease.number,
            next: lease.fetched,
        };
        self.leases.iter().filter(may).map(taken).collect()
    }

    /// Notes that the holder of a lease has fetched up to `taken.next`.
    pub fn fetched(&mut self, taken: &Taken) {
        if let Some(lease) = self.leases.get_mut(&taken.shard)
            && lease.number == taken.lease
        {
            lease.fetched = lease.fetched.max(taken.next);
        }
    }

    /// The offsets that a commit of `taken` moves forward; refused if one lease of them was lost.
    pub fn decide_commit(&self, taken: &[Taken]) -> Result<Vec<(ShardId, u64)>, LostLease> {
        let mut moved = Vec::new();
        for Taken { shard, lease, next } in taken {
            if self.leases.get(shard).is_none_or(|held| held.number != *lease) {
                return Err(LostLease(*shard));
            }
            if *next > self.committed(*shard) {
                moved.push((*shard, *next));
            }
        }
        Ok(moved)
    }

    /// Carries out a commit. The shard moves on to the member that waits for it, if one does;
    /// returns whether one did.
    pub fn commit(&mut self, shard: ShardId, next: u64) -> bool {
        self.committed.insert(shard, next);
        let number = |this: &Self| this.leases.get(&shard).map(|lease| lease.number);
        let before = number(self);
        self.hand_over(shard);
        number(self) != before
    }

    /// Every position that was set, in the order of the shards.
    pub fn positions(&self) -> impl Iterator<Item = (ShardId, u64)> {
        self.committed.iter().map(|(shard, next)| (*shard, *next))
    }

    /// Forgets the positions of shards that are expired.
    pub fn forget(&mut self, shard: ShardId) {
        self.committed.remove(&shard);
        self.leases.remove(&shard);
        self.wanted.remove(&shard);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHARDS: [ShardId; 4] = [ShardId(0), ShardId(1), ShardId(2), ShardId(3)];

    fn held(group: &Group, member: MemberId) -> Vec<u32> {
        group.fetchable(member).iter().map(|taken| taken.shard.0).collect()
    }

    fn fetch(group: &mut Group, member: MemberId, count: u64) -> Vec<Taken> {
        let taken: Vec<_> = group
            .fetchable(member)
            .into_iter()
            .map(|taken| Taken { next: taken.next + count, ..taken })
            .collect();
        taken.iter().for_each(|taken| group.fetched(taken));
        taken
    }

    #[test]
    fn a_shard_moves_once_nothing_of_it_is_in_flight() {
        let mut group = Group::default();
        let first = group.join(100);
        group.balance(&SHARDS);
        assert_eq!(held(&group, first), [0, 1, 2, 3]);
        let taken = fetch(&mut group, first, 5);
        let second = group.join(100);
        group.balance(&SHARDS);
        assert_eq!((held(&group, first), held(&group, second)), (vec![0, 1], vec![]));
        for (shard, next) in group.decide_commit(&taken).expect("its leases are held") {
            let moves = group.commit(shard, next);
            assert_eq!(moves, shard.0 >= 2);
        }
        assert_eq!(held(&group, second), [2, 3]);
        assert_eq!(group.fetchable(second)[0].next, 5);
        // What was committed once is not committed by the one that lost it.
        assert_eq!(group.decide_commit(&taken), Err(LostLease(ShardId(2))));
    }

    #[test]
    fn what_a_lost_member_had_in_flight_is_fetched_again() {
        let mut group = Group::default();
        let (first, second) = (group.join(100), group.join(200));
        group.balance(&SHARDS);
        let taken = fetch(&mut group, first, 5);
        assert_eq!(group.next_lapse(), Some(100));
        assert!(!group.lapse(99) && group.lapse(100));
        group.balance(&SHARDS);
        assert_eq!(held(&group, second), [0, 1, 2, 3]);
        assert_eq!(group.fetchable(second)[0].next, 0);
        assert_eq!(group.decide_commit(&taken), Err(LostLease(ShardId(0))));
        // It comes back, as a member without shards.
        assert!(group.renew(first, Some(300)) && !group.renew(first, None));
        group.balance(&SHARDS);
        assert_eq!(held(&group, first), [2, 3]);
        assert_eq!(group.next_lapse(), Some(200), "a member that waits does not lapse");
    }

    proptest! {
        /// Every offset is committed by the member that fetched it last, in order and without gaps.
        #[test]
        fn nothing_is_skipped_whatever_members_do(
            steps in prop::collection::vec((0u8..7, 0usize..4, 1u64..4), 1..80),
        ) {
            let mut group = Group::default();
            let mut members: Vec<(MemberId, Vec<Taken>)> = Vec::new();
            let mut fetched: BTreeMap<ShardId, u64> = BTreeMap::new();
            for (what, which, count) in steps {
                let at = which.min(members.len().saturating_sub(1));
                match what {
                    0 => members.push((group.join(u64::MAX), Vec::new())),
                    1 if !members.is_empty() => {
                        let (member, _) = members.remove(at);
                        group.leave(member);
                    }
                    2 | 3 if !members.is_empty() => {
                        let before = group.fetchable(members[at].0);
                        for taken in &before {
                            let seen = fetched.get(&taken.shard).copied().unwrap_or(0);
                            prop_assert!(taken.next <= seen, "a record was skipped");
                            prop_assert!(taken.next >= group.committed(taken.shard));
                        }
                        let taken = fetch(&mut group, members[at].0, count);
                        for taken in &taken {
                            let seen = fetched.entry(taken.shard).or_default();
                            *seen = (*seen).max(taken.next);
                        }
                        members[at].1 = taken;
                    }
                    4 | 5 if !members.is_empty() => {
                        let taken = std::mem::take(&mut members[at].1);
                        if let Ok(moved) = group.decide_commit(&taken) {
                            for (shard, next) in moved {
                                prop_assert!(next > group.committed(shard));
                                group.commit(shard, next);
                            }
                        }
                    }
                    _ => {}
                }
                group.balance(&SHARDS);
                let mut holders: Vec<_> =
                    members.iter().flat_map(|(member, _)| held(&group, *member)).collect();
                holders.sort_unstable();
                let count = holders.len();
                holders.dedup();
                prop_assert_eq!(count, holders.len(), "two members read one shard");
            }
        }
    }
}
