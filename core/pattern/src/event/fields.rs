//! What a walk found in an event: the scalars at paths that rules name, and where in arrays they
//! lie.

use crate::event::array_match::Marks;
use crate::event::value::{Kind, Value};
use crate::index::query::Query;
use crate::paths::Field;

/// No leaf, no place.
pub(crate) const NONE: u32 = u32::MAX;

/// The place of what lies in no array.
pub(crate) const OUTSIDE: u32 = 0;

/// Memory of a match, to be used again for the next: nothing is allocated once it has grown.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};
/// let pattern = Pattern::compile(br#"{"a":[1]}"#, Dialect::EventPattern, &Limits::default())?;
/// let rules = RuleSet::new();
/// rules.add(7, &pattern);
/// let (snapshot, mut scratch, mut out) = (rules.snapshot(), Scratch::default(), Vec::new());
/// for event in [br#"{"a":1}"#, br#"{"a":2}"#] {
///     snapshot.matches(Event::new(event), &mut scratch, &mut out)?;
/// }
/// assert_eq!(out, [7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Scratch {
    pub(crate) found: Found,
    pub(crate) marks: Marks,
    pub(crate) query: Query,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Found {
    /// By field: its first and its last leaf, if `round` is this one.
    heads: Vec<Head>,
    round: u32,
    pub(crate) leaves: Vec<Leaf>,
    /// Fields that have leaves, each once, in the order in which they were found.
    pub(crate) fields: Vec<Field>,
    /// Elements of arrays around leaves; the first is `OUTSIDE`.
    pub(crate) places: Vec<Place>,
    /// Strings that had escapes.
    pub(crate) decoded: Vec<u8>,
    /// Whether a key with dots led to a rule's path.
    pub(crate) is_dotted: bool,
    /// By field: in which object it was met last, and which leaves that gave.
    visits: Vec<Visit>,
    /// Whether leaves died, so that `heads` are to be made again.
    is_stale: bool,
}

#[derive(Clone, Copy, Default)]
struct Head {
    round: u32,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Default)]
struct Visit {
    round: u32,
    object: u32,
    leaves: (u32, u32),
}

/// A scalar of the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) field: Field,
    pub(crate) kind: Kind,
    pub(crate) is_decoded: bool,
    is_dead: bool,
    start: u32,
    end: u32,
    pub(crate) place: u32,
    next: u32,
}

/// An element of an array: an object or an array in it. Scalars stand for the array itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The element around the array.
    pub(crate) parent: u32,
    pub(crate) array: u32,
    pub(crate) index: u32,
    /// Parts of the path of the array.
    pub(crate) depth: u32,
}

impl Found {
    /// Forgets the last event.
    pub(crate) fn clear(&mut self, fields: usize) {
        if self.heads.len() < fields {
            self.heads.resize(fields, Head::default());
            self.visits.resize(fields, Visit::default());
        }
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.heads.fill(Head::default());
            self.visits.fill(Visit::default());
            self.round = 1;
        }
        self.leaves.clear();
        self.fields.clear();
        self.places.clear();
        self.places.push(Place { parent: OUTSIDE, array: NONE, index: 0, depth: 0 });
        self.decoded.clear();
        self.is_dotted = false;
        self.is_stale = false;
    }

    /// Whether everything that was found lies in no array, or in one as a scalar.
    #[inline]
    pub(crate) fn is_flat(&self) -> bool {
        self.places.len() == 1
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        field: Field,
        kind: Kind,
        (start, end): (usize, usize),
        is_decoded: bool,
        place: u32,
    ) {
        let leaf = Leaf {
            field,
            kind,
            is_decoded,
            is_dead: false,
            start: start as u32,
            end: end as u32,
            place,
            next: NONE,
        };
        let index = self.leaves.len() as u32;
        self.leaves.push(leaf);
        self.link(field, index);
    }

    #[inline]
    fn link(&mut self, field: Field, index: u32) {
        let head = &mut self.heads[field as usize];
        if head.round == self.round {
            self.leaves[head.last as usize].next = index;
            head.last = index;
        } else {
            *head = Head { round: self.round, first: index, last: index };
            self.fields.push(field);
        }
    }

    /// Notes the leaves that a member of an object gave; returns those of an earlier member with
    /// that key. Objects are numbered from 1.
    #[inline]
    pub(crate) fn visit(
        &mut self,
        object: u32,
        field: Field,
        leaves: (u32, u32),
    ) -> Option<(u32, u32)> {
        let visit = Visit { round: self.round, object, leaves };
        let before = std::mem::replace(&mut self.visits[field as usize], visit);
        (before.round == self.round && before.object == object).then_some(before.leaves)
    }

    /// Makes the leaves from `first` on refer to a text of their own.
    pub(crate) fn own(&mut self, first: usize, text: &[u8]) {
        let start = self.decoded.len() as u32;
        self.decoded.extend_from_slice(text);
        for leaf in self.leaves[first..].iter_mut().filter(|leaf| !leaf.is_decoded) {
            leaf.is_decoded = true;
            leaf.start += start;
            leaf.end += start;
        }
    }

    /// Drops leaves whose key came again later.
    pub(crate) fn kill(&mut self, from: u32, to: u32) {
        for leaf in &mut self.leaves[from as usize..to as usize] {
            leaf.is_dead = true;
            self.is_stale = true;
        }
    }

    /// Ends a walk: what is dead is forgotten.
    pub(crate) fn settle(&mut self) {
        if !self.is_stale {
            return;
        }
        self.heads.fill(Head::default());
        self.fields.clear();
        self.leaves.retain(|leaf| !leaf.is_dead);
        for index in 0..self.leaves.len() {
            self.leaves[index].next = NONE;
            self.link(self.leaves[index].field, index as u32);
        }
    }

    /// The leaves of a field.
    #[inline]
    pub(crate) fn of(&self, field: Field) -> Leaves<'_> {
        let head = self.heads.get(field as usize).copied().unwrap_or_default();
        let next = if head.round == self.round { head.first } else { NONE };
        Leaves { leaves: &self.leaves, next }
    }

    /// The value of a leaf in `event`.
    #[inline]
    pub(crate) fn value<'a>(&'a self, leaf: &Leaf, event: &'a [u8]) -> Value<'a> {
        let source = if leaf.is_decoded { &self.decoded } else { event };
        Value::new(leaf.kind, &source[leaf.start as usize..leaf.end as usize])
    }
}

/// The leaves of a field.
#[derive(Clone)]
pub(crate) struct Leaves<'a> {
    leaves: &'a [Leaf],
    next: u32,
}

impl<'a> Iterator for Leaves<'a> {
    type Item = &'a Leaf;

    #[inline]
    fn next(&mut self) -> Option<&'a Leaf> {
        let leaf = self.leaves.get(self.next as usize)?;
        self.next = leaf.next;
        Some(leaf)
    }
}
