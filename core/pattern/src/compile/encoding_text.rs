//! Decodes encoded tests to their JSON form, for messages and drawings.

use crate::compile::encoding::{self, Tests, op};
use crate::compile::test::Test;

/// The tests of a field as JSON entries of a pattern.
pub(crate) fn shown_tests(tests: Tests<'_>) -> Vec<String> {
    tests.map(|(operator, operand)| test_of(operator, operand).shown()).collect()
}

fn test_of(operator: u8, operand: &[u8]) -> Test {
    let bytes = || operand.to_vec();
    match operator {
        op::ABSENT => Test::Absent,
        op::EXISTS => Test::Exists,
        op::TRUE => Test::True,
        op::FALSE => Test::False,
        op::NULL => Test::Null,
        op::TEXT => Test::Text(bytes()),
        op::DOUBLE => Test::Double(encoding::double_of(operand)),
        op::DIGITS => Test::Digits(String::from_utf8_lossy(operand).into_owned()),
        op::PREFIX => Test::Prefix(bytes()),
        op::SUFFIX => Test::Suffix(bytes()),
        op::EQUALS_IGNORE_CASE => Test::EqualsIgnoreCase(bytes()),
        op::PREFIX_IGNORE_CASE => Test::PrefixIgnoreCase(bytes()),
        op::SUFFIX_IGNORE_CASE => Test::SuffixIgnoreCase(bytes()),
        op::WILDCARD => Test::Wildcard(bytes()),
        op::RANGE => Test::Range(encoding::range_of(operand)),
        op::NETWORK => Test::Network(encoding::network_of(operand)),
        op::ANYTHING_BUT => {
            let inner = Tests(operand);
            Test::AnythingBut(inner.map(|(operator, operand)| test_of(operator, operand)).collect())
        }
        _ => unreachable!("operators are written by this crate alone"),
    }
}
