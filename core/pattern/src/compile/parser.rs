//! Parses a pattern into branches: nested objects become dotted paths, and `$or` multiplies out.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::wildcard;
use crate::compile::operators;
use crate::compile::test::Test;
use crate::error::{Dialect, ParseError};
use crate::json::reader::{Reader, Token};
use crate::limits::Limits;

/// One alternative of a pattern: a list of tests for each path; all paths must match. Sorted by the
/// bytes of the paths, as in AWS's matcher.
pub(crate) type Branch = BTreeMap<Vec<u8>, Vec<Test>>;

/// Names that AWS does not allow as fields inside `$or`.
const RESERVED: [&[u8]; 24] = [
    b"exactly",
    b"equals-ignore-case",
    b"prefix",
    b"suffix",
    b"anything-but",
    b"exists",
    b"wildcard",
    b"numeric",
    b"cidr",
    b"=",
    b"<",
    b"<=",
    b">",
    b">=",
    b"regex",
    b"not-wildcard",
    b"not-equals-ignore-case",
    b"date-after",
    b"date-on-or-after",
    b"date-before",
    b"date-on-or-before",
    b"in-date-range",
    b"ip-address-in-range",
    b"ip-address-not-in-range",
];

/// Parses a pattern. If it is invalid with `$or` as the operator, it is parsed again with `$or` as
/// a field name. If both fail, the first error is reported.
pub(crate) fn parse(
    text: &str,
    dialect: Dialect,
    limits: &Limits,
) -> Result<Vec<Branch>, ParseError> {
    let mut parser = Parser::new(text, dialect, limits, true);
    let first = parser.pattern();
    let branches = match first {
        Err(error) if parser.seen_or => {
            parser = Parser::new(text, dialect, limits, false);
            parser.pattern().map_err(|_| error)?
        }
        first => first?,
    };
    if dialect != Dialect::EventPattern {
        parser.check_counts(&branches)?;
    }
    check_wildcards(&branches, limits)?;
    Ok(branches)
}

fn check_wildcards(branches: &[Branch], limits: &Limits) -> Result<(), ParseError> {
    for tests in branches.iter().flat_map(BTreeMap::values) {
        let mut wildcards: Vec<&[u8]> = Vec::new();
        for test in tests {
            let inner = match test {
                Test::AnythingBut(inner) => inner.as_slice(),
                test => std::slice::from_ref(test),
            };
            wildcards.extend(inner.iter().filter_map(|test| match test {
                Test::Wildcard(bytes) => Some(bytes.as_slice()),
                _ => None,
            }));
        }
        wildcards.sort_unstable();
        wildcards.dedup();
        if wildcard::is_too_complex(&wildcards, limits.wildcard_complexity) {
            return Err(ParseError::without_position(
                "Rule is too complex - try using fewer wildcard characters or fewer repeating \
                 character sequences after a wildcard character",
            ));
        }
    }
    Ok(())
}

struct Parser<'a> {
    reader: Reader<'a>,
    dialect: Dialect,
    limits: &'a Limits,
    /// Whether `$or` is the operator; otherwise it is a field name.
    is_or_operator: bool,
    seen_or: bool,
    /// Whether an object was the value of a key.
    is_nested: bool,
    /// Nesting depth in `$or` lists, and in keys.
    or_depth: usize,
    depth: usize,
    /// Top-level keys, and the number of keys on each path. The limits of filter policies count
    /// them.
    top_keys: BTreeSet<Vec<u8>>,
    depths: BTreeMap<Vec<u8>, usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, dialect: Dialect, limits: &'a Limits, is_or_operator: bool) -> Self {
        let reader = Reader::new(text, limits.depth);
        Self {
            reader,
            dialect,
            limits,
            is_or_operator,
            seen_or: false,
            is_nested: false,
            or_depth: 0,
            depth: 0,
            top_keys: BTreeSet::new(),
            depths: BTreeMap::new(),
        }
    }

    /// Checks the limits of filter policies: top-level keys, and combinations over all branches.
    fn check_counts(&self, branches: &[Branch]) -> Result<(), ParseError> {
        if self.top_keys.len() > self.limits.filter_keys {
            let keys = self.limits.filter_keys;
            return Err(ParseError::without_position(format!(
                "Filter policy can not have more than {keys} keys"
            )));
        }
        let combinations = branches.iter().fold(0_usize, |sum, branch| {
            let product = branch.iter().fold(1_usize, |product, (path, tests)| {
                let depth = self.depths.get(path).copied().unwrap_or(1);
                product.saturating_mul(tests.len().saturating_mul(depth))
            });
            sum.saturating_add(product)
        });
        if combinations > self.limits.filter_combinations {
            return Err(ParseError::without_position("Filter policy is too complex"));
        }
        Ok(())
    }

    fn pattern(&mut self) -> Result<Vec<Branch>, ParseError> {
        if self.reader.next()? != Token::ObjectStart {
            return Err(ParseError::pattern("Filter is not an object", self.reader.at()));
        }
        let mut branches = vec![Branch::new()];
        self.object(&mut Vec::new(), true, &mut branches)?;
        // AWS tells first what is wrong within.
        if self.is_nested && self.dialect == Dialect::FilterAttributes {
            return Err(ParseError::without_parameter(
                "Filter policy scope MessageAttributes does not support nested filter policy",
            ));
        }
        // AWS's compiler does not read what follows the closing brace, so anything may.
        Ok(branches)
    }

    /// Parses the members of an object from after its opening brace; `path` is the object's path.
    fn object(
        &mut self,
        path: &mut Vec<u8>,
        is_root: bool,
        branches: &mut Vec<Branch>,
    ) -> Result<(), ParseError> {
        let path_len = path.len();
        let mut is_empty = true;
        loop {
            match self.reader.next()? {
                Token::ObjectEnd => break,
                _ => is_empty = false,
            }
            if self.reader.name() == b"$or" {
                self.seen_or = true;
                if self.is_or_operator {
                    self.or(path, is_root, branches)?;
                    continue;
                }
            }
            if self.or_depth > 0 && RESERVED.contains(&self.reader.name()) {
                let name = String::from_utf8_lossy(self.reader.name());
                let reason =
                    format!("{name} is Ruler reserved fieldName which cannot be used inside $or.");
                return Err(ParseError::pattern(reason, self.reader.at()));
            }
            let name = self.reader.name().to_vec();
            if is_root {
                self.top_keys.insert(name.clone());
            } else {
                path.push(b'.');
            }
            path.extend_from_slice(&name);
            self.depth += 1;
            self.member(&name, path, branches)?;
            self.depth -= 1;
            path.truncate(path_len);
        }
        if is_empty {
            let is_policy = self.dialect != Dialect::EventPattern;
            if !(is_root && is_policy && self.or_depth == 0) {
                return Err(ParseError::pattern("Empty objects are not allowed", self.reader.at()));
            }
            // SNS treats an empty policy as no policy. Encode that as a field that may exist or
            // not.
            for branch in branches {
                branch.insert(Vec::new(), vec![Test::Exists, Test::Absent]);
            }
        }
        Ok(())
    }

    fn member(
        &mut self,
        name: &[u8],
        path: &mut Vec<u8>,
        branches: &mut Vec<Branch>,
    ) -> Result<(), ParseError> {
        match self.reader.next()? {
            Token::ObjectStart => {
                self.is_nested = true;
                self.object(path, false, branches)
            }
            Token::ArrayStart => {
                let tests = operators::list(&mut self.reader, self.dialect)?;
                self.depths.insert(path.clone(), self.depth);
                for branch in branches {
                    branch.insert(path.clone(), tests.clone());
                }
                Ok(())
            }
            _ => {
                let name = String::from_utf8_lossy(name);
                let reason = format!("\"{name}\" must be an object or an array");
                Err(ParseError::pattern(reason, self.reader.at()))
            }
        }
    }

    /// Parses the list of `$or`: every branch is continued by each of its objects.
    fn or(
        &mut self,
        path: &mut Vec<u8>,
        is_root: bool,
        branches: &mut Vec<Branch>,
    ) -> Result<(), ParseError> {
        if self.reader.next()? != Token::ArrayStart {
            let reason = "It must be an Array followed with $or.";
            return Err(ParseError::pattern(reason, self.reader.at()));
        }
        let before = std::mem::take(branches);
        let mut objects = 0;
        loop {
            match self.reader.next()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => {}
                _ => {
                    let reason = "Only JSON object is allowed in array of $or relationship.";
                    return Err(ParseError::pattern(reason, self.reader.at()));
                }
            }
            objects += 1;
            let mut option = before.clone();
            self.or_depth += 1;
            self.object(path, is_root, &mut option)?;
            self.or_depth -= 1;
            branches.append(&mut option);
            if branches.len() > self.limits.or_combinations {
                return Err(ParseError::without_position(format!(
                    "Rule is too complex - $or makes more than {} combinations",
                    self.limits.or_combinations
                )));
            }
        }
        if objects < 2 {
            let reason = "There must have at least 2 Objects in $or relationship.";
            return Err(ParseError::pattern(reason, self.reader.at()));
        }
        Ok(())
    }
}
