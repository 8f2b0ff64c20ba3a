//! One entry of a trace, and its bytes in memory.

use std::fmt::{self, Write};

use trunkline_types::{IdKey, Millis, ResourceId, ResourceName, Result, Seq, id_text};

use crate::codec::{Put, Take, damaged};

/// Longest text of an id and of a name, in bytes; what is behind it is cut off.
const TEXT_MAX: usize = 512;
/// Longest detail, in bytes; what is behind it is cut off.
const DETAIL_MAX: usize = 1_024;

/// What happened to a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum What {
    /// A caller handed it to the engine.
    Accepted,
    /// An earlier one of the deduplication window stands for it.
    Duplicate,
    /// A filter or a pattern let it pass.
    Matched,
    /// A filter or a pattern did not; the detail says why.
    Unmatched,
    /// A resource or an endpoint took it from another resource.
    Delivered,
    /// A receiver got it, with a lease.
    Received,
    /// It is visible again: its lease or its delay ended.
    Returned,
    /// The end of its lease was changed.
    Extended,
    /// A delivery failed; the detail says why, and what follows.
    Failed,
    /// A dead-letter queue took it.
    DeadLettered,
    /// It went to another resource as a new message.
    Moved,
    /// Its retention ended.
    Expired,
    /// A receiver deleted it.
    Deleted,
    /// A reader read it.
    Read,
    /// An archive keeps it.
    Archived,
    /// Everything in its resource was removed.
    Purged,
}

const ALL: [What; 16] = [
    What::Accepted,
    What::Duplicate,
    What::Matched,
    What::Unmatched,
    What::Delivered,
    What::Received,
    What::Returned,
    What::Extended,
    What::Failed,
    What::DeadLettered,
    What::Moved,
    What::Expired,
    What::Deleted,
    What::Read,
    What::Archived,
    What::Purged,
];

impl What {
    /// The name, which every surface uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Matched => "matched",
            Self::Unmatched => "unmatched",
            Self::Delivered => "delivered",
            Self::Received => "received",
            Self::Returned => "returned",
            Self::Extended => "extended",
            Self::Failed => "failed",
            Self::DeadLettered => "dead_lettered",
            Self::Moved => "moved",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::Read => "read",
            Self::Archived => "archived",
            Self::Purged => "purged",
        }
    }
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// What has this number in a resource. Its id is made of the two.
    Numbered(ResourceId, Seq),
    /// What has this id.
    Id([u8; 16]),
    /// What has this text as its id.
    Text(&'a str),
}

impl<'a> Subject<'a> {
    /// The subject whose id is this text.
    pub fn named(text: &'a str) -> Self {
        parse_id(text).map_or(Self::Text(cut(text, TEXT_MAX)), Self::Id)
    }

    /// Tells subjects apart, whichever form each has.
    pub fn key(&self, key: IdKey) -> u128 {
        match self {
            Self::Numbered(resource, number) => u128::from_le_bytes(key.id_of(*resource, *number)),
            Self::Id(id) => u128::from_le_bytes(*id),
            Self::Text(text) => key.digest(&[text.as_bytes()]),
        }
    }

    /// The id as callers know it.
    pub fn text(&self, key: IdKey) -> String {
        match self {
            Self::Numbered(resource, number) => id_text(key.id_of(*resource, *number)),
            Self::Id(id) => id_text(*id),
            Self::Text(text) => (*text).to_owned(),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Numbered(resource, number) => {
                out.put_u8(0);
                out.put_u32(resource.0);
                out.put_u128(u128::from(*number));
            }
            Self::Id(id) => {
                out.put_u8(1);
                out.extend_from_slice(id);
            }
            Self::Text(text) => {
                out.put_u8(2);
                out.put_bytes(text.as_bytes());
            }
        }
    }

    fn decode(take: &mut Take<'a>) -> Result<Self> {
        Ok(match take.u8()? {
            0 => Self::Numbered(ResourceId(take.u32()?), take.u128()? as u64),
            1 => Self::Id(take.u128()?.to_le_bytes()),
            _ => Self::Text(take.text()?),
        })
    }
}

/// A UUID as text.
fn parse_id(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut digits = [0_u8; 32];
    let mut end = 0;
    for (place, byte) in bytes.iter().enumerate() {
        match (byte, place) {
            (b'-', 8 | 13 | 18 | 23) => {}
            // In capitals it is another text.
            (b'0'..=b'9' | b'a'..=b'f', place) if !matches!(place, 8 | 13 | 18 | 23) => {
                digits[end] = if *byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 };
                end += 1;
            }
            _ => return None,
        }
    }
    Some(std::array::from_fn(|place| digits[2 * place] << 4 | digits[2 * place + 1]))
}

/// Where a subject came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The subject that led to it.
    pub subject: Subject<'a>,
    /// Whether both are the same to callers: a message that moved keeps its id.
    pub is_same: bool,
}

/// An entry as it is noted.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// What it is about.
    pub subject: Subject<'a>,
    /// What happened.
    pub what: What,
    /// Where it happened.
    pub resource: &'a ResourceName,
    /// When it happened.
    pub at: Millis,
    /// What else there is to say.
    pub detail: fmt::Arguments<'a>,
}

/// An entry as it is kept.
pub(super) struct Kept<'a> {
    pub subject: Subject<'a>,
    pub what: What,
    /// Whether the subject begins here: then `origin` says where it came from.
    pub begins: bool,
    pub origin: Option<Origin<'a>>,
    pub at: Millis,
    pub kind: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub name: &'a str,
    pub detail: &'a str,
}

const BEGINS: u8 = 1;
const HAS_ORIGIN: u8 = 2;
const IS_SAME: u8 = 4;

/// Appends the bytes of an entry.
pub(super) fn encode(note: &Note<'_>, begins: bool, origin: Option<Origin<'_>>, out: &mut Vec<u8>) {
    let is_same = origin.is_some_and(|origin| origin.is_same);
    let flags = [(begins, BEGINS), (origin.is_some(), HAS_ORIGIN), (is_same, IS_SAME)];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
    out.put_u8(note.what as u8);
    out.put_u8(flags);
    out.put_u128(u128::from(note.at));
    note.subject.encode(out);
    origin.into_iter().for_each(|origin| origin.subject.encode(out));
    let ResourceName { kind, account, region, name } = note.resource;
    for text in [kind.0, account, region, name] {
        out.put_bytes(cut(text, TEXT_MAX).as_bytes());
    }
    // A detail that is cut off is an error of the writer, which ends there.
    let _cut = Detail(out, DETAIL_MAX).write_fmt(note.detail);
}

pub(super) fn decode(bytes: &[u8]) -> Result<Kept<'_>> {
    let mut take = Take(bytes);
    let what = ALL.get(usize::from(take.u8()?)).copied();
    let what = what.ok_or_else(|| damaged("an unknown entry of a trace"))?;
    let flags = take.u8()?;
    let at = take.u128()? as Millis;
    let subject = Subject::decode(&mut take)?;
    let origin = match flags & HAS_ORIGIN {
        0 => None,
        _ => {
            let subject = Subject::decode(&mut take)?;
            Some(Origin { subject, is_same: flags & IS_SAME != 0 })
        }
    };
    let (kind, account) = (take.text()?, take.text()?);
    let (region, name) = (take.text()?, take.text()?);
    let detail = std::str::from_utf8(take.rest()).unwrap_or_default();
    let begins = flags & BEGINS != 0;
    Ok(Kept { subject, what, begins, origin, at, kind, account, region, name, detail })
}

/// Writes at most so many bytes of a text.
struct Detail<'a>(&'a mut Vec<u8>, usize);

impl Write for Detail<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let part = cut(text, self.1);
        self.0.extend_from_slice(part.as_bytes());
        self.1 -= part.len();
        if part.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The longest start of `text` that has at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trunkline_types::ResourceKind;

    use super::*;

    #[test]
    fn an_id_is_the_same_subject_as_its_text_and_as_its_number() {
        let key = IdKey(1, 2);
        let numbered = Subject::Numbered(ResourceId(7), 9);
        let text = numbered.text(key);
        assert_eq!(Subject::named(&text).key(key), numbered.key(key));
        assert_eq!(Subject::named(&text).text(key), text);
        let other = text.to_uppercase();
        assert!(matches!(Subject::named(&other), Subject::Text(_)));
        for text in ["", "order-1", "00112233-4455-6677-8899-aabbccddeef", &"é".repeat(18)] {
            assert_eq!(Subject::named(text).text(key), text);
        }
    }

    #[test]
    fn every_kind_of_entry_survives_its_bytes_and_long_texts_are_cut() {
        let name = ResourceName::local(ResourceKind("thing"), "n".repeat(2_000));
        let origin = Origin { subject: Subject::Text("before"), is_same: true };
        for (place, what) in ALL.into_iter().enumerate() {
            let (mut bytes, subject) = (Vec::new(), Subject::Numbered(ResourceId(1), u64::MAX));
            let detail = format_args!("{}", "é".repeat(600));
            let note = Note { subject, what, resource: &name, at: 5, detail };
            encode(&note, true, Some(origin), &mut bytes);
            let kept = decode(&bytes).unwrap();
            assert_eq!((kept.what as usize, kept.what, kept.at), (place, what, 5));
            assert_eq!((kept.subject, kept.origin, kept.begins), (subject, Some(origin), true));
            assert_eq!((kept.name.len(), kept.detail.len()), (TEXT_MAX, DETAIL_MAX));
        }
    }
}
