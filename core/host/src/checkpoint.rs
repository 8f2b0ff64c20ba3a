//! What a checkpoint holds: the state of every kind, in a form that its loader reads at opening
//! instead of the records that came before.
//!
//! ```text
//! record   | 1 | lsn 8 | length 4 | record ... |    a record of the journal, as it is replayed
//! section  | 2 | kind 1 | bytes ... |               in a form of the kind of that record
//! ```
//!
//! The state is read while verbs run. Whatever they append from the position of the checkpoint on
//! is replayed on top of it, so a part of the state may be read before or after any of those
//! records; see [`crate::Component::checkpoint`].

use trunkline_journal::Lsn;
use trunkline_types::Result;

use crate::codec::{Encode, Put, Take, damaged};
use crate::location::Location;

const RECORD: u8 = 1;
const SECTION: u8 = 2;

/// Where a component hands its state to.
pub struct CheckpointSink<'a> {
    sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    bytes: Vec<u8>,
}

impl<'a> CheckpointSink<'a> {
    pub(crate) fn new(sink: &'a mut dyn FnMut(&[u8]) -> Result<()>) -> Self {
        Self { sink, bytes: Vec::new() }
    }

    /// A record that lies at `at`. Its loader gets it as at a replay. What the loader does not look
    /// at, such as the body of a message, may be left out at its end.
    pub fn record(&mut self, at: Location, record: &(impl Encode + ?Sized)) -> Result<()> {
        self.bytes.clear();
        self.bytes.put_u8(RECORD);
        self.bytes.put_u64(at.lsn.to_u64());
        self.bytes.put_u32(at.len);
        record.encode(&mut self.bytes);
        (self.sink)(&self.bytes)
    }

    /// A record that is not in the journal: part of the state put into the words of a record. Its
    /// loader gets it with [`Location::NOWHERE`].
    pub fn fact(&mut self, record: &(impl Encode + ?Sized)) -> Result<()> {
        self.record(Location::NOWHERE, record)
    }

    /// Part of the state in a form of the kind's own, which [`crate::Loader::restore`] gets. `kind`
    /// is the first byte of any record of the kind.
    pub fn section(&mut self, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[SECTION, kind]);
        fill(&mut self.bytes);
        (self.sink)(&self.bytes)
    }
}

/// A part of a checkpoint, read back.
pub(crate) enum Part<'a> {
    Record(Location, &'a [u8]),
    Section(u8, &'a [u8]),
}

impl<'a> Part<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        match take.u8()? {
            RECORD => {
                let (lsn, len) = (Lsn::from_u64(take.u64()?), take.u32()?);
                Ok(Self::Record(Location { lsn, len }, take.rest()))
            }
            SECTION => Ok(Self::Section(take.u8()?, take.rest())),
            _ => Err(damaged("a part of a checkpoint that this version does not know")),
        }
    }
}
