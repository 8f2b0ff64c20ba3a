//! The compact encoding of branches that the index stores: about forty bytes for a branch of three
//! exact fields.
//!
//! ```text
//! branch = flags (field, length of tests, tests)*       fields in the order of their paths
//! test   = operator, length of operand, operand
//! ```
//! Fields and lengths are LEB128 integers.

use crate::compare::address::Network;
use crate::compile::parser::Branch;
use crate::compile::test::{Range, Test};
use crate::paths::{Field, Paths};

/// Operator codes.
pub(crate) mod op {
    pub(crate) const ABSENT: u8 = 0;
    pub(crate) const EXISTS: u8 = 1;
    pub(crate) const TRUE: u8 = 2;
    pub(crate) const FALSE: u8 = 3;
    pub(crate) const NULL: u8 = 4;
    pub(crate) const TEXT: u8 = 5;
    pub(crate) const DOUBLE: u8 = 6;
    pub(crate) const DIGITS: u8 = 7;
    pub(crate) const PREFIX: u8 = 8;
    pub(crate) const SUFFIX: u8 = 9;
    pub(crate) const EQUALS_IGNORE_CASE: u8 = 10;
    pub(crate) const PREFIX_IGNORE_CASE: u8 = 11;
    pub(crate) const SUFFIX_IGNORE_CASE: u8 = 12;
    pub(crate) const WILDCARD: u8 = 13;
    pub(crate) const RANGE: u8 = 14;
    pub(crate) const NETWORK: u8 = 15;
    pub(crate) const ANYTHING_BUT: u8 = 16;
}

/// Flag: the linear algorithm of `array_match` does not apply to the order of these fields.
pub(crate) const UNORDERED: u8 = 1;

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a LEB128 integer and advances `code` past it.
pub(crate) fn read_varint(code: &mut &[u8]) -> usize {
    let mut value = 0;
    let mut shift = 0;
    while let Some((&byte, rest)) = code.split_first() {
        *code = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    value
}

/// Appends a field and its tests.
pub(crate) fn push_field(out: &mut Vec<u8>, field: u32, tests: &[Test]) {
    push_varint(out, field as usize);
    let mut inner = Vec::new();
    tests.iter().for_each(|test| push_test(&mut inner, test));
    push_varint(out, inner.len());
    out.extend_from_slice(&inner);
}

fn push_test(out: &mut Vec<u8>, test: &Test) {
    let (operator, operand): (u8, &[u8]) = match test {
        Test::Absent => (op::ABSENT, &[]),
        Test::Exists => (op::EXISTS, &[]),
        Test::True => (op::TRUE, &[]),
        Test::False => (op::FALSE, &[]),
        Test::Null => (op::NULL, &[]),
        Test::Text(bytes) => (op::TEXT, bytes),
        Test::Double(value) => (op::DOUBLE, &value.to_bits().to_le_bytes()),
        Test::Digits(digits) => (op::DIGITS, digits.as_bytes()),
        Test::Prefix(bytes) => (op::PREFIX, bytes),
        Test::Suffix(bytes) => (op::SUFFIX, bytes),
        Test::EqualsIgnoreCase(bytes) => (op::EQUALS_IGNORE_CASE, bytes),
        Test::PrefixIgnoreCase(bytes) => (op::PREFIX_IGNORE_CASE, bytes),
        Test::SuffixIgnoreCase(bytes) => (op::SUFFIX_IGNORE_CASE, bytes),
        Test::Wildcard(bytes) => (op::WILDCARD, bytes),
        Test::Range(range) => (op::RANGE, &range_bytes(range)),
        Test::Network(network) => (op::NETWORK, &network_bytes(network)),
        Test::AnythingBut(tests) => {
            let mut inner = Vec::new();
            tests.iter().for_each(|test| push_test(&mut inner, test));
            out.push(op::ANYTHING_BUT);
            push_varint(out, inner.len());
            out.extend_from_slice(&inner);
            return;
        }
    };
    out.push(operator);
    push_varint(out, operand.len());
    out.extend_from_slice(operand);
}

fn range_bytes(range: &Range) -> [u8; 17] {
    let mut bytes = [0; 17];
    bytes[..8].copy_from_slice(&range.low.to_bits().to_le_bytes());
    bytes[8..16].copy_from_slice(&range.high.to_bits().to_le_bytes());
    bytes[16] = u8::from(range.is_open_low) | u8::from(range.is_open_high) << 1;
    bytes
}

pub(crate) fn range_of(bytes: &[u8]) -> Range {
    Range {
        low: double_of(&bytes[..8]),
        high: double_of(&bytes[8..16]),
        is_open_low: bytes[16] & 1 != 0,
        is_open_high: bytes[16] & 2 != 0,
    }
}

pub(crate) fn double_of(bytes: &[u8]) -> f64 {
    let mut raw = [0; 8];
    raw.copy_from_slice(bytes);
    f64::from_bits(u64::from_le_bytes(raw))
}

fn network_bytes(network: &Network) -> [u8; 18] {
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(&network.bits.to_le_bytes());
    bytes[16] = network.length;
    bytes[17] = u8::from(network.is_v6);
    bytes
}

pub(crate) fn network_of(bytes: &[u8]) -> Network {
    let mut raw = [0; 16];
    raw.copy_from_slice(&bytes[..16]);
    Network { bits: u128::from_le_bytes(raw), length: bytes[16], is_v6: bytes[17] != 0 }
}

/// Iterates over the encoded tests of a field: operator and operand.
#[derive(Clone)]
pub(crate) struct Tests<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Tests<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&operator, rest) = self.0.split_first()?;
        self.0 = rest;
        let length = read_varint(&mut self.0);
        let (operand, rest) = self.0.split_at(length);
        self.0 = rest;
        Some((operator, operand))
    }
}

/// Iterates over the encoded fields of a branch.
#[derive(Clone)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Tests<'a>);

    fn next(&mut self) -> Option<(u32, Tests<'a>)> {
        if self.0.is_empty() {
            return None;
        }
        let field = read_varint(&mut self.0) as u32;
        let length = read_varint(&mut self.0);
        let (tests, rest) = self.0.split_at(length);
        self.0 = rest;
        Some((field, Tests(tests)))
    }
}

/// Encodes a branch; adds paths that are missing to `paths`. Returns the code and the fields.
pub(crate) fn encode_branch(branch: &Branch, paths: &mut Paths) -> (Vec<u8>, Vec<Field>) {
    let fields: Vec<Field> = branch.keys().map(|path| paths.add(path)).collect();
    let mut out = vec![if is_ordered(&fields, paths) { 0 } else { UNORDERED }];
    for (field, tests) in fields.iter().zip(branch.values()) {
        push_field(&mut out, *field, tests);
    }
    (out, fields)
}

/// Whether each field shares at least as long a path prefix with its predecessor as with any
/// earlier field; `array_match` relies on it.
fn is_ordered(fields: &[Field], paths: &Paths) -> bool {
    fields.iter().enumerate().skip(2).all(|(index, &field)| {
        let near = paths.shared_depth(fields[index - 1], field);
        fields[..index - 1].iter().all(|&other| paths.shared_depth(other, field) <= near)
    })
}
