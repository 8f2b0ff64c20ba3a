//! The condition of a filter step: `[?(@.price < 10 && @.name =~ /a.*/i)]`.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use super::Path;
use super::cursor::Cursor;
use super::evaluate::Walk;
use crate::value::{Value, parse as parse_json};

/// Deeper conditions are refused.
const DEPTH_MAX: usize = 32;

/// A condition on a value.
#[derive(Debug)]
pub(crate) enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Operator, Operand),
    Matches(Operand, Regex),
}

#[derive(Debug)]
pub(crate) enum Operand {
    /// `@.x`.
    Item(Path),
    /// `$.x`.
    Root(Path),
    Given(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
    SubsetOf,
    AnyOf,
    NoneOf,
}

/// Longest first, so that none is taken for the start of another.
const OPERATORS: [(&str, Operator); 16] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("subsetof", Operator::SubsetOf),
    ("contains", Operator::Contains),
    ("noneof", Operator::NoneOf),
    ("anyof", Operator::AnyOf),
    ("empty", Operator::Empty),
    ("size", Operator::Size),
    ("nin", Operator::NotIn),
    ("NIN", Operator::NotIn),
    ("in", Operator::In),
    ("IN", Operator::In),
];

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Option<Filter> {
    cursor.depth += 1;
    if cursor.depth > DEPTH_MAX {
        return None;
    }
    let mut left = conjunction(cursor)?;
    loop {
        cursor.space();
        if !cursor.accept("||") {
            break;
        }
        left = Filter::Or(Box::new(left), Box::new(conjunction(cursor)?));
    }
    cursor.depth -= 1;
    Some(left)
}

fn conjunction(cursor: &mut Cursor<'_>) -> Option<Filter> {
    let mut left = term(cursor)?;
    loop {
        cursor.space();
        if !cursor.accept("&&") {
            return Some(left);
        }
        left = Filter::And(Box::new(left), Box::new(term(cursor)?));
    }
}

fn term(cursor: &mut Cursor<'_>) -> Option<Filter> {
    cursor.space();
    if cursor.peek() == Some('!') {
        cursor.depth += 1;
        if cursor.depth > DEPTH_MAX {
            return None;
        }
        cursor.next();
        let inner = term(cursor)?;
        cursor.depth -= 1;
        return Some(Filter::Not(Box::new(inner)));
    }
    if cursor.accept("(") {
        let inner = parse(cursor)?;
        cursor.space();
        cursor.expect(')')?;
        return Some(inner);
    }
    let left = operand(cursor)?;
    cursor.space();
    if cursor.accept("=~") {
        cursor.space();
        return Some(Filter::Matches(left, pattern(cursor)?));
    }
    let found = OPERATORS.iter().find(|(text, _)| cursor.accept(text));
    let Some((_, operator)) = found else { return Some(Filter::Exists(left)) };
    cursor.space();
    Some(Filter::Compare(left, *operator, operand(cursor)?))
}

fn operand(cursor: &mut Cursor<'_>) -> Option<Operand> {
    match cursor.peek()? {
        '@' => {
            cursor.next();
            Some(Operand::Item(Path::new("@", (cursor.steps)(cursor)?)))
        }
        '$' => {
            cursor.next();
            Some(Operand::Root(Path::new("$", (cursor.steps)(cursor)?)))
        }
        '\'' | '"' => Some(Operand::Given(Value::string(cursor.quoted()?))),
        '[' => {
            let text = cursor.until(|letter| letter == ']').replace('\'', "\"");
            cursor.expect(']')?;
            Some(Operand::Given(parse_json(&format!("{text}]")).ok()?))
        }
        _ => {
            let ends = |letter: char| {
                letter.is_whitespace() || !(letter.is_alphanumeric() || "+-._".contains(letter))
            };
            Some(Operand::Given(parse_json(cursor.until(ends)).ok()?))
        }
    }
}

fn pattern(cursor: &mut Cursor<'_>) -> Option<Regex> {
    cursor.expect('/')?;
    let mut text = String::new();
    loop {
        match cursor.next()? {
            '/' => break,
            '\\' => match cursor.next()? {
                '/' => text.push('/'),
                other => {
                    text.push('\\');
                    text.push(other);
                }
            },
            letter => text.push(letter),
        }
    }
    let flags = cursor.until(|letter| !letter.is_ascii_alphabetic());
    let flags: String = flags.chars().filter(|flag| "imsx".contains(*flag)).collect();
    let flags = if flags.is_empty() { flags } else { format!("(?{flags})") };
    regex::RegexBuilder::new(&format!("{flags}^(?:{text})$")).size_limit(1 << 20).build().ok()
}

impl Filter {
    pub(super) fn accepts(&self, item: &Value, walk: &mut Walk<'_>) -> bool {
        match self {
            Filter::Or(left, right) => left.accepts(item, walk) || right.accepts(item, walk),
            Filter::And(left, right) => left.accepts(item, walk) && right.accepts(item, walk),
            Filter::Not(inner) => !inner.accepts(item, walk),
            Filter::Exists(operand) => operand.value(item, walk).is_some(),
            Filter::Matches(operand, regex) => match operand.value(item, walk) {
                Some(Value::String(text)) => regex.is_match(&text),
                _ => false,
            },
            Filter::Compare(left, operator, right) => {
                let (left, right) = (left.value(item, walk), right.value(item, walk));
                match (left, right) {
                    (Some(left), Some(right)) => operator.holds(&left, &right),
                    // What is not there differs from everything that is there.
                    (left, right) => match operator {
                        Operator::NotEqual => left.is_some() != right.is_some(),
                        Operator::Equal => left.is_none() && right.is_none(),
                        _ => false,
                    },
                }
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Value, walk: &mut Walk<'_>) -> Option<Value> {
        match self {
            Operand::Item(path) => path.evaluate_at(item, walk).ok(),
            Operand::Root(path) => {
                let root = walk.root;
                path.evaluate_at(root, walk).ok()
            }
            Operand::Given(value) => Some(value.clone()),
        }
    }
}

impl Operator {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let has = |list: &Value, value: &Value| {
            list.as_array().is_some_and(|items| items.contains(value))
        };
        let all = |list: &Value| list.as_array().map(<[Value]>::to_vec).unwrap_or_default();
        match self {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => order(left, right) == Some(Ordering::Less),
            Operator::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
            Operator::Greater => order(left, right) == Some(Ordering::Greater),
            Operator::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
            Operator::In => has(right, left),
            Operator::NotIn => !has(right, left),
            Operator::Contains => match (left, right) {
                (Value::String(text), Value::String(part)) => text.contains(&**part),
                _ => has(left, right),
            },
            Operator::Size => size(left).is_some_and(|size| Some(size) == right.as_i64()),
            Operator::Empty => size(left).is_some_and(|size| Some(size == 0) == right.as_bool()),
            Operator::SubsetOf => all(left).iter().all(|item| has(right, item)),
            Operator::AnyOf => all(left).iter().any(|item| has(right, item)),
            Operator::NoneOf => !all(left).iter().any(|item| has(right, item)),
        }
    }
}

fn size(value: &Value) -> Option<i64> {
    match value {
        Value::Array(items) => Some(items.len() as i64),
        Value::String(text) => Some(text.encode_utf16().count() as i64),
        Value::Object(members) => Some(members.len() as i64),
        _ => None,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
        (Value::String(left), Value::String(right)) => {
            Some(Arc::as_ref(left).cmp(Arc::as_ref(right)))
        }
        _ => None,
    }
}
