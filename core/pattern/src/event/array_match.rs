//! Evaluation of a branch against a flattened event, with AWS's array semantics: values from
//! different elements of the same array do not match together.
//!
//! Fields are evaluated in the order of their paths, as in AWS's matcher; a field that must not
//! exist is checked against the elements that the fields before it selected. A plain search would
//! try all combinations. But two fields share only the arrays on their common path prefix, and
//! neighbours in path order share the longest prefix. So it suffices to keep, after each field, the
//! set of array elements in which all fields so far match: `candidates`. This is linear in the
//! number of leaves.
//!
//! Two cases break the order and use a backtracking search: field names with bytes below the dot
//! (`a-b` sorts between `a` and `a.b`), and event keys with dots, through which one path can lie in
//! two arrays.

use crate::compile::encoding::{self, Fields, Tests, op};
use crate::error::InvalidEvent;
use crate::event::fields::{ArrayElement, ExtractedFields, Leaf, ROOT_ELEMENT};
use crate::limits::SEARCH_STEPS_MAX;
use crate::paths::{Field, Paths};

/// Marks on array elements, reset for each field by incrementing `epoch`.
#[derive(Default)]
pub(crate) struct ElementMarks {
    candidates: Vec<u32>,
    next: Vec<u32>,
    epoch: u32,
    on: Vec<[u32; 4]>,
}

/// A flattened event: what a branch is evaluated against.
#[derive(Clone, Copy)]
pub(crate) struct FlattenedEvent<'a> {
    pub(crate) paths: &'a Paths,
    pub(crate) fields: &'a ExtractedFields,
    pub(crate) text: &'a [u8],
}

/// Whether the event matches the encoded branch `code`.
#[inline]
pub(crate) fn satisfies(
    flattened: FlattenedEvent<'_>,
    code: &[u8],
    marks: &mut ElementMarks,
) -> Result<bool, InvalidEvent> {
    let Some((&flags, fields)) = code.split_first() else {
        return Ok(true);
    };
    let fields = Fields(fields);
    if flattened.fields.is_flat() {
        return Ok(fields.into_iter().all(|(field, tests)| flattened.has_leaf(field, tests)));
    }
    if flattened.fields.is_dotted || flags & encoding::UNORDERED != 0 {
        let mut search = BacktrackingSearch { flattened, chosen: Vec::new(), steps: 0 };
        return search.choose(fields);
    }
    Ok(marks.satisfies(flattened, fields))
}

impl FlattenedEvent<'_> {
    /// Whether a field passes, in an event without nested arrays.
    #[inline]
    fn has_leaf(&self, field: Field, tests: Tests<'_>) -> bool {
        let mut leaves = self.fields.of(field).peekable();
        if leaves.peek().is_none() {
            return allows_absence(tests);
        }
        leaves.any(|leaf| self.passes(leaf, tests.clone()))
    }

    #[inline]
    fn passes(&self, leaf: &Leaf, tests: Tests<'_>) -> bool {
        self.fields.value(leaf, self.text).passes(tests)
    }
}

/// Whether the tests allow that the field is missing.
pub(crate) fn allows_absence(mut tests: Tests<'_>) -> bool {
    tests.any(|(operator, _)| operator == op::ABSENT)
}

/// Indexes into the marks of an element.
const IN_HERE: usize = 0;
const ABOVE_HERE: usize = 1;
const AT_LEAF: usize = 2;
const ABOVE_LEAF: usize = 3;

impl ElementMarks {
    fn satisfies(&mut self, flattened: FlattenedEvent<'_>, fields: Fields<'_>) -> bool {
        self.candidates.clear();
        self.candidates.push(ROOT_ELEMENT);
        self.on.resize(self.on.len().max(flattened.fields.elements.len()), [0; 4]);
        let mut before = None;
        for (field, tests) in fields {
            let depth = before.map_or(0, |before| flattened.paths.shared_depth(before, field));
            before = Some(field);
            self.step(flattened, field, &tests, depth);
            if self.candidates.is_empty() {
                return false;
            }
        }
        true
    }

    /// Advances `candidates` by one field. Its path shares `depth` parts with the field before.
    fn step(&mut self, flattened: FlattenedEvent<'_>, field: Field, tests: &Tests<'_>, depth: u32) {
        let elements = &flattened.fields.elements;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.on.fill([0; 4]);
            self.epoch = 1;
        }
        for index in 0..self.candidates.len() {
            let element = ancestor_at(elements, self.candidates[index], depth);
            self.candidates[index] = element;
            self.mark(elements, element, IN_HERE, ABOVE_HERE);
        }
        let may_be_absent = allows_absence(tests.clone());
        self.next.clear();
        for leaf in flattened.fields.of(field) {
            let element = ancestor_at(elements, leaf.element, depth);
            if may_be_absent {
                self.mark(elements, element, AT_LEAF, ABOVE_LEAF);
            }
            if self.is_compatible(elements, element, IN_HERE, ABOVE_HERE)
                && flattened.passes(leaf, tests.clone())
            {
                self.next.push(leaf.element);
            }
        }
        if may_be_absent {
            // An element without a compatible value has no value.
            for index in 0..self.candidates.len() {
                let element = self.candidates[index];
                if !self.is_compatible(elements, element, AT_LEAF, ABOVE_LEAF) {
                    self.next.push(element);
                }
            }
        }
        std::mem::swap(&mut self.candidates, &mut self.next);
    }

    fn mark(&mut self, elements: &[ArrayElement], element: u32, at: usize, above: usize) {
        self.on[element as usize][at] = self.epoch;
        let mut element = element;
        while element != ROOT_ELEMENT {
            element = elements[element as usize].parent;
            let marks = &mut self.on[element as usize];
            if marks[above] == self.epoch {
                break;
            }
            marks[above] = self.epoch;
        }
    }

    /// Whether `element` is a marked element, its ancestor or its descendant.
    fn is_compatible(
        &self,
        elements: &[ArrayElement],
        mut element: u32,
        at: usize,
        above: usize,
    ) -> bool {
        if self.on[element as usize][above] == self.epoch {
            return true;
        }
        loop {
            if self.on[element as usize][at] == self.epoch {
                return true;
            }
            if element == ROOT_ELEMENT {
                return false;
            }
            element = elements[element as usize].parent;
        }
    }
}

/// The innermost ancestor of `element` (or itself) whose array path has at most `depth` parts.
fn ancestor_at(elements: &[ArrayElement], mut element: u32, depth: u32) -> u32 {
    while element != ROOT_ELEMENT && elements[element as usize].depth > depth {
        element = elements[element as usize].parent;
    }
    element
}

/// Backtracking search, for events and branches that break the order.
struct BacktrackingSearch<'a> {
    flattened: FlattenedEvent<'a>,
    chosen: Vec<u32>,
    steps: usize,
}

impl BacktrackingSearch<'_> {
    fn choose(&mut self, mut fields: Fields<'_>) -> Result<bool, InvalidEvent> {
        let Some((field, tests)) = fields.next() else {
            return Ok(true);
        };
        let mut is_absent = true;
        for leaf in self.flattened.fields.of(field) {
            self.steps += 1 + self.chosen.len();
            if self.steps > SEARCH_STEPS_MAX {
                let message = "keys with dots put one path into several arrays, and too many \
                               elements of them could belong together";
                return Err(InvalidEvent::new(message, 0));
            }
            if !self.chosen.iter().all(|&other| self.are_compatible(leaf.element, other)) {
                continue;
            }
            is_absent = false;
            if self.flattened.passes(leaf, tests.clone()) {
                self.chosen.push(leaf.element);
                let is_complete = self.choose(fields.clone())?;
                self.chosen.pop();
                if is_complete {
                    return Ok(true);
                }
            }
        }
        Ok(is_absent && allows_absence(tests) && self.choose(fields)?)
    }

    /// Whether two elements agree in every array that both lie in.
    fn are_compatible(&self, a: u32, b: u32) -> bool {
        let elements = &self.flattened.fields.elements;
        let mut left = a;
        while left != ROOT_ELEMENT {
            let one = elements[left as usize];
            let mut right = b;
            while right != ROOT_ELEMENT {
                let other = elements[right as usize];
                if one.array == other.array && one.index != other.index {
                    return false;
                }
                right = other.parent;
            }
            left = one.parent;
        }
        true
    }
}
