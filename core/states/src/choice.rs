//! The conditions of Choice rules in JSONPath mode.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::jsonata::Query;
use crate::moment;
use crate::selector::Selector;
use crate::value::Value;

/// When a rule of a Choice state holds.
#[derive(Debug)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Test {
        variable: Selector,
        test: Test,
    },
    /// JSONata.
    Query(Query),
    /// JSONata: `true` or `false` without an expression.
    Given(bool),
}

/// What is asked of a value.
#[derive(Debug)]
pub(crate) enum Test {
    Compare { sort: Sort, relation: Relation, with: Operand },
    Matches(Arc<str>),
    Is { property: Property, wanted: bool },
}

/// What a value is compared with.
#[derive(Debug)]
pub(crate) enum Operand {
    Given(Value),
    Path(Selector),
}

/// As what two values are compared; values of other types are not equal, nor in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    String,
    Numeric,
    Boolean,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Null,
    Present,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

/// The operator that a field of a rule names: its test, and whether a path is compared with.
pub(crate) enum Operator {
    Compare(Sort, Relation, bool),
    Matches,
    Is(Property),
}

impl Operator {
    /// The operator of this name.
    pub fn named(name: &str) -> Option<Operator> {
        let is = match name {
            "StringMatches" => return Some(Operator::Matches),
            "IsNull" => Property::Null,
            "IsPresent" => Property::Present,
            "IsNumeric" => Property::Numeric,
            "IsString" => Property::String,
            "IsBoolean" => Property::Boolean,
            "IsTimestamp" => Property::Timestamp,
            _ => return Operator::comparison(name),
        };
        Some(Operator::Is(is))
    }

    fn comparison(name: &str) -> Option<Operator> {
        let (name, path) = match name.strip_suffix("Path") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let sorts = [
            ("String", Sort::String),
            ("Numeric", Sort::Numeric),
            ("Boolean", Sort::Boolean),
            ("Timestamp", Sort::Timestamp),
        ];
        let (rest, sort) =
            sorts.into_iter().find_map(|(word, sort)| Some((name.strip_prefix(word)?, sort)))?;
        let relation = match rest {
            "Equals" => Relation::Equals,
            "LessThan" => Relation::LessThan,
            "GreaterThan" => Relation::GreaterThan,
            "LessThanEquals" => Relation::LessThanEquals,
            "GreaterThanEquals" => Relation::GreaterThanEquals,
            _ => return None,
        };
        if sort == Sort::Boolean && relation != Relation::Equals {
            return None;
        }
        Some(Operator::Compare(sort, relation, path))
    }
}

/// Compares two values as `sort`.
pub(crate) fn compare(sort: Sort, relation: Relation, left: &Value, right: &Value) -> bool {
    let order = match (sort, left, right) {
        (Sort::String, Value::String(left), Value::String(right)) => {
            Some(left.encode_utf16().cmp(right.encode_utf16()))
        }
        (Sort::Numeric, Value::Number(left), Value::Number(right)) => {
            if left == right {
                Some(Ordering::Equal)
            } else {
                left.as_f64().partial_cmp(&right.as_f64())
            }
        }
        (Sort::Boolean, Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Sort::Timestamp, Value::String(left), Value::String(right)) => {
            match (moment::parse(left), moment::parse(right)) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => None,
            }
        }
        _ => None,
    };
    let Some(order) = order else { return false };
    match relation {
        Relation::Equals => order.is_eq(),
        Relation::LessThan => order.is_lt(),
        Relation::GreaterThan => order.is_gt(),
        Relation::LessThanEquals => order.is_le(),
        Relation::GreaterThanEquals => order.is_ge(),
    }
}

/// Whether a value that is present has a property.
pub(crate) fn has(property: Property, value: &Value) -> bool {
    match property {
        Property::Present => true,
        Property::Null => matches!(value, Value::Null),
        Property::Numeric => matches!(value, Value::Number(_)),
        Property::String => matches!(value, Value::String(_)),
        Property::Boolean => matches!(value, Value::Bool(_)),
        Property::Timestamp => value.as_str().is_some_and(|text| moment::parse(text).is_some()),
    }
}

/// Whether a text matches a pattern in which `*` stands for any text, and `\*` for a star.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    #[derive(PartialEq)]
    enum Part {
        Star,
        Letter(char),
    }
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            '*' => Part::Star,
            '\\' => Part::Letter(letters.next().unwrap_or('\\')),
            letter => Part::Letter(letter),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part, mut star) = (0, 0, None);
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Letter(letter)) if *letter == text[at] => {
                at += 1;
                part += 1;
            }
            Some(Part::Star) => {
                star = Some((part, at));
                part += 1;
            }
            _ => match star {
                // The last star takes one letter more.
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    at = taken + 1;
                    part = back + 1;
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| *part == Part::Star)
}
