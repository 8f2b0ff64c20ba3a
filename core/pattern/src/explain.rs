//! Explains why an event does not match: the first field that failed, its values, and the tests.

use std::fmt;

use crate::compile::encoding;
use crate::compile::parser::Branch;
use crate::compile::test::{Test, quoted};
use crate::error::InvalidEvent;
use crate::event::array_match::{ElementMarks, FlattenedEvent, satisfies};
use crate::event::value::ValueKind;

/// The result of `Pattern::explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the event matches.
    pub matched: bool,
    /// If it does not match: the failure of the branch that matched the most fields.
    pub failure: Option<Failure>,
}

/// The first field of a branch that failed. Fields are evaluated in the order of their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The dotted path of the field.
    pub path: String,
    /// The values of the field, as JSON; empty if it has none.
    pub found: Vec<String>,
    /// The tests of the field, as entries of a pattern.
    pub wanted: Vec<String>,
    /// The kind of failure.
    pub reason: Reason,
    /// The index of the branch; `$or` makes several.
    pub branch: usize,
    /// The number of branches of the pattern.
    pub branches: usize,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The field has no value.
    Missing,
    /// The field has a value and must have none.
    Present,
    /// No value passes a test.
    Differs,
    /// A value passes a test, but lies in another array element than the fields before it.
    OtherElement,
}

impl Reason {
    /// The reason as one word, for machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Missing => "missing",
            Reason::Present => "present",
            Reason::Differs => "differs",
            Reason::OtherElement => "other-element",
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => f.write_str("The event matches."),
            Some(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted.join(" or ");
        let found = self.found.join(", ");
        write!(f, "The field {} ", quoted(&self.path))?;
        match self.reason {
            Reason::Missing => write!(f, "is missing; wanted {wanted}."),
            Reason::Present => write!(f, "is {found}; wanted {wanted}."),
            Reason::Differs => write!(f, "is {found}; wanted {wanted}."),
            Reason::OtherElement => write!(
                f,
                "is {found}, which is wanted, but not in the element of the array in which the \
                 fields before it match; wanted there {wanted}."
            ),
        }?;
        if self.branches > 1 {
            let (branch, branches) = (self.branch + 1, self.branches);
            write!(f, " This is branch {branch} of {branches}, the one that came furthest.")?;
        }
        Ok(())
    }
}

/// Explains a flattened event; `flattened.paths` contains the fields of the branches.
pub(crate) fn explain(
    flattened: FlattenedEvent<'_>,
    branches: &[Branch],
    marks: &mut ElementMarks,
) -> Result<Explanation, InvalidEvent> {
    let mut furthest: Option<(usize, Failure)> = None;
    for (index, branch) in branches.iter().enumerate() {
        let Some((passed, mut failure)) = failure_of(flattened, branch, marks)? else {
            return Ok(Explanation { matched: true, failure: None });
        };
        failure.branch = index;
        failure.branches = branches.len();
        if furthest.as_ref().is_none_or(|(most, _)| passed > *most) {
            furthest = Some((passed, failure));
        }
    }
    Ok(Explanation { matched: false, failure: furthest.map(|(_, failure)| failure) })
}

/// The number of fields that passed and the failure of the next one; none if the branch matches.
fn failure_of(
    flattened: FlattenedEvent<'_>,
    branch: &Branch,
    marks: &mut ElementMarks,
) -> Result<Option<(usize, Failure)>, InvalidEvent> {
    // Evaluates the branch with one more field each time; the first field that makes it fail is
    // reported.
    let mut so_far = vec![encoding::UNORDERED];
    for (passed, (path, tests)) in branch.iter().enumerate() {
        let Some(field) = flattened.paths.find(path) else {
            continue;
        };
        encoding::push_field(&mut so_far, field, tests);
        if satisfies(flattened, &so_far, marks)? {
            continue;
        }
        let leaves = flattened.fields.of(field);
        let values: Vec<_> =
            leaves.map(|leaf| flattened.fields.value(leaf, flattened.text)).collect();
        let mut own = Vec::new();
        encoding::push_field(&mut own, field, tests);
        let accepted = encoding::Fields(&own)
            .any(|(_, tests)| values.iter().any(|value| value.passes(tests.clone())));
        let reason = match values.is_empty() {
            true => Reason::Missing,
            false if accepted => Reason::OtherElement,
            false if tests.iter().all(|test| *test == Test::Absent) => Reason::Present,
            false => Reason::Differs,
        };
        let failure = Failure {
            path: String::from_utf8_lossy(path).into_owned(),
            found: values.iter().map(|value| shown(value.kind, value.text)).collect(),
            wanted: tests.iter().map(Test::shown).collect(),
            reason,
            branch: 0,
            branches: 0,
        };
        return Ok(Some((passed, failure)));
    }
    Ok(None)
}

fn shown(kind: ValueKind, text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    match kind {
        ValueKind::Text => quoted(&text),
        ValueKind::Number => text.into_owned(),
        ValueKind::True => "true".to_owned(),
        ValueKind::False => "false".to_owned(),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Binary => "a binary".to_owned(),
    }
}
