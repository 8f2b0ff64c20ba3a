//! Readers: a named position in a stream whose members share its shards.
//!
//! A shard may be read once its parents were read to their ends, so records of one partition key
//! come in the order in which they were put, whatever was split or merged in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::shard_id::ShardId;
use crate::shards::Shards;

/// A member of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// Which member reads which shard.
pub type Assignment = BTreeMap<ShardId, MemberId>;

/// How far a reader has come: for each shard that it has begun, the offset of the next record.
/// `None` for a shard that was read to its end.
pub type Progress = BTreeMap<ShardId, Option<u64>>;

/// The shards that may be read now, in the order of their ids: those that are not read to their
/// ends, and whose parents are, or are expired.
pub fn readable(shards: &Shards, progress: &Progress) -> Vec<ShardId> {
    let is_done = |id: ShardId| matches!(progress.get(&id), Some(None));
    let is_open = |parent: ShardId| shards.get(parent).is_none() || is_done(parent);
    shards
        .all()
        .filter(|shard| !is_done(shard.id) && shard.parents().all(is_open))
        .map(|shard| shard.id)
        .collect()
}

/// Shares `shards` among `members`: the numbers of shards of two members differ by one at most, and
/// as many shards as possible stay with the member that has them in `current`.
pub fn assign(
    shards: &[ShardId],
    members: &BTreeSet<MemberId>,
    current: &Assignment,
) -> Assignment {
    if members.is_empty() {
        return Assignment::new();
    }
    let wanted: BTreeSet<_> = shards.iter().copied().collect();
    let mut held: BTreeMap<MemberId, Vec<ShardId>> =
        members.iter().map(|member| (*member, Vec::new())).collect();
    for (shard, member) in current {
        if let (true, Some(held)) = (wanted.contains(shard), held.get_mut(member)) {
            held.push(*shard);
        }
    }
    let quotas = quotas(wanted.len(), &held);
    let mut assignment = Assignment::new();
    for (member, held) in &held {
        let kept = held.iter().take(quotas[member]);
        assignment.extend(kept.map(|shard| (*shard, *member)));
    }
    let free = held.iter().flat_map(|(member, held)| {
        std::iter::repeat_n(*member, quotas[member].saturating_sub(held.len()))
    });
    let unassigned: Vec<_> =
        wanted.into_iter().filter(|shard| !assignment.contains_key(shard)).collect();
    // The quotas add up to the number of shards, so every shard finds a member.
    assignment.extend(unassigned.into_iter().zip(free));
    assignment
}

/// How many shards each member gets. Members that hold most now get the larger shares, so that
/// fewer shards move.
fn quotas(shards: usize, held: &BTreeMap<MemberId, Vec<ShardId>>) -> BTreeMap<MemberId, usize> {
    let (share, rest) = (shards / held.len(), shards % held.len());
    let mut by_load: Vec<_> = held.iter().map(|(member, held)| (*member, held.len())).collect();
    by_load.sort_by_key(|(member, load)| (std::cmp::Reverse(*load), *member));
    let quota = |index: usize| share + usize::from(index < rest);
    by_load.into_iter().enumerate().map(|(index, (member, _))| (member, quota(index))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::HashKey;

    #[test]
    fn parents_are_read_before_their_children() {
        let mut shards = Shards::create(2, 0);
        let split = shards.decide_split(ShardId(0), HashKey(1 << 100), 10).expect("inside");
        shards.apply(&split);
        let merge = shards.decide_merge(ShardId(3), ShardId(1), 20).expect("neighbours");
        shards.apply(&merge);
        let mut progress = Progress::new();
        let ids = |progress: &Progress| -> Vec<u32> {
            readable(&shards, progress).into_iter().map(|id| id.0).collect()
        };
        assert_eq!(ids(&progress), [0, 1]);
        progress.insert(ShardId(0), Some(7));
        progress.insert(ShardId(1), None);
        assert_eq!(ids(&progress), [0], "one parent of the merge is not done");
        progress.insert(ShardId(0), None);
        assert_eq!(ids(&progress), [2, 3]);
        progress.insert(ShardId(3), None);
        assert_eq!(ids(&progress), [2, 4]);
    }

    #[test]
    fn an_expired_parent_holds_no_child_up() {
        let mut shards = Shards::create(1, 0);
        shards.apply(&shards.decide_split(ShardId(0), HashKey(1 << 100), 10).expect("inside"));
        shards.expire(|closed| closed < 11);
        assert_eq!(readable(&shards, &Progress::new()), [ShardId(1), ShardId(2)]);
    }

    fn spread(assignment: &Assignment, members: &BTreeSet<MemberId>) -> (usize, usize) {
        let count = |id: &MemberId| assignment.values().filter(|member| *member == id).count();
        let counts = members.iter().map(count);
        (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
    }

    proptest! {
        #[test]
        fn shards_are_shared_evenly_and_stay_where_they_are(
            steps in prop::collection::vec(
                (0u32..30, prop::collection::btree_set(0u64..8, 0..6)),
                1..6,
            ),
        ) {
            let mut current = Assignment::new();
            for (count, members) in steps {
                let shards: Vec<_> = (0..count).map(ShardId).collect();
                let members: BTreeSet<_> = members.into_iter().map(MemberId).collect();
                let next = assign(&shards, &members, &current);
                if members.is_empty() {
                    prop_assert!(next.is_empty());
                    continue;
                }
                prop_assert!(next.keys().eq(&shards));
                let (least, most) = spread(&next, &members);
                prop_assert!(most - least <= 1);
                // Assigning again changes nothing.
                prop_assert_eq!(&assign(&shards, &members, &next), &next);
                current = next;
            }
        }
    }

    #[test]
    fn a_member_that_joins_takes_only_its_share() {
        let shards: Vec<_> = (0..6).map(ShardId).collect();
        let two = BTreeSet::from([MemberId(1), MemberId(2)]);
        let before = assign(&shards, &two, &Assignment::new());
        let three = BTreeSet::from([MemberId(1), MemberId(2), MemberId(3)]);
        let after = assign(&shards, &three, &before);
        let moved = after.iter().filter(|(shard, member)| before[shard] != **member).count();
        assert_eq!(moved, 2);
    }
}
