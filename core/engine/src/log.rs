//! One step of the journal: records appended, and homes counted, under the append lock.
//!
//! A memory engine has no journal; there every step is off and costs a branch.

use trunkline_journal::{Appender, Lsn, Ticket};
use trunkline_types::Millis;
use trunkline_types::sync::MutexGuard;

use crate::record::{Held, Record};
use crate::space::Space;

pub(crate) enum Log<'a> {
    Off,
    On(Step<'a>),
}

pub(crate) struct Step<'a> {
    appender: Appender<'a>,
    space: MutexGuard<'a, Space>,
    now: Millis,
}

/// Where a record lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub lsn: Lsn,
    pub len: u32,
}

impl<'a> Log<'a> {
    pub fn off() -> Self {
        Self::Off
    }

    pub fn on(appender: Appender<'a>, space: MutexGuard<'a, Space>, now: Millis) -> Self {
        Self::On(Step { appender, space, now })
    }

    /// Appends a message whose payload is the concatenation of `payload`, and counts its home.
    pub fn hold(&mut self, held: &Held<'_>, payload: &[&[u8]]) -> Option<Home> {
        let Self::On(step) = self else { return None };
        let mut head = Vec::with_capacity(96);
        held.put_head(&mut head);
        let home = match payload {
            [body] => step.append(&[&head, body]),
            [envelope, body] => step.append(&[&head, envelope, body]),
            more => step.append(&[&head, &more.concat()]),
        };
        step.space.add(home.lsn, u64::from(home.len), step.now);
        Some(home)
    }

    /// Appends a fact whose home is not counted; says where it lies.
    pub fn note(&mut self, record: &Record<'_>) -> Option<Lsn> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(64);
        record.encode(&mut bytes);
        Some(step.append(&[&bytes]).lsn)
    }

    /// Appends a fact and counts its home; `old` is the home it leaves.
    pub fn settle(&mut self, record: &Record<'_>, old: Option<Home>) -> Option<Home> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(256);
        record.encode(&mut bytes);
        let home = step.append(&[&bytes]);
        step.space.add(home.lsn, u64::from(home.len), step.now);
        if let Some(old) = old {
            step.space.remove(old.lsn, u64::from(old.len));
        }
        Some(home)
    }

    /// Something that had its home there is gone.
    pub fn leave(&mut self, home: Home) {
        if let Self::On(step) = self {
            step.space.remove(home.lsn, u64::from(home.len));
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
    fn append(&mut self, parts: &[&[u8]]) -> Home {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        Home { lsn: self.appender.append(parts), len: len as u32 }
    }
}
