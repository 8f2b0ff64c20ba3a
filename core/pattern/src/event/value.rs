//! A scalar of an event, and its evaluation against tests.

use std::cell::OnceCell;

use crate::compare::address;
use crate::compare::case_fold;
use crate::compare::number;
use crate::compare::wildcard;
use crate::compile::encoding::{self, Tests, op};

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Text,
    Number,
    True,
    False,
    Null,
    /// A binary attribute of a message: only its existence is known.
    Binary,
}

/// A scalar: strings decoded and without quotes, numbers as written.
pub(crate) struct Value<'a> {
    pub(crate) kind: ValueKind,
    pub(crate) text: &'a [u8],
    double: OnceCell<Option<f64>>,
}

impl<'a> Value<'a> {
    pub(crate) fn new(kind: ValueKind, text: &'a [u8]) -> Self {
        Self { kind, text, double: OnceCell::new() }
    }

    /// The double that represents a number; none for other types.
    pub(crate) fn double(&self) -> Option<f64> {
        if self.kind != ValueKind::Number {
            return None;
        }
        *self.double.get_or_init(|| number::double(self.text))
    }

    /// Whether the value passes one of `tests`.
    pub(crate) fn passes(&self, mut tests: Tests<'_>) -> bool {
        tests.any(|(operator, operand)| self.passes_one(operator, operand))
    }

    fn passes_one(&self, operator: u8, operand: &[u8]) -> bool {
        match operator {
            op::ABSENT => false,
            op::EXISTS => true,
            op::TRUE => self.kind == ValueKind::True,
            op::FALSE => self.kind == ValueKind::False,
            op::NULL => self.kind == ValueKind::Null,
            op::DOUBLE => self.double() == Some(encoding::double_of(operand)),
            op::DIGITS => self.kind == ValueKind::Number && self.text == operand,
            op::RANGE => {
                self.double().is_some_and(|value| encoding::range_of(operand).holds(value))
            }
            op::ANYTHING_BUT => self.kind != ValueKind::Binary && !self.passes(Tests(operand)),
            _ => self.kind == ValueKind::Text && text_passes(operator, operand, self.text),
        }
    }
}

fn text_passes(operator: u8, operand: &[u8], text: &[u8]) -> bool {
    match operator {
        op::TEXT => text == operand,
        op::PREFIX => text.starts_with(operand),
        op::SUFFIX => text.ends_with(operand),
        op::EQUALS_IGNORE_CASE => case_fold::prefix_len(operand, text) == Some(text.len()),
        op::PREFIX_IGNORE_CASE => case_fold::prefix_len(operand, text).is_some(),
        op::SUFFIX_IGNORE_CASE => case_fold::suffix_len(operand, text).is_some(),
        op::WILDCARD => wildcard::matches(operand, text),
        op::NETWORK => {
            address::parse(text).is_some_and(|found| encoding::network_of(operand).holds(found))
        }
        _ => unreachable!("operators are written by this crate alone"),
    }
}
