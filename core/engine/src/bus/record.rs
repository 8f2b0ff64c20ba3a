//! The records of event buses. Each says the whole state of one thing, or that it is gone, so an
//! older copy before a newer one does no harm. Their first bytes are 52 and 53; `docs/format.md`
//! has the layout.

use std::ops::RangeInclusive;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result};

use super::target::TargetDefinition;

const BUS: u8 = 52;
const RULE: u8 = 53;

/// The first bytes of the records of buses.
pub(super) const KINDS: RangeInclusive<u8> = BUS..=RULE;

/// Something that records describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Bus,
    Rule,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record<'a> {
    Bus(BusRecord<'a>),
    Rule(RuleRecord<'a>),
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
            Self::Gone(subject, id) => {
                let kind = match subject {
                    Subject::Bus => BUS,
                    Subject::Rule => RULE,
                };
                put_head(out, kind, *id, false);
            }
        }
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
            (BUS, false) => Self::Gone(Subject::Bus, id),
            (RULE, false) => Self::Gone(Subject::Rule, id),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::input::Input;
    use super::*;

    fn samples() -> Vec<Record<'static>> {
        let id = ResourceId(7);
        let bus = ResourceId(3);
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
        let (account, region, name) = ("000000000000", "us-east-1", "default");
        vec![
            Record::Bus(BusRecord { id, account, region, name, created: 1, document: b"{}" }),
            Record::Rule(rule),
            Record::Gone(Subject::Bus, id),
            Record::Gone(Subject::Rule, id),
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
