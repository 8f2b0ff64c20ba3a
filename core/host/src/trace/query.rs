//! Asking what happened to one subject: its entries, those of what led to it, and those of what
//! came from it.

use std::collections::{HashMap, HashSet};

use trunkline_types::sync::lock;
use trunkline_types::{Millis, ResourceId, Seq};

use super::Trace;
use super::entry::{Kept, Subject, What};
use super::ring::Ring;

/// Most entries of one answer.
const ANSWER_MAX: usize = 10_000;

/// What happened to one subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traced {
    /// In the order in which it was noted.
    pub entries: Vec<TracedEntry>,
    /// How many entries the answer leaves out, because it would be too long.
    pub left_out: u64,
    /// How many entries the engine has dropped so far, of whatever subject: some may be missing.
    pub dropped: u64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedEntry {
    /// The id of what it happened to.
    pub id: String,
    /// When it happened.
    pub at: Millis,
    /// What happened.
    pub what: What,
    /// The kind of the resource where it happened.
    pub kind: String,
    /// The account of that resource.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// What else there is to say.
    pub detail: String,
    /// The id of what it came from, if it begins here.
    pub from: Option<String>,
}

/// How the subjects of a ring come from each other.
#[derive(Default)]
struct Links {
    /// Of each subject: where it came from, and whether both are the same to callers.
    origins: HashMap<u128, (u128, bool)>,
    children: HashMap<u128, Vec<u128>>,
}

impl Trace {
    /// What happened to the subject of this id, to what led to it, and to what came from it.
    pub fn of(&self, id: &str) -> Traced {
        let ring = lock(&self.ring);
        let links = self.links(&ring);
        let members = links.around(Subject::named(id).key(self.key));
        let mut ids = HashMap::new();
        let mut traced = Traced { dropped: ring.dropped(), ..Traced::default() };
        // What is in which resource, for entries that are about all of them.
        let mut present: HashSet<(ResourceId, Seq)> = HashSet::new();
        for kept in ring.iter() {
            if let (What::Purged, Subject::Numbered(resource, before)) = (kept.what, kept.subject) {
                let mut gone: Vec<_> = present
                    .extract_if(|(there, seq)| *there == resource && *seq < before)
                    .collect();
                gone.sort_unstable();
                for (_, seq) in gone {
                    let subject = Subject::Numbered(resource, seq);
                    let key = subject.key(self.key);
                    let id = ids.get(&key).cloned().unwrap_or_else(|| subject.text(self.key));
                    traced.push(&kept, id, None);
                }
                continue;
            }
            let key = kept.subject.key(self.key);
            if !members.contains(&key) {
                continue;
            }
            let from = kept.origin.map(|origin| {
                let key = origin.subject.key(self.key);
                let id = ids.get(&key).cloned();
                (origin, id.unwrap_or_else(|| origin.subject.text(self.key)))
            });
            note_presence(&kept, &mut present);
            let (is_same, from) = match from {
                Some((origin, id)) => (origin.is_same, Some(id)),
                None => (false, None),
            };
            let id = ids.entry(key).or_insert_with(|| match &from {
                // To callers the message has the id that it had before.
                Some(id) if is_same => id.clone(),
                _ => kept.subject.text(self.key),
            });
            traced.push(&kept, id.clone(), from.filter(|_| !is_same));
        }
        traced
    }

    fn links(&self, ring: &Ring) -> Links {
        let mut links = Links::default();
        for kept in ring.iter() {
            let Some(origin) = kept.origin else { continue };
            let (key, from) = (kept.subject.key(self.key), origin.subject.key(self.key));
            links.origins.insert(key, (from, origin.is_same));
            links.children.entry(from).or_default().push(key);
        }
        links
    }
}

impl Links {
    /// The subject, what led to it, and what came from it; not what came from the same by another
    /// way.
    fn around(&self, key: u128) -> HashSet<u128> {
        let mut members = HashSet::from([key]);
        let mut above = key;
        while let Some((origin, _)) = self.origins.get(&above) {
            if !members.insert(*origin) {
                break;
            }
            above = *origin;
        }
        let mut below = vec![key];
        while let Some(key) = below.pop() {
            let children = self.children.get(&key).into_iter().flatten();
            below.extend(children.copied().filter(|child| members.insert(*child)));
        }
        members
    }
}

/// Notes that a subject is in its resource now, or is not any more.
fn note_presence(kept: &Kept<'_>, present: &mut HashSet<(ResourceId, Seq)>) {
    let Subject::Numbered(resource, seq) = kept.subject else { return };
    match kept.what {
        What::Expired | What::Deleted => _ = present.remove(&(resource, seq)),
        _ if kept.begins => _ = present.insert((resource, seq)),
        _ => {}
    }
    let moves = matches!(kept.what, What::DeadLettered | What::Moved);
    if let (true, Some(Subject::Numbered(resource, seq))) =
        (moves, kept.origin.map(|origin| origin.subject))
    {
        present.remove(&(resource, seq));
    }
}

impl Traced {
    fn push(&mut self, kept: &Kept<'_>, id: String, from: Option<String>) {
        if self.entries.len() >= ANSWER_MAX {
            self.left_out += 1;
            return;
        }
        self.entries.push(TracedEntry {
            id,
            at: kept.at,
            what: kept.what,
            kind: kept.kind.to_owned(),
            account: kept.account.to_owned(),
            region: kept.region.to_owned(),
            name: kept.name.to_owned(),
            detail: kept.detail.to_owned(),
            from,
        });
    }
}
