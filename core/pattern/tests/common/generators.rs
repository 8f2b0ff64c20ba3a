//! Random patterns and events over few names and values, so that many of them match.

use super::json::Json;

/// A pseudo-random sequence of choices (xorshift).
pub struct Choices(u64);

impl Choices {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

const KEYS: [&str; 8] = ["a", "b", "c", "a-b", "a.b", "", "longer-than-eight", "\\u0061"];
const TEXTS: [&str; 24] = [
    "",
    "a",
    "ab",
    "b",
    "aba",
    "A",
    "Ab",
    "aB",
    "É",
    "é",
    "ß",
    "SS",
    "x*y",
    "1",
    "10.0.0.7",
    "10.0.1.9",
    "2001:db8::1",
    "\\\\",
    "\\\"",
    "😀",
    "\\ud83d",
    "\\u00e9a",
    "abcdefghijklmnop",
    "xabcdefghijklmnopq",
];
const NUMBERS: [&str; 15] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "2.5",
    "-3",
    "300",
    "3.0e2",
    "0.1",
    "1e-1",
    "9007199254740993",
    "9007199254740992",
    "1e400",
    "5e300",
];
const WILDCARDS: [&str; 12] =
    ["*", "a*", "*b", "a*b", "*a*", "", "ab", "x\\\\*y", "*bcd*", "*cdefgh*", "abc*nop", "*é*"];
const TESTS: [&str; 22] = [
    r#"{"exists":true}"#,
    r#"{"exists":false}"#,
    r#"{"numeric":[">",0,"<=",300]}"#,
    r#"{"numeric":["<",0.1]}"#,
    r#"{"numeric":[">=",-3]}"#,
    r#"{"numeric":["=",1.0]}"#,
    r#"{"cidr":"10.0.0.0/24"}"#,
    r#"{"cidr":"10.0.0.0/23"}"#,
    r#"{"cidr":"2001:db8::/32"}"#,
    r#"{"anything-but":[1,300]}"#,
    r#"{"anything-but":["a","ab"]}"#,
    r#"{"anything-but":{"prefix":"a"}}"#,
    r#"{"anything-but":{"suffix":["b","y"]}}"#,
    r#"{"anything-but":{"equals-ignore-case":["A","é"]}}"#,
    r#"{"anything-but":{"wildcard":["a*","*b"]}}"#,
    r#"{"prefix":{"equals-ignore-case":"aB"}}"#,
    r#"{"suffix":{"equals-ignore-case":"éA"}}"#,
    "true",
    "false",
    "null",
    r#"{"anything-but":"a"}"#,
    r#"{"anything-but":0}"#,
];

/// Generates a pattern; a few are invalid.
pub fn pattern(choices: &mut Choices, depth: usize) -> String {
    let mut members = Vec::new();
    for _ in 0..1 + choices.below(3) {
        let key = choices.of(&KEYS);
        let value = if depth < 2 && choices.one_in(3) {
            pattern(choices, depth + 1)
        } else {
            let count = 1 + choices.below(3);
            let tests: Vec<String> = (0..count).map(|_| test(choices)).collect();
            format!("[{}]", tests.join(","))
        };
        members.push(format!("\"{key}\":{value}"));
    }
    if depth < 2 && choices.one_in(6) {
        let options = [pattern(choices, depth + 1), pattern(choices, depth + 1)];
        members.push(format!("\"$or\":[{}]", options.join(",")));
    }
    format!("{{{}}}", members.join(","))
}

fn test(choices: &mut Choices) -> String {
    let text = choices.of(&TEXTS);
    match choices.below(10) {
        0..3 => format!("\"{text}\""),
        3 => choices.of(&NUMBERS).to_owned(),
        4 => format!("{{\"prefix\":\"{text}\"}}"),
        5 => format!("{{\"suffix\":\"{text}\"}}"),
        6 => format!("{{\"equals-ignore-case\":\"{text}\"}}"),
        7 => format!("{{\"wildcard\":\"{}\"}}", choices.of(&WILDCARDS)),
        _ => choices.of(&TESTS).to_owned(),
    }
}

/// Generates an event.
pub fn event(choices: &mut Choices, depth: usize) -> String {
    let count = choices.below(5) + usize::from(depth == 0);
    let members: Vec<String> = (0..count)
        .map(|_| {
            let blank = choices.of(&["", "", "", " ", "\n\t"]);
            format!("{blank}\"{}\"{blank}:{}{blank}", choices.of(&KEYS), value(choices, depth))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

fn value(choices: &mut Choices, depth: usize) -> String {
    match choices.below(if depth < 3 { 12 } else { 7 }) {
        0..4 => format!("\"{}\"", choices.of(&TEXTS)),
        4 | 5 => choices.of(&NUMBERS).to_owned(),
        6 => choices.of(&["true", "false", "null"]).to_owned(),
        7 | 8 => event(choices, depth + 1),
        _ => {
            let count = choices.below(4);
            let elements: Vec<String> = (0..count).map(|_| value(choices, depth + 1)).collect();
            format!("[{}]", elements.join(" , "))
        }
    }
}

/// Whether the keys of an event are unique in each object and have no dots.
pub fn is_plain(event: &str) -> bool {
    let colons = |text: &str| text.matches(':').count();
    serde_json::from_str::<Json>(event)
        .is_ok_and(|document| colons(event) == colons(&document.to_string()))
        && !event.contains("a.b")
}
