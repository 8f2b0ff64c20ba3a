//! The rule sets of the table.

use crate::lines::{Choices, Line, street};

pub struct Row<'l> {
    pub name: String,
    /// Generates the patterns; deferred, because a million take seconds.
    pub rules: Box<dyn Fn() -> Vec<String> + 'l>,
    /// Whether the peers run this row: some panic or do not end.
    pub has_quamina: bool,
    pub has_ruler: bool,
}

fn property(name: &str, test: &str) -> String {
    format!("{{\"properties\":{{\"{name}\":[{test}]}}}}")
}

fn operators(lines: &[Line]) -> Vec<(&'static str, Vec<String>)> {
    let at = |index: usize| &lines[index * 9973 % lines.len()];
    let five = |make: &dyn Fn(&Line) -> String| (1..6).map(|index| make(at(index))).collect();
    let street_test = |operator: &str, operand: String| {
        property("STREET", &format!("{{\"{operator}\":{operand}}}"))
    };
    vec![
        ("exact", five(&|line| property("MAPBLKLOT", &format!("\"{}\"", line.lot)))),
        ("prefix", five(&|line| street_test("prefix", format!("\"{}\"", &line.street[..2])))),
        (
            "suffix",
            five(&|line| {
                street_test("suffix", format!("\"{}\"", &line.street[line.street.len() - 3..]))
            }),
        ),
        (
            "wildcard",
            five(&|line| {
                let (head, tail) = (&line.street[..2], &line.street[line.street.len() - 2..]);
                street_test("wildcard", format!("\"{head}*{tail}\""))
            }),
        ),
        (
            "numeric",
            five(&|line| {
                format!(
                    "{{\"geometry\":{{\"firstCoordinates\":{{\"x\":[{{\"numeric\":\
                     [\"=\",{}]}}]}}}}}}",
                    line.x
                )
            }),
        ),
        (
            "anything-but",
            five(&|line| street_test("anything-but", format!("[\"{}\"]", line.street))),
        ),
        (
            "exists",
            vec![
                property("ODD_EVEN", "{\"exists\":true}"),
                property("NOT_THERE", "{\"exists\":false}"),
            ],
        ),
        (
            "$or",
            five(&|line| {
                format!(
                    "{{\"$or\":[{{\"properties\":{{\"MAPBLKLOT\":[\"{}\"]}}}},\
                     {{\"geometry\":{{\"type\":[\"Point\"]}}}},\
                     {{\"properties\":{{\"STREET\":[{{\"prefix\":\"{}\"}}]}}}}]}}",
                    line.lot, line.street
                )
            }),
        ),
        (
            "complex arrays",
            five(&|line| {
                format!(
                    "{{\"geometry\":{{\"type\":[\"Polygon\"],\"coordinates\":\
                     [{{\"numeric\":[\"=\",{}]}}]}}}}",
                    line.x
                )
            }),
        ),
    ]
}

/// Exact rules over three fields. A quarter of them match an event of the file.
fn three_fields(lines: &[Line], count: usize) -> Vec<String> {
    let rule = |lot: &str, number: &str, street: &str| {
        format!(
            "{{\"properties\":{{\"MAPBLKLOT\":[\"{lot}\"],\"LOT_NUM\":[\"{number}\"],\"STREET\":\
             [\"{street}\"]}}}}"
        )
    };
    (0..count)
        .map(|index| match lines.get(index * 97 % (4 * lines.len())) {
            Some(line) => rule(&line.lot, &line.number, &line.street),
            None => rule(&format!("x{index}"), &format!("{index:07}"), &street(index % 2000)),
        })
        .collect()
}

fn shared_first(lines: &[Line], count: usize) -> Vec<String> {
    (0..count)
        .map(|index| {
            let line = &lines[index * 97 % lines.len()];
            format!(
                "{{\"type\":[\"Feature\"],\"geometry\":{{\"type\":[\"Polygon\"]}},\"properties\":\
                 {{\"LOT_NUM\":[\"{}\"],\"STREET\":[\"{}\"],\"FROM_ST\":[\"{}\"]}}}}",
                line.number,
                line.street,
                index % 4000
            )
        })
        .collect()
}

fn infixes(count: usize) -> Vec<String> {
    let mut choices = Choices::new(77);
    let mut letters = |count: usize| -> String {
        (0..count).map(|_| char::from(b'A' + choices.below(26) as u8)).collect()
    };
    (0..count)
        .map(|_| {
            let (one, two) = (letters(3), letters(2));
            property("STREET", &format!("{{\"wildcard\":\"*{one}*{two}*\"}}"))
        })
        .collect()
}

fn mixed(lines: &[Line], count: usize) -> Vec<String> {
    let mut choices = Choices::new(99);
    (0..count)
        .map(|index| {
            let line = &lines[choices.below(lines.len())];
            let (lot, street) = (&line.lot, &line.street);
            let test = match index % 8 {
                0 => format!("\"{street}\""),
                1 => format!("{{\"prefix\":\"{}\"}}", &street[..street.len() - 1]),
                2 => format!("{{\"suffix\":\"{}\"}}", &street[1..]),
                3 => format!("{{\"wildcard\":\"*{}*\"}}", &street[1..street.len() - 1]),
                4 => format!("{{\"equals-ignore-case\":\"{}\"}}", street.to_lowercase()),
                _ => "{\"exists\":true}".to_owned(),
            };
            match index % 8 {
                5 => format!(
                    "{{\"geometry\":{{\"firstCoordinates\":{{\"x\":[{{\"numeric\":[\">=\",{},\"<\",\
                     -121]}}]}}}},\"properties\":{{\"MAPBLKLOT\":[\"{lot}\"]}}}}",
                    line.x
                ),
                6 => format!(
                    "{{\"properties\":{{\"BLKLOT\":[\"{lot}\"],\"STREET\":[{{\"anything-but\":\
                     [\"{street}\"]}}]}}}}"
                ),
                7 => format!(
                    "{{\"$or\":[{{\"properties\":{{\"MAPBLKLOT\":[\"{lot}\"]}}}},{{\"properties\":\
                     {{\"BLOCK_NUM\":[\"x{index}\"]}}}}]}}"
                ),
                _ => format!(
                    "{{\"properties\":{{\"LOT_NUM\":[\"{}\"],\"STREET\":[{test}]}}}}",
                    line.number
                ),
            }
        })
        .collect()
}

/// All rows. A peer is left out of a row if its build or its pass takes over a minute, or if it
/// panics.
pub fn rows<'l>(lines: &'l [Line]) -> Vec<Row<'l>> {
    let mut rows: Vec<Row<'l>> = Vec::new();
    let mut row = |name: String, peers: [bool; 2], rules: Box<dyn Fn() -> Vec<String> + 'l>| {
        let [has_quamina, has_ruler] = peers;
        rows.push(Row { name, rules, has_quamina, has_ruler });
    };
    for (name, rules) in operators(lines) {
        row(name.to_owned(), [true; 2], Box::new(move || rules.clone()));
    }
    let all = move || operators(lines).into_iter().flat_map(|(_, rules)| rules).collect();
    row("combination of all".to_owned(), [true; 2], Box::new(all));
    for count in [10, 100, 10_000, 100_000, 1_000_000] {
        let peers = [count <= 100_000, count <= 100_000];
        let name = format!("exact, three fields, {count} rules");
        row(name, peers, Box::new(move || three_fields(lines, count)));
    }
    for count in [100, 1000] {
        let prefix = move |index: usize| {
            let lot = &lines[index * 97 % lines.len()].lot;
            property("MAPBLKLOT", &format!("{{\"wildcard\":\"{}*\"}}", &lot[..5]))
        };
        let name = format!("wildcard, star at the end, {count} rules");
        row(name, [true; 2], Box::new(move || (0..count).map(prefix).collect()));
    }
    for count in [100, 1000, 10_000] {
        let name = format!("wildcard, infixes, {count} rules");
        row(name, [count == 100; 2], Box::new(move || infixes(count)));
    }
    for count in [1000, 10_000] {
        let name = format!("mixed, {count} rules");
        row(name, [false, true], Box::new(move || mixed(lines, count)));
    }
    let name = "shared first value, 100000 rules".to_owned();
    row(name, [false, true], Box::new(move || shared_first(lines, 100_000)));
    rows
}
