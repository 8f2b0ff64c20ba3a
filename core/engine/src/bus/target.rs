//! One target of a rule: which resource gets the event, what it gets of it, and what becomes of an
//! event that it does not take.

use trunkline_host::{Put, Take};
use trunkline_types::{Millis, ResourceId, Result};

use super::input::Input;

/// A target as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDefinition {
    /// Its id, unique in its rule.
    pub id: String,
    /// Its number, unique in the engine: it names the input to be rendered.
    pub number: ResourceId,
    /// The resource that gets the events.
    pub resource: ResourceId,
    /// Whether that resource was made for this target and goes with it.
    pub is_owned: bool,
    /// How the target is named outside of the engine.
    pub arn: String,
    /// What it gets of an event.
    pub input: Input,
    /// The queue that takes events which the target does not.
    pub dead_letter: Option<ResourceId>,
    /// How often a failed delivery that leaves the engine is tried again.
    pub retries_max: u32,
    /// How old a delivery that leaves the engine may be when it is tried again.
    pub age_max: Millis,
    /// The group, for a target that keeps order by group.
    pub group: Option<String>,
    /// Where the group is taken from in each event, for a target that takes another one for each.
    pub key_path: Option<String>,
    /// What the surfaces keep with it.
    pub document: Vec<u8>,
}

const OWNED: u8 = 1;
const GROUPED: u8 = 2;
const DOCUMENTED: u8 = 4;
const KEYED: u8 = 8;

impl TargetDefinition {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_bytes(self.id.as_bytes());
        out.put_u32(self.number.0);
        out.put_u32(self.resource.0);
        let owned = if self.is_owned { OWNED } else { 0 };
        let grouped = if self.group.is_some() { GROUPED } else { 0 };
        let documented = if self.document.is_empty() { 0 } else { DOCUMENTED };
        let keyed = if self.key_path.is_some() { KEYED } else { 0 };
        out.put_u8(owned | grouped | documented | keyed);
        out.put_bytes(self.arn.as_bytes());
        self.input.put(out);
        // Ids start at one, so zero says "none".
        out.put_u32(self.dead_letter.map_or(0, |queue| queue.0));
        out.put_u32(self.retries_max);
        out.put_u64(self.age_max);
        out.put_bytes(self.group.as_deref().unwrap_or_default().as_bytes());
        if !self.document.is_empty() {
            out.put_bytes(&self.document);
        }
        if let Some(path) = &self.key_path {
            out.put_bytes(path.as_bytes());
        }
    }

    pub(super) fn take(take: &mut Take<'_>) -> Result<Self> {
        let id = take.text()?.to_owned();
        let (number, resource) = (ResourceId(take.u32()?), ResourceId(take.u32()?));
        let flags = take.u8()?;
        let (arn, input) = (take.text()?.to_owned(), Input::take(take)?);
        let dead_letter = Some(take.u32()?).filter(|id| *id != 0).map(ResourceId);
        let (retries_max, age_max) = (take.u32()?, take.u64()?);
        let group = take.text()?.to_owned();
        let document = if flags & DOCUMENTED == 0 { &[][..] } else { take.bytes()? };
        let key_path = if flags & KEYED == 0 { None } else { Some(take.text()?.to_owned()) };
        Ok(Self {
            id,
            number,
            resource,
            is_owned: flags & OWNED != 0,
            arn,
            input,
            dead_letter,
            retries_max,
            age_max,
            group: (flags & GROUPED != 0).then_some(group),
            document: document.to_vec(),
            key_path,
        })
    }
}
