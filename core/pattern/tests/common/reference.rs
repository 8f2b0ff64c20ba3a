//! The reference matcher, over a tree of JSON: one function for each operator, and a search over
//! all choices of values. It does not support lone surrogates.

use std::collections::BTreeMap;

use super::json::Json;

/// A scalar of an event, and the array elements that contain it.
struct Leaf {
    path: String,
    value: Json,
    places: Vec<(usize, usize)>,
}

type Branch = BTreeMap<String, Vec<Json>>;

/// Whether a valid pattern without duplicate keys matches an event.
pub fn matches(pattern: &Json, event: &Json) -> bool {
    let mut leaves = Vec::new();
    let mut arrays = 0;
    flatten(event, None, &[], &mut arrays, &mut leaves);
    let mut branches = vec![Branch::new()];
    branch_out(pattern.as_object().expect("a pattern is an object"), None, &mut branches);
    branches.iter().any(|branch| choose(&branch.iter().collect::<Vec<_>>(), &leaves, &[]))
}

fn joined(path: Option<&str>, key: &str) -> String {
    path.map_or_else(|| key.to_owned(), |path| format!("{path}.{key}"))
}

fn branch_out(object: &BTreeMap<String, Json>, path: Option<&str>, branches: &mut Vec<Branch>) {
    for (key, value) in object {
        let inner = joined(path, key);
        match value {
            Json::Object(object) => branch_out(object, Some(&inner), branches),
            Json::Array(options) if key == "$or" => {
                let before = std::mem::take(branches);
                for option in options {
                    let mut own = before.clone();
                    branch_out(option.as_object().expect("an option"), path, &mut own);
                    branches.append(&mut own);
                }
            }
            Json::Array(tests) => {
                for branch in branches.iter_mut() {
                    branch.insert(inner.clone(), tests.clone());
                }
            }
            _ => panic!("a leaf of a pattern is an array"),
        }
    }
}

fn flatten(
    value: &Json,
    path: Option<&str>,
    places: &[(usize, usize)],
    arrays: &mut usize,
    leaves: &mut Vec<Leaf>,
) {
    match value {
        Json::Object(object) => {
            for (key, value) in object {
                flatten(value, Some(&joined(path, key)), places, arrays, leaves);
            }
        }
        Json::Array(elements) => {
            let array = *arrays;
            *arrays += 1;
            for (index, element) in elements.iter().enumerate() {
                let mut inner = places.to_vec();
                if matches!(element, Json::Object(_) | Json::Array(_)) {
                    inner.push((array, index));
                }
                flatten(element, path, &inner, arrays, leaves);
            }
        }
        scalar => {
            let (path, places) = (path.unwrap_or_default().to_owned(), places.to_vec());
            leaves.push(Leaf { path, value: scalar.clone(), places });
        }
    }
}

fn choose(fields: &[(&String, &Vec<Json>)], leaves: &[Leaf], chosen: &[&Leaf]) -> bool {
    let Some(((path, tests), rest)) = fields.split_first() else {
        return true;
    };
    let agreeing: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| leaf.path == **path && chosen.iter().all(|other| agree(leaf, other)))
        .collect();
    if agreeing.is_empty() {
        let absent = Json::Object(BTreeMap::from([("exists".to_owned(), Json::Bool(false))]));
        return tests.contains(&absent) && choose(rest, leaves, chosen);
    }
    agreeing.iter().any(|leaf| {
        let next: Vec<&Leaf> = chosen.iter().copied().chain([*leaf]).collect();
        tests.iter().any(|test| accepts(test, &leaf.value)) && choose(rest, leaves, &next)
    })
}

fn agree(a: &Leaf, b: &Leaf) -> bool {
    a.places.iter().all(|(array, index)| b.places.iter().all(|(x, y)| x != array || y == index))
}

fn accepts(test: &Json, value: &Json) -> bool {
    let Json::Object(test) = test else {
        return equal(test, value);
    };
    let (operator, operand) = test.iter().next().expect("an operator");
    let listed = several(operand);
    match operator.as_str() {
        "exists" => *operand == Json::Bool(true),
        "numeric" => double(value).is_some_and(|value| in_range(listed, value)),
        "anything-but" => match operand {
            Json::Object(inner) => {
                let (operator, operand) = inner.iter().next().expect("an operator");
                !several(operand).iter().any(|text| text_accepts(operator, text, value))
            }
            _ => !listed.iter().any(|one| equal(one, value)),
        },
        operator => text_accepts(operator, operand, value),
    }
}

/// The elements of an array, or the one value.
fn several(operand: &Json) -> &[Json] {
    if let Json::Array(listed) = operand { listed } else { std::slice::from_ref(operand) }
}

fn equal(test: &Json, value: &Json) -> bool {
    match (test, value) {
        (Json::Number(a), Json::Number(b)) => {
            a == b || (double(test).is_some() && double(test) == double(value))
        }
        _ => test == value,
    }
}

/// The double that represents a number exactly, if there is one.
fn double(value: &Json) -> Option<f64> {
    let digits = value.as_number()?;
    let double: f64 = digits.parse().expect("a number");
    (double.is_finite() && normal(digits) == normal(&format!("{double:e}"))).then_some(double)
}

/// The normal form of a number: sign, digits without zeros at either end, power of ten.
fn normal(digits: &str) -> (bool, String, i64) {
    let (mantissa, power) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{}{fraction}", whole.trim_start_matches('-'));
    let significant = all.trim_start_matches('0').trim_end_matches('0').to_owned();
    if significant.is_empty() {
        return (false, significant, 0);
    }
    let trailing = all.len() - all.trim_end_matches('0').len();
    let power: i64 = power.parse().expect("a power");
    (whole.starts_with('-'), significant, power - fraction.len() as i64 + trailing as i64)
}

fn in_range(terms: &[Json], value: f64) -> bool {
    terms.chunks(2).all(|term| {
        let bound: f64 = term[1].to_string().parse().expect("a bound");
        match term[0].as_text().expect("a comparison") {
            "=" => value == bound,
            "<" => value < bound,
            "<=" => value <= bound,
            ">" => value > bound,
            _ => value >= bound,
        }
    })
}

fn text_accepts(operator: &str, operand: &Json, value: &Json) -> bool {
    let Some(text) = value.as_text() else {
        return false;
    };
    let ends = || text.char_indices().map(|(at, _)| at).chain([text.len()]);
    if let Json::Object(inner) = operand {
        let wanted = inner["equals-ignore-case"].as_text().expect("a text");
        return match operator {
            "prefix" => ends().any(|end| folds(wanted, &text[..end])),
            _ => ends().any(|start| folds(wanted, &text[start..])),
        };
    }
    let wanted = operand.as_text().expect("a text");
    match operator {
        "prefix" => text.starts_with(wanted),
        "suffix" => text.ends_with(wanted),
        "equals-ignore-case" => folds(wanted, text),
        "wildcard" => is_wild(wanted, text),
        "cidr" => in_network(wanted, text),
        _ => panic!("no operator {operator}"),
    }
}

fn folds(wanted: &str, text: &str) -> bool {
    let Some(c) = wanted.chars().next() else {
        return text.is_empty();
    };
    let cases = [c.to_string(), c.to_lowercase().collect(), c.to_uppercase().collect()];
    cases.iter().any(|case: &String| {
        text.strip_prefix(case.as_str()).is_some_and(|rest| folds(&wanted[c.len_utf8()..], rest))
    })
}

fn is_wild(wanted: &str, text: &str) -> bool {
    let Some(c) = wanted.chars().next() else {
        return text.is_empty();
    };
    if c == '*' {
        return (0..=text.len())
            .any(|at| text.is_char_boundary(at) && is_wild(&wanted[1..], &text[at..]));
    }
    let wanted = if c == '\\' { &wanted[1..] } else { wanted };
    let c = wanted.chars().next().expect("a character after a backslash");
    text.strip_prefix(c).is_some_and(|rest| is_wild(&wanted[c.len_utf8()..], rest))
}

fn in_network(network: &str, text: &str) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let (base, length) = network.split_once('/').expect("a network");
    let length: u32 = length.parse().expect("a length");
    if let (Ok(base), Ok(found)) = (base.parse::<Ipv4Addr>(), text.parse::<Ipv4Addr>()) {
        return (u32::from(base) ^ u32::from(found)).checked_shr(32 - length).unwrap_or(0) == 0;
    }
    if let (Ok(base), Ok(found)) = (base.parse::<Ipv6Addr>(), text.parse::<Ipv6Addr>()) {
        return (u128::from(base) ^ u128::from(found)).checked_shr(128 - length).unwrap_or(0) == 0;
    }
    false
}
