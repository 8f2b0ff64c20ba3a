//! The fields extracted from an event: the scalars at named paths, and the array elements that
//! contain them.

use crate::event::value::{Value, ValueKind};
use crate::paths::Field;

/// No leaf or array.
pub(crate) const NONE: u32 = u32::MAX;

/// The root: the element of values outside of arrays.
pub(crate) const ROOT_ELEMENT: u32 = 0;

/// See the module.
#[derive(Default)]
pub(crate) struct ExtractedFields {
    /// By field: its first and last leaf; valid if its epoch is the current one.
    heads: Vec<Head>,
    epoch: u32,
    pub(crate) leaves: Vec<Leaf>,
    /// The fields that have leaves, in order of discovery.
    pub(crate) fields: Vec<Field>,
    /// Array elements around leaves; the first is `ROOT_ELEMENT`.
    pub(crate) elements: Vec<ArrayElement>,
    /// Decoded strings.
    pub(crate) decoded: Vec<u8>,
    /// Whether a key with dots led to a named path.
    pub(crate) is_dotted: bool,
    /// By field: the object in which it occurred last, and its leaves there.
    members: Vec<Member>,
    /// Whether leaves were discarded, so that `heads` must be rebuilt.
    has_discarded: bool,
}

#[derive(Clone, Copy, Default)]
struct Head {
    epoch: u32,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Default)]
struct Member {
    epoch: u32,
    object: u32,
    leaves: (u32, u32),
}

/// A scalar of the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) field: Field,
    pub(crate) kind: ValueKind,
    pub(crate) is_decoded: bool,
    is_discarded: bool,
    start: u32,
    end: u32,
    pub(crate) element: u32,
    next: u32,
}

/// An object or array that is an element of an array. A scalar element belongs to the element
/// around its array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayElement {
    /// The element around the array.
    pub(crate) parent: u32,
    pub(crate) array: u32,
    pub(crate) index: u32,
    /// Parts of the array's path.
    pub(crate) depth: u32,
}

impl ExtractedFields {
    /// Prepares for the next event.
    pub(crate) fn clear(&mut self, fields: usize) {
        if self.heads.len() < fields {
            self.heads.resize(fields, Head::default());
            self.members.resize(fields, Member::default());
        }
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.heads.fill(Head::default());
            self.members.fill(Member::default());
            self.epoch = 1;
        }
        self.leaves.clear();
        self.fields.clear();
        self.elements.clear();
        self.elements.push(ArrayElement { parent: ROOT_ELEMENT, array: NONE, index: 0, depth: 0 });
        self.decoded.clear();
        self.is_dotted = false;
        self.has_discarded = false;
    }

    /// Whether no extracted value lies in a nested array element.
    #[inline]
    pub(crate) fn is_flat(&self) -> bool {
        self.elements.len() == 1
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        field: Field,
        kind: ValueKind,
        (start, end): (usize, usize),
        is_decoded: bool,
        element: u32,
    ) {
        let leaf = Leaf {
            field,
            kind,
            is_decoded,
            is_discarded: false,
            start: start as u32,
            end: end as u32,
            element,
            next: NONE,
        };
        let index = self.leaves.len() as u32;
        self.leaves.push(leaf);
        self.link(field, index);
    }

    #[inline]
    fn link(&mut self, field: Field, index: u32) {
        let head = &mut self.heads[field as usize];
        if head.epoch == self.epoch {
            self.leaves[head.last as usize].next = index;
            head.last = index;
        } else {
            *head = Head { epoch: self.epoch, first: index, last: index };
            self.fields.push(field);
        }
    }

    /// Records the leaves of an object member; returns those of an earlier member with the same
    /// key. Objects are numbered from 1.
    #[inline]
    pub(crate) fn record_member(
        &mut self,
        object: u32,
        field: Field,
        leaves: (u32, u32),
    ) -> Option<(u32, u32)> {
        let record_member = Member { epoch: self.epoch, object, leaves };
        let before = std::mem::replace(&mut self.members[field as usize], record_member);
        (before.epoch == self.epoch && before.object == object).then_some(before.leaves)
    }

    /// Copies `text`, and makes the leaves from `first` on refer to the copy.
    pub(crate) fn copy_text(&mut self, first: usize, text: &[u8]) {
        let start = self.decoded.len() as u32;
        self.decoded.extend_from_slice(text);
        for leaf in self.leaves[first..].iter_mut().filter(|leaf| !leaf.is_decoded) {
            leaf.is_decoded = true;
            leaf.start += start;
            leaf.end += start;
        }
    }

    /// Discards the leaves of a member whose key occurred again.
    pub(crate) fn discard_range(&mut self, from: u32, to: u32) {
        for leaf in &mut self.leaves[from as usize..to as usize] {
            leaf.is_discarded = true;
            self.has_discarded = true;
        }
    }

    /// Ends the extraction: removes discarded leaves.
    pub(crate) fn finish(&mut self) {
        if !self.has_discarded {
            return;
        }
        self.heads.fill(Head::default());
        self.fields.clear();
        self.leaves.retain(|leaf| !leaf.is_discarded);
        for index in 0..self.leaves.len() {
            self.leaves[index].next = NONE;
            self.link(self.leaves[index].field, index as u32);
        }
    }

    /// The leaves of a field.
    #[inline]
    pub(crate) fn of(&self, field: Field) -> Leaves<'_> {
        let head = self.heads.get(field as usize).copied().unwrap_or_default();
        let next = if head.epoch == self.epoch { head.first } else { NONE };
        Leaves { leaves: &self.leaves, next }
    }

    /// The value of a leaf; `event` is the text of the event.
    #[inline]
    pub(crate) fn value<'a>(&'a self, leaf: &Leaf, event: &'a [u8]) -> Value<'a> {
        let source = if leaf.is_decoded { &self.decoded } else { event };
        Value::new(leaf.kind, &source[leaf.start as usize..leaf.end as usize])
    }
}

/// Iterator over the leaves of a field.
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
