//! The records of domains. Each holds the whole of what it is about, so the last one counts.

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{ResourceId, ResourceName, Result};

use super::DOMAIN;

pub(super) const DEFINED: u8 = 15;
pub(super) const TYPE: u8 = 16;
pub(super) const EXECUTION: u8 = 17;
pub(super) const GONE: u8 = 18;

/// What [`Record::Gone`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Domain,
    Type,
    Execution,
}

/// One fact about a domain.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// It exists; its histories are in a log. `body` is its settings as JSON.
    Defined { id: ResourceId, name: &'a ResourceName, log: ResourceId, body: &'a [u8] },
    /// A type, as JSON.
    Type { id: ResourceId, number: u32, body: &'a [u8] },
    /// An execution: the newest entry of its history, and its state as JSON.
    Execution { id: ResourceId, number: u32, newest: u64, body: &'a [u8] },
    /// Something is forgotten.
    Gone { id: ResourceId, what: What, number: u32 },
}

/// A record that was read.
#[derive(Debug)]
pub(super) enum Stored<'a> {
    Defined(ResourceId, ResourceName, ResourceId, &'a [u8]),
    Type(ResourceId, u32, &'a [u8]),
    Execution(ResourceId, u32, u64, &'a [u8]),
    Gone(ResourceId, What, u32),
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Defined { id, name, log, body } => {
                head(out, DEFINED, id);
                out.put_u32(log.0);
                for text in [&name.account, &name.region, &name.name] {
                    out.put_bytes(text.as_bytes());
                }
                out.extend_from_slice(body);
            }
            Self::Type { id, number, body } => {
                head(out, TYPE, id);
                out.put_u32(number);
                out.extend_from_slice(body);
            }
            Self::Execution { id, number, newest, body } => {
                head(out, EXECUTION, id);
                out.put_u32(number);
                out.put_u64(newest);
                out.extend_from_slice(body);
            }
            Self::Gone { id, what, number } => {
                head(out, GONE, id);
                out.put_u8(what as u8);
                out.put_u32(number);
            }
        }
    }
}

fn head(out: &mut Vec<u8>, kind: u8, id: ResourceId) {
    out.put_u8(kind);
    out.put_u32(id.0);
}

impl<'a> Stored<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        match kind {
            DEFINED => {
                let log = ResourceId(take.u32()?);
                let (account, region) = (take.text()?.to_owned(), take.text()?.to_owned());
                let name = ResourceName::new(DOMAIN, account, region, take.text()?);
                Ok(Self::Defined(id, name, log, take.rest()))
            }
            TYPE => Ok(Self::Type(id, take.u32()?, take.rest())),
            EXECUTION => {
                let (number, newest) = (take.u32()?, take.u64()?);
                Ok(Self::Execution(id, number, newest, take.rest()))
            }
            GONE => {
                let what = match take.u8()? {
                    0 => What::Domain,
                    1 => What::Type,
                    2 => What::Execution,
                    _ => return Err(damaged("the end of something that domains do not have")),
                };
                Ok(Self::Gone(id, what, take.u32()?))
            }
            _ => Err(damaged("a kind this version does not know")),
        }
    }
}

/// Reads a JSON body.
pub(super) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| damaged("JSON of a form that domains do not have"))
}

/// Writes a JSON body.
pub(super) fn body(value: &impl serde::Serialize) -> Vec<u8> {
    // Structures whose keys are texts and numbers can always be written.
    serde_json::to_vec(value).unwrap_or_default()
}
