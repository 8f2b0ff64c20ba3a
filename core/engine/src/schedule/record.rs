//! The records of schedules. Each holds the whole of what it is about, so the last one counts.

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, ResourceKind, ResourceName, Result};

use super::SCHEDULE;
use super::config::ScheduleConfig;

pub(super) const DEFINED: u8 = 44;
pub(super) const ADVANCED: u8 = 45;
pub(super) const REMOVED: u8 = 46;

/// How far a schedule has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every occurrence up to this moment is decided upon.
    pub through: Millis,
    /// How many were delivered to the target.
    pub delivered: u64,
    /// How many the target did not take.
    pub failed: u64,
    /// How many were missed while the engine was closed or the machine slept.
    pub missed: u64,
}

impl Progress {
    /// How many occurrences were decided upon.
    pub(super) fn decided(&self) -> u64 {
        self.delivered + self.failed + self.missed
    }
}

/// A definition as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredDefinition {
    pub config: ScheduleConfig,
    /// What a rate without a start counts from.
    pub anchor: Millis,
    pub created: Millis,
    pub modified: Millis,
}

/// One fact about a schedule.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// It is defined like this and has come so far.
    Defined {
        id: ResourceId,
        name: &'a ResourceName,
        definition: &'a StoredDefinition,
        progress: Progress,
    },
    /// It has come so far.
    Advanced { id: ResourceId, progress: Progress },
    /// It is gone.
    Removed { id: ResourceId },
}

/// A record that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Defined(ResourceId, ResourceName, Box<StoredDefinition>, Progress),
    Advanced(ResourceId, Progress),
    Removed(ResourceId),
}

/// The bytes of [`Record::Advanced`].
pub(super) const ADVANCED_BYTES: usize = 1 + 4 + 4 * 8;

const HAS_START: u8 = 1;
const HAS_END: u8 = 2;
const HAS_WINDOW: u8 = 4;
const HAS_GROUP: u8 = 8;
const HAS_INPUT: u8 = 16;
const HAS_DEAD_LETTER: u8 = 32;
const ENABLED: u8 = 64;
const DELETE_AFTER_COMPLETION: u8 = 128;

/// Kinds that a target may have.
const KINDS: [ResourceKind; 5] = [
    ResourceKind("queue"),
    ResourceKind("topic"),
    ResourceKind("bus"),
    ResourceKind("stream"),
    ResourceKind("machine"),
];

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Defined { id, name, definition, progress } => {
                out.put_u8(DEFINED);
                out.put_u32(id.0);
                put_progress(out, progress);
                for text in [&name.account, &name.region, &name.name] {
                    out.put_bytes(text.as_bytes());
                }
                put_definition(out, definition);
            }
            Self::Advanced { id, progress } => {
                out.put_u8(ADVANCED);
                out.put_u32(id.0);
                put_progress(out, progress);
            }
            Self::Removed { id } => {
                out.put_u8(REMOVED);
                out.put_u32(id.0);
            }
        }
    }
}

impl Stored {
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        match kind {
            DEFINED => {
                let progress = take_progress(&mut take)?;
                let (account, region) = (take.text()?.to_owned(), take.text()?.to_owned());
                let name = ResourceName::new(SCHEDULE, account, region, take.text()?);
                let definition = take_definition(&mut take)?;
                Ok(Self::Defined(id, name, Box::new(definition), progress))
            }
            ADVANCED => Ok(Self::Advanced(id, take_progress(&mut take)?)),
            REMOVED => Ok(Self::Removed(id)),
            _ => Err(damaged("a kind this version does not know")),
        }
    }
}

fn put_progress(out: &mut Vec<u8>, progress: Progress) {
    for number in [progress.through, progress.delivered, progress.failed, progress.missed] {
        out.put_u64(number);
    }
}

fn take_progress(take: &mut Take<'_>) -> Result<Progress> {
    let (through, delivered) = (take.u64()?, take.u64()?);
    Ok(Progress { through, delivered, failed: take.u64()?, missed: take.u64()? })
}

fn put_definition(out: &mut Vec<u8>, definition: &StoredDefinition) {
    let config = &definition.config;
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.put_u8(
        flag(config.start.is_some(), HAS_START)
            | flag(config.end.is_some(), HAS_END)
            | flag(config.window.is_some(), HAS_WINDOW)
            | flag(config.group.is_some(), HAS_GROUP)
            | flag(config.input.is_some(), HAS_INPUT)
            | flag(config.dead_letter.is_some(), HAS_DEAD_LETTER)
            | flag(config.enabled, ENABLED)
            | flag(config.delete_after_completion, DELETE_AFTER_COMPLETION),
    );
    for time in [definition.anchor, definition.created, definition.modified] {
        out.put_u64(time);
    }
    out.put_bytes(config.expression.as_bytes());
    out.put_bytes(config.timezone.as_bytes());
    put_name(out, &config.target);
    for time in [config.start, config.end, config.window].into_iter().flatten() {
        out.put_u64(time);
    }
    for text in [&config.group, &config.input].into_iter().flatten() {
        out.put_bytes(text.as_bytes());
    }
    config.dead_letter.iter().for_each(|name| put_name(out, name));
    out.extend_from_slice(&config.document);
}

fn take_definition(take: &mut Take<'_>) -> Result<StoredDefinition> {
    let flags = take.u8()?;
    let has = |flag: u8| flags & flag != 0;
    let (anchor, created, modified) = (take.u64()?, take.u64()?, take.u64()?);
    let (expression, timezone) = (take.text()?.to_owned(), take.text()?.to_owned());
    let target = take_name(take)?;
    let start = has(HAS_START).then(|| take.u64()).transpose()?;
    let end = has(HAS_END).then(|| take.u64()).transpose()?;
    let window = has(HAS_WINDOW).then(|| take.u64()).transpose()?;
    let group = has(HAS_GROUP).then(|| take.text().map(str::to_owned)).transpose()?;
    let input = has(HAS_INPUT).then(|| take.text().map(str::to_owned)).transpose()?;
    let dead_letter = has(HAS_DEAD_LETTER).then(|| take_name(take)).transpose()?;
    let config = ScheduleConfig {
        expression,
        timezone,
        start,
        end,
        // A window of nothing is none: the moment in it is a remainder.
        window: window.filter(|window| *window > 0),
        target,
        group,
        input,
        dead_letter,
        enabled: has(ENABLED),
        delete_after_completion: has(DELETE_AFTER_COMPLETION),
        document: take.0.to_vec(),
    };
    Ok(StoredDefinition { config, anchor, created, modified })
}

fn put_name(out: &mut Vec<u8>, name: &ResourceName) {
    for text in [name.kind.0, &name.account, &name.region, &name.name] {
        out.put_bytes(text.as_bytes());
    }
}

fn take_name(take: &mut Take<'_>) -> Result<ResourceName> {
    let text = take.text()?;
    let kind = KINDS.into_iter().find(|kind| kind.0 == text);
    let kind = kind.ok_or_else(|| damaged("a kind of target this version does not know"))?;
    let (account, region) = (take.text()?.to_owned(), take.text()?.to_owned());
    Ok(ResourceName::new(kind, account, region, take.text()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn definition(is_full: bool) -> StoredDefinition {
        let name = |name: &str| ResourceName::local(ResourceKind("queue"), name);
        let plain = ScheduleConfig::new("rate(1 hour)", name("q"));
        let config = match is_full {
            false => ScheduleConfig { enabled: false, ..plain },
            true => ScheduleConfig {
                start: Some(1),
                end: Some(2),
                window: Some(60_000),
                group: Some("g".to_owned()),
                input: Some("hello".to_owned()),
                dead_letter: Some(name("dead")),
                delete_after_completion: true,
                document: b"{}".to_vec(),
                ..plain
            },
        };
        StoredDefinition { config, anchor: 3, created: 4, modified: 5 }
    }

    #[test]
    fn records_survive_their_bytes_and_cut_bytes_never_panic() {
        let (id, name) = (ResourceId(7), ResourceName::local(SCHEDULE, "default/nightly"));
        let progress = Progress { through: 9, delivered: 8, failed: 7, missed: 6 };
        for is_full in [false, true] {
            let definition = definition(is_full);
            let mut bytes = Vec::new();
            Record::Defined { id, name: &name, definition: &definition, progress }
                .encode(&mut bytes);
            let stored = Stored::Defined(id, name.clone(), Box::new(definition.clone()), progress);
            assert_eq!(Stored::decode(&bytes).unwrap(), stored);
            let whole = bytes.len() - definition.config.document.len();
            assert!((0..whole).all(|length| Stored::decode(&bytes[..length]).is_err()));
        }
        let mut bytes = Vec::new();
        Record::Advanced { id, progress }.encode(&mut bytes);
        assert_eq!(bytes.len(), ADVANCED_BYTES);
        assert_eq!(Stored::decode(&bytes).unwrap(), Stored::Advanced(id, progress));
    }
}
