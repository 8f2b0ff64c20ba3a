//! One step of the journal: records appended, and locations counted, under the append lock.
//!
//! A memory engine has no journal; there every step is off and costs a branch.

use trunkline_journal::{Appender, Lsn, Ticket};
use trunkline_types::Millis;
use trunkline_types::sync::MutexGuard;

use crate::live_bytes::LiveBytes;
use crate::record::{MessageRecord, Record};

pub(crate) enum Append<'a> {
    Off,
    On(Step<'a>),
}

pub(crate) struct Step<'a> {
    appender: Appender<'a>,
    space: MutexGuard<'a, LiveBytes>,
    now: Millis,
}

/// Where a record lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub lsn: Lsn,
    pub len: u32,
}

impl<'a> Append<'a> {
    pub fn off() -> Self {
        Self::Off
    }

    pub fn on(appender: Appender<'a>, space: MutexGuard<'a, LiveBytes>, now: Millis) -> Self {
        Self::On(Step { appender, space, now })
    }

    /// Appends a message whose payload is the concatenation of `payload`, and counts its location.
    pub fn append_message(
        &mut self,
        held: &MessageRecord<'_>,
        payload: &[&[u8]],
    ) -> Option<Location> {
        let Self::On(step) = self else { return None };
        let mut head = Vec::with_capacity(96);
        held.put_head(&mut head);
        let location = match payload {
            [body] => step.append_parts(&[&head, body]),
            [envelope, body] => step.append_parts(&[&head, envelope, body]),
            more => step.append_parts(&[&head, &more.concat()]),
        };
        step.space.add(location.lsn, u64::from(location.len), step.now);
        Some(location)
    }

    /// Appends a fact whose location is not counted; says where it lies.
    pub fn append(&mut self, record: &Record<'_>) -> Option<Lsn> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(64);
        record.encode(&mut bytes);
        Some(step.append_parts(&[&bytes]).lsn)
    }

    /// Appends a fact and counts its location; `old` is the location it leaves.
    pub fn append_live(&mut self, record: &Record<'_>, old: Option<Location>) -> Option<Location> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(256);
        record.encode(&mut bytes);
        let location = step.append_parts(&[&bytes]);
        step.space.add(location.lsn, u64::from(location.len), step.now);
        if let Some(old) = old {
            step.space.remove(old.lsn, u64::from(old.len));
        }
        Some(location)
    }

    /// Something that had its location there is gone.
    pub fn release(&mut self, location: Location) {
        if let Self::On(step) = self {
            step.space.remove(location.lsn, u64::from(location.len));
        }
    }

    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    /// What to wait for, so that everything appended so far is as durable as asked.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Off => None,
            Self::On(step) => Some(step.appender.ticket()),
        }
    }
}

impl Step<'_> {
    fn append_parts(&mut self, parts: &[&[u8]]) -> Location {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        Location { lsn: self.appender.append(parts), len: len as u32 }
    }
}
