//! The records of event buses. Each says the whole state of one thing, or that it is gone, so an
//! older copy before a newer one does no harm. Their first bytes are 52 to 55; `docs/format.md` has
//! the layout.

use std::ops::RangeInclusive;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result};

use super::target::TargetDefinition;

const BUS: u8 = 52;
const RULE: u8 = 53;
const ARCHIVE: u8 = 54;
const REPLAY: u8 = 55;

/// The first bytes of the records of buses.
pub(super) const KINDS: RangeInclusive<u8> = BUS..=REPLAY;

/// Something that records describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Bus,
    Rule,
    Archive,
    Replay,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record<'a> {
    Bus(BusRecord<'a>),
    Rule(RuleRecord<'a>),
    Archive(ArchiveRecord<'a>),
    Replay(ReplayRecord<'a>),
    /// It is gone, with everything that belonged to it.
    Gone(Subject, ResourceId),
}

/// A bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BusRecord<'a> {
    pub id: ResourceId,
    pub account: &'a str,
    pub region: &'a str,
    pub name: &'a str,
    pub created: Millis,
    /// What the surfaces keep with the bus; the engine does not read it.
    pub document: &'a [u8],
}

/// A rule with its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleRecord<'a> {
    pub id: ResourceId,
    pub bus: ResourceId,
    pub name: &'a str,
    pub pattern: &'a str,
    pub is_enabled: bool,
    pub targets: Vec<TargetDefinition>,
    pub document: &'a [u8],
}

/// An archive. Its events are in a retained log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArchiveRecord<'a> {
    pub id: ResourceId,
    pub bus: ResourceId,
    pub log: ResourceId,
    pub name: &'a str,
    /// `None` takes every event.
    pub pattern: Option<&'a str>,
    pub retention: Option<Millis>,
    pub created: Millis,
    pub document: &'a [u8],
}

/// Where a replay stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReplayRecord<'a> {
    pub id: ResourceId,
    pub archive: ResourceId,
    pub name: &'a str,
    pub start: Millis,
    pub end: Millis,
    /// The rules it goes to, by id; `None` for all.
    pub rules: Option<Vec<ResourceId>>,
    pub state: u8,
    /// The sequence number of the next event in the log of the archive; 0 before the first.
    pub next: u64,
    pub replayed: u64,
    pub started: Millis,
    /// When it ended; 0 while it runs.
    pub ended: Millis,
    pub failure: &'a str,
    /// The time of the last event that was put; 0 before the first.
    pub last_event: Millis,
}

fn put_head(out: &mut Vec<u8>, kind: u8, id: ResourceId, is_there: bool) {
    out.put_u8(kind);
    out.put_u32(id.0);
    out.put_u8(u8::from(is_there));
}

fn put_texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.put_bytes(text.as_bytes()));
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bus(bus) => {
                put_head(out, BUS, bus.id, true);
                put_texts(out, &[bus.account, bus.region, bus.name]);
                out.put_u64(bus.created);
                out.extend_from_slice(bus.document);
            }
            Self::Rule(rule) => {
                put_head(out, RULE, rule.id, true);
                out.put_u32(rule.bus.0);
                put_texts(out, &[rule.name, rule.pattern]);
                out.put_u8(u8::from(rule.is_enabled));
                out.put_u32(rule.targets.len() as u32);
                rule.targets.iter().for_each(|target| target.put(out));
                out.extend_from_slice(rule.document);
            }
            Self::Archive(archive) => archive.put(out),
            Self::Replay(replay) => replay.put(out),
            Self::Gone(subject, id) => {
                let kind = match subject {
                    Subject::Bus => BUS,
                    Subject::Rule => RULE,
                    Subject::Archive => ARCHIVE,
                    Subject::Replay => REPLAY,
                };
                put_head(out, kind, *id, false);
            }
        }
    }
}

impl ArchiveRecord<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put_head(out, ARCHIVE, self.id, true);
        out.put_u32(self.bus.0);
        out.put_u32(self.log.0);
        put_texts(out, &[self.name]);
        out.put_u8(u8::from(self.pattern.is_some()));
        put_texts(out, &[self.pattern.unwrap_or_default()]);
        out.put_u8(u8::from(self.retention.is_some()));
        out.put_u64(self.retention.unwrap_or(0));
        out.put_u64(self.created);
        out.extend_from_slice(self.document);
    }
}

impl ReplayRecord<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put_head(out, REPLAY, self.id, true);
        out.put_u32(self.archive.0);
        put_texts(out, &[self.name]);
        out.put_u64(self.start);
        out.put_u64(self.end);
        out.put_u8(u8::from(self.rules.is_some()));
        let rules = self.rules.as_deref().unwrap_or_default();
        out.put_u32(rules.len() as u32);
        rules.iter().for_each(|rule| out.put_u32(rule.0));
        out.put_u8(self.state);
        for number in [self.next, self.replayed, self.started, self.ended] {
            out.put_u64(number);
        }
        put_texts(out, &[self.failure]);
        out.put_u64(self.last_event);
    }
}

impl<'a> Record<'a> {
    /// The record in `bytes`. Bytes of another shape are an error, never a panic.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let kind = take.u8()?;
        let (id, is_there) = (ResourceId(take.u32()?), take.u8()? != 0);
        Ok(match (kind, is_there) {
            (BUS, true) => Self::Bus(BusRecord {
                id,
                account: take.text()?,
                region: take.text()?,
                name: take.text()?,
                created: take.u64()?,
                document: take.rest(),
            }),
            (RULE, true) => Self::Rule(take_rule(id, take)?),
            (ARCHIVE, true) => Self::Archive(take_archive(id, take)?),
            (REPLAY, true) => Self::Replay(take_replay(id, take)?),
            (BUS, false) => Self::Gone(Subject::Bus, id),
            (RULE, false) => Self::Gone(Subject::Rule, id),
            (ARCHIVE, false) => Self::Gone(Subject::Archive, id),
            (REPLAY, false) => Self::Gone(Subject::Replay, id),
            _ => return Err(damaged("a kind this version does not know")),
        })
    }
}

fn take_rule(id: ResourceId, mut take: Take<'_>) -> Result<RuleRecord<'_>> {
    let bus = ResourceId(take.u32()?);
    let (name, pattern, is_enabled) = (take.text()?, take.text()?, take.u8()? != 0);
    let mut targets = Vec::new();
    for _ in 0..take.u32()? {
        targets.push(TargetDefinition::take(&mut take)?);
    }
    let document = take.rest();
    Ok(RuleRecord { id, bus, name, pattern, is_enabled, targets, document })
}

fn take_archive(id: ResourceId, mut take: Take<'_>) -> Result<ArchiveRecord<'_>> {
    let (bus, log, name) = (ResourceId(take.u32()?), ResourceId(take.u32()?), take.text()?);
    let (has_pattern, pattern) = (take.u8()? != 0, take.text()?);
    let (has_retention, retention) = (take.u8()? != 0, take.u64()?);
    let (pattern, retention) = (has_pattern.then_some(pattern), has_retention.then_some(retention));
    let created = take.u64()?;
    Ok(ArchiveRecord { id, bus, log, name, pattern, retention, created, document: take.rest() })
}

fn take_replay(id: ResourceId, mut take: Take<'_>) -> Result<ReplayRecord<'_>> {
    let (archive, name) = (ResourceId(take.u32()?), take.text()?);
    let (start, end) = (take.u64()?, take.u64()?);
    let has_rules = take.u8()? != 0;
    let mut rules = Vec::new();
    for _ in 0..take.u32()? {
        rules.push(ResourceId(take.u32()?));
    }
    Ok(ReplayRecord {
        id,
        archive,
        name,
        start,
        end,
        rules: has_rules.then_some(rules),
        state: take.u8()?,
        next: take.u64()?,
        replayed: take.u64()?,
        started: take.u64()?,
        ended: take.u64()?,
        failure: take.text()?,
        // Earlier records end here.
        last_event: if take.0.is_empty() { 0 } else { take.u64()? },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::input::Input;
    use super::*;

    fn samples() -> Vec<Record<'static>> {
        let id = ResourceId(7);
        let (bus, log) = (ResourceId(3), ResourceId(4));
        let template = Input::Template {
            paths: vec![("a".to_owned(), "$.a".to_owned())],
            template: "<a>".to_owned(),
        };
        let inputs =
            [Input::Event, Input::Constant("1".into()), Input::Path("$.a".into()), template];
        let targets = (0..).zip(inputs).map(|(number, input)| TargetDefinition {
            id: "main".to_owned(),
            number: ResourceId(20 + number),
            resource: ResourceId(9),
            is_owned: number == 1,
            arn: "arn:aws:sqs:us-east-1:000000000000:q".to_owned(),
            input,
            dead_letter: (number == 2).then_some(ResourceId(12)),
            retries_max: 185,
            age_max: 86_400_000,
            group: (number == 3).then(|| "g".to_owned()),
            key_path: (number == 1).then(|| "$.id".to_owned()),
            document: if number == 0 { b"{}".to_vec() } else { Vec::new() },
        });
        let rule = RuleRecord {
            id,
            bus,
            name: "paid",
            pattern: r#"{"a":[1]}"#,
            is_enabled: true,
            targets: targets.collect(),
            document: b"{}",
        };
        let archive = ArchiveRecord {
            id,
            bus,
            log,
            name: "all",
            pattern: Some("{}"),
            retention: Some(5),
            created: 6,
            document: b"d",
        };
        let replay = ReplayRecord {
            id,
            archive: bus,
            name: "again",
            start: 1,
            end: 2,
            rules: Some(vec![id, bus]),
            state: 1,
            next: 3,
            replayed: 4,
            started: 5,
            ended: 6,
            failure: "why",
            last_event: 9,
        };
        let (account, region, name) = ("000000000000", "us-east-1", "default");
        vec![
            Record::Bus(BusRecord { id, account, region, name, created: 1, document: b"{}" }),
            Record::Rule(rule),
            Record::Archive(ArchiveRecord { pattern: None, retention: None, ..archive.clone() }),
            Record::Archive(archive),
            Record::Replay(ReplayRecord { rules: None, ..replay.clone() }),
            Record::Replay(replay),
            Record::Gone(Subject::Bus, id),
            Record::Gone(Subject::Rule, id),
            Record::Gone(Subject::Archive, id),
            Record::Gone(Subject::Replay, id),
        ]
    }

    #[test]
    fn every_record_survives_its_bytes() {
        for record in samples() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(Record::decode(&bytes), Ok(record));
        }
    }

    #[test]
    fn cut_records_and_unknown_kinds_never_panic() {
        assert!(Record::decode(&[]).is_err());
        assert!(Record::decode(&[200, 1, 2, 3, 4, 5]).is_err());
        for record in samples() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            for length in 0..bytes.len() {
                let _ = Record::decode(&bytes[..length]);
            }
        }
    }
}
