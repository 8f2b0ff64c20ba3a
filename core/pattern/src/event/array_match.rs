//! Whether an event is what a branch asks for, arrays included: values that lie in different
//! elements of one array do not belong together.
//!
//! As in AWS's matcher, fields choose in the order of their paths, and a field that must not exist
//! looks at the choices of the fields before it. A plain search would try all combinations. But two
//! fields share the arrays on the common part of their paths only, and fields in the order of a
//! walk share most with their neighbours. So it is enough to know, after each field, in which
//! elements all fields so far can be satisfied: `here`. That is linear in the leaves.
//!
//! Two things break that order, and are searched after all: names with bytes below the dot (`a-b`
//! stands between `a` and `a.b`), and keys with dots, by which one path can lie in two arrays.

use crate::compile::encoding::{self, Fields, Tests, op};
use crate::error::InvalidEvent;
use crate::event::fields::{Found, Leaf, OUTSIDE, Place};
use crate::limits::SEARCH_STEPS_MAX;
use crate::paths::{Field, Paths};

/// Marks on places, one set a step of one question.
#[derive(Default)]
pub(crate) struct Marks {
    here: Vec<u32>,
    next: Vec<u32>,
    round: u32,
    on: Vec<[u32; 4]>,
}

/// An event that was walked.
#[derive(Clone, Copy)]
pub(crate) struct Walked<'a> {
    pub(crate) paths: &'a Paths,
    pub(crate) found: &'a Found,
    pub(crate) text: &'a [u8],
}

/// Whether the event satisfies the branch that `code` is.
#[inline]
pub(crate) fn satisfies(
    walked: Walked<'_>,
    code: &[u8],
    marks: &mut Marks,
) -> Result<bool, InvalidEvent> {
    let Some((&flags, fields)) = code.split_first() else {
        return Ok(true);
    };
    let fields = Fields(fields);
    if walked.found.is_flat() {
        return Ok(fields.into_iter().all(|(field, tests)| walked.has_leaf(field, tests)));
    }
    if walked.found.is_dotted || flags & encoding::UNORDERED != 0 {
        let mut search = Search { walked, chosen: Vec::new(), steps: 0 };
        return search.choose(fields);
    }
    Ok(marks.satisfies(walked, fields))
}

impl Walked<'_> {
    /// Whether a field that lies in no array passes.
    #[inline]
    fn has_leaf(&self, field: Field, tests: Tests<'_>) -> bool {
        let mut leaves = self.found.of(field).peekable();
        if leaves.peek().is_none() {
            return allows_absence(tests);
        }
        leaves.any(|leaf| self.passes(leaf, tests.clone()))
    }

    #[inline]
    fn passes(&self, leaf: &Leaf, tests: Tests<'_>) -> bool {
        self.found.value(leaf, self.text).passes(tests)
    }
}

/// Whether no value at all is one of what is wanted.
pub(crate) fn allows_absence(mut tests: Tests<'_>) -> bool {
    tests.any(|(operator, _)| operator == op::ABSENT)
}

/// The marks of `Marks::on`.
const IN_HERE: usize = 0;
const ABOVE_HERE: usize = 1;
const AT_LEAF: usize = 2;
const ABOVE_LEAF: usize = 3;

impl Marks {
    fn satisfies(&mut self, walked: Walked<'_>, fields: Fields<'_>) -> bool {
        self.here.clear();
        self.here.push(OUTSIDE);
        self.on.resize(self.on.len().max(walked.found.places.len()), [0; 4]);
        let mut before = None;
        for (field, tests) in fields {
            let depth = before.map_or(0, |before| walked.paths.shared_depth(before, field));
            before = Some(field);
            self.step(walked, field, &tests, depth);
            if self.here.is_empty() {
                return false;
            }
        }
        true
    }

    /// Moves `here` on by one field, which shares `depth` parts of its path with the one before.
    fn step(&mut self, walked: Walked<'_>, field: Field, tests: &Tests<'_>, depth: u32) {
        let places = &walked.found.places;
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.on.fill([0; 4]);
            self.round = 1;
        }
        for index in 0..self.here.len() {
            let place = shared(places, self.here[index], depth);
            self.here[index] = place;
            self.mark(places, place, IN_HERE, ABOVE_HERE);
        }
        let may_be_absent = allows_absence(tests.clone());
        self.next.clear();
        for leaf in walked.found.of(field) {
            let place = shared(places, leaf.place, depth);
            if may_be_absent {
                self.mark(places, place, AT_LEAF, ABOVE_LEAF);
            }
            if self.agrees(places, place, IN_HERE, ABOVE_HERE) && walked.passes(leaf, tests.clone())
            {
                self.next.push(leaf.place);
            }
        }
        if may_be_absent {
            // Where no value agrees there is none.
            for index in 0..self.here.len() {
                let place = self.here[index];
                if !self.agrees(places, place, AT_LEAF, ABOVE_LEAF) {
                    self.next.push(place);
                }
            }
        }
        std::mem::swap(&mut self.here, &mut self.next);
    }

    fn mark(&mut self, places: &[Place], place: u32, at: usize, above: usize) {
        self.on[place as usize][at] = self.round;
        let mut place = place;
        while place != OUTSIDE {
            place = places[place as usize].parent;
            let marks = &mut self.on[place as usize];
            if marks[above] == self.round {
                break;
            }
            marks[above] = self.round;
        }
    }

    /// Whether a marked place is around `place`, or in it, or it.
    fn agrees(&self, places: &[Place], mut place: u32, at: usize, above: usize) -> bool {
        if self.on[place as usize][above] == self.round {
            return true;
        }
        loop {
            if self.on[place as usize][at] == self.round {
                return true;
            }
            if place == OUTSIDE {
                return false;
            }
            place = places[place as usize].parent;
        }
    }
}

/// The place without the arrays below the first `depth` parts of the path.
fn shared(places: &[Place], mut place: u32, depth: u32) -> u32 {
    while place != OUTSIDE && places[place as usize].depth > depth {
        place = places[place as usize].parent;
    }
    place
}

/// The plain search, for events and branches that are out of order.
struct Search<'a> {
    walked: Walked<'a>,
    chosen: Vec<u32>,
    steps: usize,
}

impl Search<'_> {
    fn choose(&mut self, mut fields: Fields<'_>) -> Result<bool, InvalidEvent> {
        let Some((field, tests)) = fields.next() else {
            return Ok(true);
        };
        let mut is_absent = true;
        for leaf in self.walked.found.of(field) {
            self.steps += 1 + self.chosen.len();
            if self.steps > SEARCH_STEPS_MAX {
                let message = "keys with dots put one path into several arrays, and too many \
                               elements of them could belong together";
                return Err(InvalidEvent::new(message, 0));
            }
            if !self.chosen.iter().all(|&other| self.agree(leaf.place, other)) {
                continue;
            }
            is_absent = false;
            if self.walked.passes(leaf, tests.clone()) {
                self.chosen.push(leaf.place);
                let is_complete = self.choose(fields.clone())?;
                self.chosen.pop();
                if is_complete {
                    return Ok(true);
                }
            }
        }
        Ok(is_absent && allows_absence(tests) && self.choose(fields)?)
    }

    /// Whether two places are in the same element of every array that both are in.
    fn agree(&self, a: u32, b: u32) -> bool {
        let places = &self.walked.found.places;
        let mut left = a;
        while left != OUTSIDE {
            let one = places[left as usize];
            let mut right = b;
            while right != OUTSIDE {
                let other = places[right as usize];
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
