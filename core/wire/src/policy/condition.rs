//! Conditions of a statement: every operator and every key must hold; one value of several
//! suffices.

use std::net::IpAddr;

use serde_json::Value;

use super::{each, pattern};
use crate::codec::time;

/// Whether all conditions hold; `None` if one of them is not understood.
pub(super) fn hold(conditions: Option<&Value>, keys: &[(&'static str, String)]) -> Option<bool> {
    let Some(conditions) = conditions else { return Some(true) };
    for (operator, tests) in conditions.as_object()? {
        for (key, values) in tests.as_object()? {
            let given = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let values: Vec<String> = each(Some(values)).map(text).collect();
            if !holds(operator, given.map(|(_, text)| text.as_str()), &values)? {
                return Some(false);
            }
        }
    }
    Some(true)
}

// Numbers and booleans may stand without quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn holds(operator: &str, given: Option<&str>, values: &[String]) -> Option<bool> {
    // Keys here have one value each, so that both quantifiers say the same.
    let plain = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let (plain, for_all) = match plain.strip_prefix("ForAllValues:") {
        Some(rest) => (rest, true),
        None => (plain, false),
    };
    if plain == "Null" {
        return Some(values.iter().any(|value| (value == "true") == given.is_none()));
    }
    let (plain, if_exists) = match plain.strip_suffix("IfExists") {
        Some(rest) => (rest, true),
        None => (plain, false),
    };
    let (test, negated) = find(plain)?;
    Some(match given {
        // What is not there differs from everything.
        None => if_exists || for_all || negated,
        Some(given) => values.iter().any(|value| test(value, given)) != negated,
    })
}

/// Whether what is given satisfies what the policy says, in this order: policy, given.
type Test = fn(&str, &str) -> bool;

fn find(operator: &str) -> Option<(Test, bool)> {
    Some(match operator {
        "StringEquals" | "BinaryEquals" => (|policy, given| policy == given, false),
        "StringNotEquals" => (|policy, given| policy == given, true),
        "StringEqualsIgnoreCase" => (same_without_case, false),
        "StringNotEqualsIgnoreCase" => (same_without_case, true),
        "StringLike" | "ArnLike" | "ArnEquals" => (pattern::fits, false),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (pattern::fits, true),
        "Bool" => (|policy, given| policy.eq_ignore_ascii_case(given), false),
        "NumericEquals" => (|p, g| numbers(p, g, |p, g| g == p), false),
        "NumericNotEquals" => (|p, g| numbers(p, g, |p, g| g == p), true),
        "NumericLessThan" => (|p, g| numbers(p, g, |p, g| g < p), false),
        "NumericLessThanEquals" => (|p, g| numbers(p, g, |p, g| g <= p), false),
        "NumericGreaterThan" => (|p, g| numbers(p, g, |p, g| g > p), false),
        "NumericGreaterThanEquals" => (|p, g| numbers(p, g, |p, g| g >= p), false),
        "DateEquals" => (|p, g| dates(p, g, |p, g| g == p), false),
        "DateNotEquals" => (|p, g| dates(p, g, |p, g| g == p), true),
        "DateLessThan" => (|p, g| dates(p, g, |p, g| g < p), false),
        "DateLessThanEquals" => (|p, g| dates(p, g, |p, g| g <= p), false),
        "DateGreaterThan" => (|p, g| dates(p, g, |p, g| g > p), false),
        "DateGreaterThanEquals" => (|p, g| dates(p, g, |p, g| g >= p), false),
        "IpAddress" => (in_network, false),
        "NotIpAddress" => (in_network, true),
        _ => return None,
    })
}

fn same_without_case(policy: &str, given: &str) -> bool {
    policy.to_lowercase() == given.to_lowercase()
}

fn numbers(policy: &str, given: &str, test: fn(f64, f64) -> bool) -> bool {
    match (policy.parse(), given.parse()) {
        (Ok(policy), Ok(given)) => test(policy, given),
        _ => false,
    }
}

fn dates(policy: &str, given: &str, test: fn(f64, f64) -> bool) -> bool {
    let read = |text: &str| text.parse().ok().or_else(|| time::read(text));
    match (read(policy), read(given)) {
        (Some(policy), Some(given)) => test(policy, given),
        _ => false,
    }
}

fn in_network(network: &str, given: &str) -> bool {
    let (address, bits) = network.split_once('/').unwrap_or((network, "128"));
    let (Ok(bits), Ok(address), Ok(given)) = (bits.parse::<u32>(), address.parse(), given.parse())
    else {
        return false;
    };
    match (address, given) {
        (IpAddr::V4(address), IpAddr::V4(given)) => {
            let shift = 32 - bits.min(32);
            let cut = |ip: std::net::Ipv4Addr| u32::from(ip).checked_shr(shift).unwrap_or(0);
            cut(address) == cut(given)
        }
        (IpAddr::V6(address), IpAddr::V6(given)) => {
            let shift = 128 - bits.min(128);
            let cut = |ip: std::net::Ipv6Addr| u128::from(ip).checked_shr(shift).unwrap_or(0);
            cut(address) == cut(given)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: &str) -> Option<bool> {
        let keys = [
            ("aws:SecureTransport", "false".to_owned()),
            ("aws:SourceIp", "203.0.113.9".to_owned()),
            ("aws:CurrentTime", "2026-03-04T05:06:07Z".to_owned()),
            ("aws:PrincipalAccount", "111122223333".to_owned()),
        ];
        let conditions = serde_json::from_str(condition).unwrap();
        hold(Some(&conditions), &keys)
    }

    #[test]
    fn operators_compare_what_they_say() {
        for holding in [
            r#"{"Bool":{"AWS:securetransport":"false"}}"#,
            r#"{"Bool":{"aws:SecureTransport":false}}"#,
            r#"{"StringEquals":{"aws:PrincipalAccount":["1","111122223333"]}}"#,
            r#"{"StringLike":{"aws:PrincipalAccount":"1111*"}}"#,
            r#"{"StringNotEquals":{"aws:PrincipalAccount":["1","2"]}}"#,
            r#"{"NumericGreaterThan":{"aws:PrincipalAccount":5}}"#,
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-03-05T00:00:00Z"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#,
            r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.8"}}"#,
            r#"{"Null":{"aws:SourceArn":"true"}}"#,
            r#"{"ArnLikeIfExists":{"aws:SourceArn":"arn:*"}}"#,
            r#"{"ForAllValues:StringEquals":{"aws:SourceArn":"a"}}"#,
        ] {
            assert_eq!(check(holding), Some(true), "{holding}");
        }
        for failing in [
            r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
            r#"{"StringEquals":{"aws:SourceArn":"a"}}"#,
            r#"{"StringNotEquals":{"aws:PrincipalAccount":["1","111122223333"]}}"#,
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-03-05T00:00:00Z"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"203.0.113.8/32"}}"#,
            r#"{"Null":{"aws:SourceIp":"true"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"false"},"IpAddress":{"aws:SourceIp":"::1"}}"#,
        ] {
            assert_eq!(check(failing), Some(false), "{failing}");
        }
        assert_eq!(check(r#"{"Moonlight":{"aws:SourceIp":"a"}}"#), None);
    }
}
