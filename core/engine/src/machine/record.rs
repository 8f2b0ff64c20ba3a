//! The records of state machines. Each holds the whole of what it is about, so the last one counts,
//! but for changes of executions with much state, which need those before them.

use std::sync::Arc;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{ResourceId, ResourceName, Result};

use super::MACHINE;
use super::execution::Row;

pub(super) const DEFINED: u8 = 11;
pub(super) const PROGRAM: u8 = 12;
pub(super) const EXECUTION: u8 = 13;
pub(super) const GONE: u8 = 14;

/// In [`Record::Gone`], for the machine itself.
pub(super) const MACHINE_ITSELF: u32 = u32::MAX;

/// One fact about a state machine.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// It exists; its histories are in a log.
    Defined { id: ResourceId, name: &'a ResourceName, log: ResourceId },
    /// A program that its executions run.
    Program { id: ResourceId, number: u32, express: bool, text: &'a str, document: &'a [u8] },
    /// An execution stands so. With a change, the row has no state.
    Execution { id: ResourceId, number: u32, row: &'a Row, change: Option<Change<'a>> },
    /// An execution is forgotten, or the machine is removed.
    Gone { id: ResourceId, number: u32 },
}

/// What a step changed of the state of an execution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    /// Which change it is since the whole was written, from one on.
    pub place: u32,
    /// As `trunkline-states` writes it.
    pub bytes: &'a [u8],
}

/// A record that was read.
#[derive(Debug)]
pub(super) enum Stored {
    Defined(ResourceId, ResourceName, ResourceId),
    Program(ResourceId, u32, StoredProgram),
    Execution(ResourceId, u32, Box<Row>),
    /// A change, with its place, its bytes, and the row without a state.
    Changed(ResourceId, u32, Box<Row>, (u32, Box<[u8]>)),
    Gone(ResourceId, u32),
}

/// A program as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredProgram {
    pub express: bool,
    pub text: Arc<str>,
    pub document: Arc<[u8]>,
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Defined { id, name, log } => {
                head(out, DEFINED, id);
                out.put_u32(log.0);
                for text in [&name.account, &name.region, &name.name] {
                    out.put_bytes(text.as_bytes());
                }
            }
            Self::Program { id, number, express, text, document } => {
                head(out, PROGRAM, id);
                out.put_u32(number);
                out.put_u8(u8::from(express));
                out.put_bytes(text.as_bytes());
                out.extend_from_slice(document);
            }
            Self::Execution { id, number, row, change } => {
                head(out, EXECUTION, id);
                out.put_u32(number);
                row.encode(change.is_some(), out);
                if let Some(change) = change {
                    out.put_u32(change.place);
                    out.extend_from_slice(change.bytes);
                }
            }
            Self::Gone { id, number } => {
                head(out, GONE, id);
                out.put_u32(number);
            }
        }
    }
}

fn head(out: &mut Vec<u8>, kind: u8, id: ResourceId) {
    out.put_u8(kind);
    out.put_u32(id.0);
}

impl Stored {
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        match kind {
            DEFINED => {
                let log = ResourceId(take.u32()?);
                let (account, region) = (take.text()?.to_owned(), take.text()?.to_owned());
                Ok(Self::Defined(
                    id,
                    ResourceName::new(MACHINE, account, region, take.text()?),
                    log,
                ))
            }
            PROGRAM => {
                let number = take.u32()?;
                let express = take.u8()? != 0;
                let text = take.text()?.into();
                let document = take.0.into();
                Ok(Self::Program(id, number, StoredProgram { express, text, document }))
            }
            EXECUTION => {
                let number = take.u32()?;
                let (mut row, is_change) = Row::decode(&mut take)?;
                if !is_change {
                    return Ok(Self::Execution(id, number, Box::new(row)));
                }
                let written = std::mem::take(&mut row.state);
                let mut take = Take(&written);
                let change = (take.u32()?, take.0.into());
                Ok(Self::Changed(id, number, Box::new(row), change))
            }
            GONE => Ok(Self::Gone(id, take.u32()?)),
            _ => Err(damaged("a kind this version does not know")),
        }
    }
}
