//! Deliveries that were given up and that no dead-letter queue took: kept as records, the newest of
//! each destination, so that none vanishes without a trace.

use std::collections::{BTreeMap, HashMap};

use trunkline_delivery::GiveUp;
use trunkline_host::{Append, Encode, Location, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result, Seq};

/// The records of the outbox.
pub(super) const FAILED: u8 = 36;
pub(super) const FORGOTTEN: u8 = 37;

/// Failures that are kept of one destination; the oldest are forgotten first.
pub(super) const FAILURES_MAX: usize = 100;
/// Longest description of a failure, in bytes.
const WHY_MAX: usize = 1_024;

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDelivery {
    /// The destination.
    pub destination: ResourceId,
    /// The delivery's number there.
    pub seq: Seq,
    /// When it was accepted.
    pub accepted: Millis,
    /// When it was given up.
    pub at: Millis,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: GiveUp,
    /// How the last attempt ended, for a person.
    pub why: String,
}

/// One failure is no more: its destination is gone, the delivery succeeded after all, or newer
/// failures took its place.
struct Forgotten {
    destination: ResourceId,
    seq: Seq,
}

impl FailedDelivery {
    fn decode(mut take: Take<'_>) -> Result<Self> {
        let (destination, seq) = (ResourceId(take.u32()?), take.u64()?);
        let (accepted, at, attempts) = (take.u64()?, take.u64()?, take.u32()?);
        let reason = match take.u8()? {
            0 => GiveUp::Attempts,
            1 => GiveUp::Age,
            2 => GiveUp::Refused,
            _ => return Err(damaged("a reason this version does not know")),
        };
        let why = take.text()?.to_owned();
        Ok(Self { destination, seq, accepted, at, attempts, reason, why })
    }
}

impl Encode for FailedDelivery {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(FAILED);
        out.put_u32(self.destination.0);
        for number in [self.seq, self.accepted, self.at] {
            out.put_u64(number);
        }
        out.put_u32(self.attempts);
        out.put_u8(match self.reason {
            GiveUp::Attempts => 0,
            GiveUp::Age => 1,
            GiveUp::Refused => 2,
        });
        out.put_bytes(cut(&self.why).as_bytes());
    }
}

impl Encode for Forgotten {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(FORGOTTEN);
        out.put_u32(self.destination.0);
        out.put_u64(self.seq);
    }
}

/// The beginning of a text, cut between two characters.
fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(WHY_MAX)).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// The failures of all destinations. The live verbs and replay change it through the same methods.
#[derive(Default)]
pub(super) struct Failures {
    of: HashMap<ResourceId, BTreeMap<Seq, Kept>>,
}

struct Kept {
    failed: FailedDelivery,
    location: Option<Location>,
}

impl Failures {
    /// Applies one record that lies at `at`.
    pub fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let mut take = Take(record);
        match take.u8()? {
            FAILED => {
                let failed = FailedDelivery::decode(take)?;
                self.insert(Kept { failed, location: Some(at) });
            }
            FORGOTTEN => {
                let (destination, seq) = (ResourceId(take.u32()?), take.u64()?);
                self.take(destination, seq);
            }
            _ => return Err(damaged("a kind this version does not know")),
        }
        Ok(())
    }

    /// Records a failure; one that was recorded for the same delivery before is replaced.
    pub fn record(&mut self, log: &mut Append<'_>, failed: FailedDelivery) {
        let destination = failed.destination;
        let old = self.of.get(&destination).and_then(|of| of.get(&failed.seq));
        let location = log.append_live(&failed, old.and_then(|kept| kept.location));
        self.insert(Kept { failed, location });
        while let Some(oldest) = self.oldest_above(destination, FAILURES_MAX) {
            self.forget(log, destination, oldest);
        }
    }

    /// Forgets a failure, if it is there.
    pub fn forget(&mut self, log: &mut Append<'_>, destination: ResourceId, seq: Seq) {
        if let Some(kept) = self.take(destination, seq) {
            log.append(&Forgotten { destination, seq });
            kept.location.into_iter().for_each(|location| log.release(location));
        }
    }

    /// Forgets every failure of a destination.
    pub fn forget_all(&mut self, log: &mut Append<'_>, destination: ResourceId) {
        let numbers: Vec<Seq> =
            self.of.get(&destination).map(|of| of.keys().copied().collect()).unwrap_or_default();
        numbers.into_iter().for_each(|seq| self.forget(log, destination, seq));
    }

    /// Whether a failure of this delivery is recorded.
    pub fn contains(&self, destination: ResourceId, seq: Seq) -> bool {
        self.of.get(&destination).is_some_and(|of| of.contains_key(&seq))
    }

    /// The failures of a destination, oldest first.
    pub fn list(&self, destination: ResourceId) -> Vec<FailedDelivery> {
        let of = self.of.get(&destination).into_iter().flatten();
        of.map(|(_, kept)| kept.failed.clone()).collect()
    }

    /// The destinations that have failures.
    pub fn destinations(&self) -> Vec<ResourceId> {
        let mut ids: Vec<_> = self.of.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The failures of a destination and where they lie in the journal.
    pub fn stored(&self, destination: ResourceId) -> Vec<(Location, FailedDelivery)> {
        let of = self.of.get(&destination).into_iter().flatten();
        of.filter_map(|(_, kept)| Some((kept.location?, kept.failed.clone()))).collect()
    }

    /// Where the failures lie in the journal.
    pub fn locations(&self) -> impl Iterator<Item = Location> {
        self.of.values().flatten().filter_map(|(_, kept)| kept.location)
    }

    /// Appends again up to `max` failures that lie in `segment`; how many.
    pub fn relocate(&mut self, log: &mut Append<'_>, segment: u32, max: usize) -> usize {
        let there = |kept: &&mut Kept| kept.location.is_some_and(|at| at.segment() == segment);
        let mut count = 0;
        for kept in self.of.values_mut().flat_map(BTreeMap::values_mut).filter(there).take(max) {
            kept.location = log.append_live(&kept.failed, kept.location);
            count += 1;
        }
        count
    }

    fn insert(&mut self, kept: Kept) {
        self.of.entry(kept.failed.destination).or_default().insert(kept.failed.seq, kept);
    }

    fn take(&mut self, destination: ResourceId, seq: Seq) -> Option<Kept> {
        let of = self.of.get_mut(&destination)?;
        let kept = of.remove(&seq);
        if of.is_empty() {
            self.of.remove(&destination);
        }
        kept
    }

    fn oldest_above(&self, destination: ResourceId, max: usize) -> Option<Seq> {
        let of = self.of.get(&destination).filter(|of| of.len() > max)?;
        of.first_key_value().map(|(seq, _)| *seq)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_its_bytes_and_a_long_text_is_cut_between_characters() {
        let failed = FailedDelivery {
            destination: ResourceId(3),
            seq: 9,
            accepted: 1,
            at: 2,
            attempts: 4,
            reason: GiveUp::Refused,
            why: "\u{e4}".repeat(WHY_MAX),
        };
        let mut bytes = Vec::new();
        failed.encode(&mut bytes);
        let read = FailedDelivery::decode(Take(&bytes[1..])).unwrap();
        assert_eq!(read.why, "\u{e4}".repeat(WHY_MAX / 2));
        assert_eq!(FailedDelivery { why: String::new(), ..read }.seq, 9);
        for length in 1..bytes.len() {
            assert!(FailedDelivery::decode(Take(&bytes[1..length])).is_err());
        }
    }
}
