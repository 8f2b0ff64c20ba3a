//! The text of a path to its steps.

use std::sync::Arc;

use super::cursor::Cursor;
use super::filter;
use super::{Function, Path, Step};

/// Longer paths are refused.
const STEPS_MAX: usize = 256;

impl Path {
    /// Parses a path that starts with `$`. `None`: it is none.
    pub fn parse(text: &str) -> Option<Path> {
        let mut cursor = Cursor::new(text, steps);
        cursor.expect('$')?;
        let steps = steps(&mut cursor)?;
        if !cursor.rest().is_empty() {
            return None;
        }
        Some(Path::new(text, steps))
    }

    pub(super) fn new(source: &str, steps: Vec<Step>) -> Path {
        let last = steps.len().saturating_sub(1);
        let definite = steps.iter().enumerate().all(|(index, step)| match step {
            Step::Key(_) | Step::Index(_) | Step::Function(_) => true,
            Step::Keys(_) => index == last,
            _ => false,
        });
        Path { source: Arc::from(source), steps, definite }
    }
}

/// The steps after `$` or `@`, up to the first letter that continues no path.
pub(super) fn steps(cursor: &mut Cursor<'_>) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    loop {
        if steps.len() > STEPS_MAX {
            return None;
        }
        match cursor.peek() {
            Some('.') => {
                cursor.next();
                if cursor.accept(".") {
                    steps.push(Step::Descend);
                    if cursor.peek() == Some('[') {
                        continue;
                    }
                }
                // `$.[0]` is `$[0]`.
                if cursor.peek() == Some('[') {
                    continue;
                }
                dotted(cursor, &mut steps)?;
            }
            Some('[') => {
                cursor.next();
                steps.push(bracketed(cursor)?);
            }
            _ => break,
        }
    }
    // A scan ends with what it looks for.
    if let Some(Step::Descend) = steps.last() {
        return None;
    }
    Some(steps)
}

fn dotted(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>) -> Option<()> {
    if cursor.accept("*") {
        steps.push(Step::Wildcard);
        return Some(());
    }
    let ends =
        |letter: char| letter.is_whitespace() || ".[]()*@,:?'\"<>=!&|~+/\\{}^#".contains(letter);
    let name = cursor.until(ends);
    if name.is_empty() {
        return None;
    }
    if cursor.accept("()") {
        steps.push(Step::Function(function(name)?));
    } else {
        steps.push(Step::Key(Arc::from(name)));
    }
    Some(())
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "length" | "size" => Function::Length,
        "min" => Function::Min,
        "max" => Function::Max,
        "avg" => Function::Avg,
        "sum" => Function::Sum,
        "stddev" => Function::StdDev,
        "first" => Function::First,
        "last" => Function::Last,
        "keys" => Function::Keys,
        _ => return None,
    })
}

fn bracketed(cursor: &mut Cursor<'_>) -> Option<Step> {
    cursor.space();
    let step = match cursor.peek()? {
        '*' => {
            cursor.next();
            Step::Wildcard
        }
        '\'' | '"' => {
            let mut keys: Vec<Arc<str>> = vec![Arc::from(cursor.quoted()?)];
            while separated(cursor) {
                keys.push(Arc::from(cursor.quoted()?));
            }
            match keys.len() {
                1 => Step::Key(keys.remove(0)),
                _ => Step::Keys(keys),
            }
        }
        '?' => {
            cursor.next();
            cursor.space();
            cursor.expect('(')?;
            let filter = filter::parse(cursor)?;
            cursor.space();
            cursor.expect(')')?;
            Step::Filter(Arc::new(filter))
        }
        _ => numbers(cursor)?,
    };
    cursor.space();
    cursor.expect(']')?;
    Some(step)
}

fn separated(cursor: &mut Cursor<'_>) -> bool {
    cursor.space();
    let found = cursor.accept(",");
    cursor.space();
    found
}

fn numbers(cursor: &mut Cursor<'_>) -> Option<Step> {
    let first = cursor.integer();
    cursor.space();
    if cursor.accept(":") {
        cursor.space();
        let second = cursor.integer();
        return (first.is_some() || second.is_some()).then_some(Step::Slice(first, second));
    }
    let mut indexes = vec![first?];
    while separated(cursor) {
        indexes.push(cursor.integer()?);
    }
    Some(match indexes.as_slice() {
        [index] => Step::Index(*index),
        _ => Step::Indexes(indexes),
    })
}
