//! Parses the list of a field: values, and objects with one operator. Tokens are consumed in the
//! same order as in AWS's compiler, because its errors report the current position.

use crate::compare::address::Network;
use crate::compare::number;
use crate::compare::wildcard;
use crate::compile::test::{Range, Test};
use crate::error::{Dialect, ParseError};
use crate::json::reader::{Reader, Token};

/// Parses the list of a field, from after its opening bracket.
pub(crate) fn list(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Vec<Test>, ParseError> {
    let mut tests = Vec::new();
    loop {
        let test = match reader.next()? {
            Token::ArrayEnd => break,
            Token::Text => Test::Text(reader.text()?),
            Token::Number => number_test(reader.number()),
            Token::True => Test::True,
            Token::False => Test::False,
            Token::Null => Test::Null,
            Token::ObjectStart => expression(reader, dialect)?,
            _ => {
                let reason = "Match value must be String, number, true, false, or null";
                return Err(ParseError::pattern(reason, reader.at()));
            }
        };
        tests.push(test);
    }
    if tests.is_empty() {
        return Err(ParseError::pattern("Empty arrays are not allowed", reader.at()));
    }
    Ok(tests)
}

fn number_test(digits: &str) -> Test {
    number::double(digits.as_bytes()).map_or_else(|| Test::Digits(digits.to_owned()), Test::Double)
}

/// Parses an operator object, from after its opening brace.
fn expression(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Test, ParseError> {
    if reader.next()? != Token::Name {
        return Err(ParseError::pattern("Match expression name not found", reader.at()));
    }
    let name = reader.name().to_vec();
    let test = match name.as_slice() {
        b"exactly" => Test::Text(operand(reader, "exact")?),
        b"prefix" => affix(reader, ["prefix", "Prefix"], Test::Prefix, Test::PrefixIgnoreCase)?,
        b"suffix" => affix(reader, ["suffix", "Suffix"], Test::Suffix, Test::SuffixIgnoreCase)?,
        b"equals-ignore-case" => Test::EqualsIgnoreCase(operand(reader, "equals-ignore-case")?),
        b"wildcard" => {
            let text = operand(reader, "wildcard")?;
            Test::Wildcard(
                wildcard::parse(&text).map_err(|why| ParseError::pattern(why, reader.at()))?,
            )
        }
        b"exists" => match reader.next()? {
            Token::True => Test::Exists,
            Token::False => Test::Absent,
            _ => {
                let reason = "exists match pattern must be either true or false.";
                return Err(ParseError::pattern(reason, reader.at()));
            }
        },
        b"cidr" => {
            // AWS's message for a bad `cidr` operand says "prefix".
            let text = operand(reader, "prefix")?;
            Test::Network(Network::parse(&String::from_utf8_lossy(&text))?)
        }
        b"numeric" => return numeric(reader),
        b"anything-but" => return anything_but(reader, dialect),
        _ => {
            let reason = format!("Unrecognized match type {}", String::from_utf8_lossy(&name));
            return Err(ParseError::pattern(reason, reader.at()));
        }
    };
    end_of_expression(reader, "Only one key allowed in match expression")?;
    Ok(test)
}

fn end_of_expression(reader: &mut Reader<'_>, reason: &str) -> Result<(), ParseError> {
    match reader.next()? {
        Token::ObjectEnd => Ok(()),
        _ => Err(ParseError::pattern(reason, reader.at())),
    }
}

/// Parses a string operand; `name` is the operator's name in AWS's message.
fn operand(reader: &mut Reader<'_>, name: &str) -> Result<Vec<u8>, ParseError> {
    match reader.next()? {
        Token::Text => reader.text(),
        _ => {
            Err(ParseError::pattern(format!("{name} match pattern must be a string"), reader.at()))
        }
    }
}

/// Parses the operand of `prefix` or `suffix`: a string, or an `equals-ignore-case` object.
fn affix(
    reader: &mut Reader<'_>,
    [name, capital]: [&str; 2],
    plain: fn(Vec<u8>) -> Test,
    ignoring_case: fn(Vec<u8>) -> Test,
) -> Result<Test, ParseError> {
    match reader.next()? {
        Token::Text => Ok(plain(reader.text()?)),
        Token::ObjectStart => {
            if reader.next()? != Token::Name {
                let reason = format!("{capital} expression name not found");
                return Err(ParseError::pattern(reason, reader.at()));
            }
            if reader.name() != b"equals-ignore-case" {
                let inner = String::from_utf8_lossy(reader.name()).into_owned();
                let reason = format!("Unsupported {name} pattern: {inner}");
                return Err(ParseError::pattern(reason, reader.at()));
            }
            let text = operand(reader, "equals-ignore-case")?;
            end_of_expression(reader, "Only one key allowed in match expression")?;
            Ok(ignoring_case(text))
        }
        _ => {
            Err(ParseError::pattern(format!("{name} match pattern must be a string"), reader.at()))
        }
    }
}

const TOO_MANY_ELEMENTS: &str = "Too many elements in numeric expression";

fn numeric(reader: &mut Reader<'_>) -> Result<Test, ParseError> {
    if reader.next()? != Token::ArrayStart {
        return Err(ParseError::pattern("Value of numeric must be an array.", reader.at()));
    }
    if reader.next()? != Token::Text {
        let at = reader.at();
        let reason = format!("Invalid member in numeric match: {}", reader.shown()?);
        return Err(ParseError::pattern(reason, at));
    }
    let comparison = reader.text()?;
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let all = Range { low, high, is_open_low: false, is_open_high: false };
    let test = match comparison.as_slice() {
        b"=" => {
            let digits = bound(reader, "equals")?;
            end_of_terms(reader, TOO_MANY_ELEMENTS)?;
            Test::Double(comparable(digits, reader)?)
        }
        b">" | b">=" => {
            let digits = bound(reader, &String::from_utf8_lossy(&comparison))?;
            Test::Range(Range { is_open_low: comparison == b">", ..upward(reader, digits, all)? })
        }
        b"<" | b"<=" => {
            let digits = bound(reader, &String::from_utf8_lossy(&comparison))?;
            end_of_terms(reader, TOO_MANY_ELEMENTS)?;
            let high = comparable(digits, reader)?;
            Test::Range(Range { high, is_open_high: comparison == b"<", ..all })
        }
        _ => {
            // AWS's compiler consumes the value before it checks the operator.
            reader.next()?;
            let shown = String::from_utf8_lossy(&comparison);
            let reason = format!("Unrecognized numeric range operator: {shown}");
            return Err(ParseError::pattern(reason, reader.at()));
        }
    };
    end_of_expression(reader, TOO_MANY_ELEMENTS)?;
    Ok(test)
}

/// Parses the rest of a range whose lower bound was read.
fn upward(reader: &mut Reader<'_>, bottom: &str, all: Range) -> Result<Range, ParseError> {
    match reader.next()? {
        Token::ArrayEnd => return Ok(Range { low: comparable(bottom, reader)?, ..all }),
        Token::Text => {}
        _ => {
            let at = reader.at();
            let reason = format!("Bad value in numeric range: {}", reader.shown()?);
            return Err(ParseError::pattern(reason, at));
        }
    }
    let comparison = reader.text()?;
    let shown = String::from_utf8_lossy(&comparison).into_owned();
    if !matches!(comparison.as_slice(), b"<" | b"<=") {
        return Err(ParseError::pattern(
            format!("Bad numeric range operator: {shown}"),
            reader.at(),
        ));
    }
    let top = bound(reader, &shown)?;
    end_of_terms(reader, "Too many terms in numeric range expression")?;
    let low = comparable(bottom, reader)?;
    let high = comparable(top, reader)?;
    if low >= high {
        return Err(ParseError::pattern("Bottom must be less than top", reader.at()));
    }
    Ok(Range { low, high, is_open_high: comparison == b"<", ..all })
}

fn bound<'a>(reader: &mut Reader<'a>, comparison: &str) -> Result<&'a str, ParseError> {
    match reader.next()? {
        Token::Number => Ok(reader.number()),
        _ => {
            Err(ParseError::pattern(format!("Value of {comparison} must be numeric"), reader.at()))
        }
    }
}

fn end_of_terms(reader: &mut Reader<'_>, reason: &str) -> Result<(), ParseError> {
    match reader.next()? {
        Token::ArrayEnd => Ok(()),
        _ => Err(ParseError::pattern(reason, reader.at())),
    }
}

fn comparable(digits: &str, reader: &Reader<'_>) -> Result<f64, ParseError> {
    number::double(digits.as_bytes()).ok_or_else(|| {
        ParseError::pattern(format!("Cannot compare number : {digits}"), reader.at())
    })
}

fn anything_but(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Test, ParseError> {
    let tests = match reader.next()? {
        Token::Text => vec![Test::Text(reader.text()?)],
        Token::Number => {
            let digits = reader.number();
            let unknown =
                || ParseError::without_position(format!("Cannot compare number : {digits}"));
            vec![Test::Double(number::double(digits.as_bytes()).ok_or_else(unknown)?)]
        }
        Token::ArrayStart => excluded_values(reader)?,
        Token::ObjectStart => excluded_texts(reader, dialect)?,
        _ => return Err(bad_anything_but(reader)),
    };
    end_of_expression(reader, TOO_MANY_ELEMENTS)?;
    Ok(Test::AnythingBut(tests))
}

fn bad_anything_but(reader: &Reader<'_>) -> ParseError {
    let reason = "Value of anything-but must be an array or single string/number value.";
    ParseError::pattern(reason, reader.at())
}

fn excluded_values(reader: &mut Reader<'_>) -> Result<Vec<Test>, ParseError> {
    let mut tests = Vec::new();
    let mut numbers = 0;
    loop {
        match reader.next()? {
            Token::ArrayEnd => break,
            Token::Text => tests.push(Test::Text(reader.text()?)),
            Token::Number => {
                numbers += 1;
                tests.push(Test::Double(comparable(reader.number(), reader)?));
            }
            _ => {
                let reason = "Inside anything but list, start|null|boolean is not supported.";
                return Err(ParseError::pattern(reason, reader.at()).doubled());
            }
        }
    }
    if tests.is_empty() || (numbers != 0 && numbers != tests.len()) {
        let reason = "Inside anything but list, either all values are number or string, mixed \
                      type is not supported";
        return Err(ParseError::pattern(reason, reader.at()));
    }
    Ok(tests)
}

/// Parses the object inside `anything-but`: one operator with one string or a list of them.
fn excluded_texts(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Vec<Test>, ParseError> {
    if reader.next()? != Token::Name {
        return Err(ParseError::pattern("Anything-But expression name not found", reader.at()));
    }
    let name = reader.name().to_vec();
    // SNS supports `prefix` and `suffix` only.
    let is_event = dialect == Dialect::EventPattern;
    let (make, not_text): (fn(Vec<u8>) -> Test, _) = match name.as_slice() {
        b"prefix" => (Test::Prefix, "prefix/suffix match pattern must be a string"),
        b"suffix" => (Test::Suffix, "prefix/suffix match pattern must be a string"),
        b"equals-ignore-case" if is_event => (
            Test::EqualsIgnoreCase,
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not \
             supported.",
        ),
        b"wildcard" if is_event => (Test::Wildcard, "wildcard match pattern must be a string"),
        _ => {
            let shown = String::from_utf8_lossy(&name);
            let reason = format!("Unsupported anything-but pattern: {shown}");
            return Err(ParseError::pattern(reason, reader.at()));
        }
    };
    let tests = match reader.next()? {
        Token::Text => vec![excluded_text(reader, make)?],
        Token::Number => return Err(ParseError::pattern(not_text, reader.at())),
        Token::ArrayStart => {
            let mut tests = Vec::new();
            loop {
                match reader.next()? {
                    Token::ArrayEnd => break,
                    Token::Text => {
                        let is_wildcard = name == b"wildcard";
                        let test = excluded_text(reader, make);
                        tests.push(test.map_err(|f| if is_wildcard { f } else { f.doubled() })?);
                    }
                    _ => return Err(ParseError::pattern(not_text, reader.at()).doubled()),
                }
            }
            if tests.is_empty() {
                return Err(ParseError::pattern("Empty arrays are not allowed", reader.at()));
            }
            tests
        }
        _ => return Err(bad_anything_but(reader)),
    };
    end_of_expression(reader, TOO_MANY_ELEMENTS)?;
    Ok(tests)
}

fn excluded_text(reader: &mut Reader<'_>, make: fn(Vec<u8>) -> Test) -> Result<Test, ParseError> {
    let text = reader.text()?;
    match make(text) {
        Test::Prefix(text) | Test::Suffix(text) if text.is_empty() => {
            Err(ParseError::pattern("Null prefix/suffix not allowed", reader.at()))
        }
        Test::Wildcard(text) => wildcard::parse(&text)
            .map(Test::Wildcard)
            .map_err(|why| ParseError::pattern(why, reader.at())),
        test => Ok(test),
    }
}
