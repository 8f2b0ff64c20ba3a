//! Draws the index of a small set, to see why a rule is found, or is not.
//!
//! Text:
//! ```text
//! detail.state
//!   is "running" -> #0 {detail.state: "running"} = rule 1
//!   begins with 4 bytes -> posting 0, parts by source
//! ```
//! The keys of an index are hashes. So the drawing asks each branch for its keys again, and shows
//! under which of them it stands.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::compile::encoding::{Fields, Tests};
use crate::compile::encoding_text::shown_tests;
use crate::compile::test::quoted;
use crate::cow::branch_store::BranchId;
use crate::index::index_keys::{Access, Kind};
use crate::index::snapshot::{Entry, Rules};
use crate::paths::Field;
use crate::set::{RuleId, RuleSnapshot};

/// How a drawing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines for a terminal.
    Text,
    /// The language of Graphviz.
    Dot,
}

/// Branches that are drawn, at most: a larger picture tells nobody anything.
const BRANCHES_MAX: usize = 200;

/// A question of the index, and the branches that it leads to.
struct Question {
    words: String,
    branches: Vec<BranchId>,
    /// The fields by which the branches part, if they do.
    parts: Vec<String>,
}

impl RuleSnapshot {
    /// Draws the fields, the questions that are asked about them, and the branches found by these;
    /// `name` gives the names of rules. Of a large set the first branches are drawn.
    ///
    /// ```
    /// use trunkline_pattern::{Dialect, Format, Limits, Pattern, RuleSet};
    /// let rules = RuleSet::new();
    /// let text = br#"{"a":["x"]}"#;
    /// let pattern = Pattern::compile(text, Dialect::EventPattern, &Limits::default())?;
    /// rules.add(7, &pattern);
    /// let drawn = rules.snapshot().draw(Format::Text, |id| format!("rule {id}"));
    /// assert_eq!(drawn, "a\n  is \"x\" -> #0 {\"a\": \"x\"} = rule 7\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn draw(&self, format: Format, name: impl Fn(RuleId) -> String) -> String {
        let rules = self.rules();
        let drawn = questions(rules);
        let label = |branch| label(rules, branch, &name);
        match format {
            Format::Text => as_text(rules, &drawn, label),
            Format::Dot => as_dot(rules, &drawn, label),
        }
    }
}

type Drawn = BTreeMap<(Vec<u8>, Field), BTreeMap<(Kind, u8, u32), Question>>;

fn questions(rules: &Rules) -> Drawn {
    let mut drawn = Drawn::new();
    let branches = rules.branches().take(BRANCHES_MAX);
    for branch in branches {
        for (field, tests) in Fields(&rules.code(branch)[1..]) {
            let mut accesses = Vec::new();
            rules.keys(field).of(tests.clone(), None, &mut accesses);
            for access in accesses {
                let Some(parts) = standing(rules, access.key, branch) else {
                    continue;
                };
                let words = words(&access, tests.clone());
                let probe = (access.probe.kind, access.probe.size, access.key);
                let field = (rules.paths.path(field), field);
                let question = drawn.entry(field).or_default().entry(probe);
                let question = question.or_insert(Question { words, branches: Vec::new(), parts });
                if !question.branches.contains(&branch) {
                    question.branches.push(branch);
                }
            }
        }
    }
    drawn
}

/// Whether a branch stands under a key; then the fields by which what stands there parts.
fn standing(rules: &Rules, key: u32, branch: BranchId) -> Option<Vec<String>> {
    if !stands(rules, key, branch) {
        return None;
    }
    let Some(Entry::Many(id)) = rules.entry(key) else {
        return Some(Vec::new());
    };
    let shown = |&field: &Field| String::from_utf8_lossy(&rules.paths.path(field)).into_owned();
    Some(rules.posting(id).splits.iter().map(shown).collect())
}

/// Whether a branch stands under a key, or under a key of the posting there.
fn stands(rules: &Rules, key: u32, branch: BranchId) -> bool {
    let id = match rules.entry(key) {
        Some(Entry::Many(id)) => id,
        entry => return entry == Some(Entry::One(branch)),
    };
    let posting = rules.posting(id);
    let code = rules.code(branch);
    posting.members.iter().any(|&member| member == branch)
        || Fields(&code[1..]).filter(|(field, _)| posting.splits.contains(field)).any(
            |(field, tests)| {
                let mut accesses = Vec::new();
                rules.keys(field).of(tests, None, &mut accesses);
                accesses.iter().any(|access| {
                    let child = rules.child_key(id, access.key);
                    stands(rules, child, branch)
                })
            },
        )
}

fn words(access: &Access, tests: Tests<'_>) -> String {
    let size = access.probe.size;
    match access.probe.kind {
        Kind::Seen => "is there".to_owned(),
        Kind::Absent => "is not there".to_owned(),
        Kind::Text | Kind::Number | Kind::Word => format!("is {}", shown_tests(tests).join(" or ")),
        Kind::Folded => format!("is, in some case, {}", shown_tests(tests).join(" or ")),
        Kind::Prefix | Kind::FoldedPrefix => format!("begins with {size} bytes"),
        Kind::Suffix | Kind::FoldedSuffix => format!("ends with {size} bytes"),
        Kind::Gram => format!("has {size} bytes {:?}", gram(access)),
        Kind::Block => format!("is in a block of 2^{size} doubles"),
        Kind::V4 => format!("is an IPv4 address of a network /{size}"),
        Kind::V6 => format!("is an IPv6 address of a network /{size}"),
    }
}

fn gram(access: &Access) -> String {
    let bytes = access.gram.to_le_bytes();
    String::from_utf8_lossy(&bytes[..usize::from(access.probe.size)]).into_owned()
}

fn label(rules: &Rules, branch: BranchId, name: &impl Fn(RuleId) -> String) -> String {
    let fields = Fields(&rules.code(branch)[1..]).map(|(field, tests)| {
        let path = quoted(&String::from_utf8_lossy(&rules.paths.path(field)));
        format!("{path}: {}", shown_tests(tests).join(" or "))
    });
    let fields: Vec<String> = fields.collect();
    let owners: Vec<String> = rules.owners(branch).map(name).collect();
    format!("#{branch} {{{}}} = {}", fields.join(", "), owners.join(", "))
}

fn as_text(rules: &Rules, drawn: &Drawn, label: impl Fn(BranchId) -> String) -> String {
    let mut out = String::new();
    for ((path, _), questions) in drawn {
        let _ = writeln!(out, "{}", String::from_utf8_lossy(path));
        for question in questions.values() {
            let parts = match question.parts.as_slice() {
                [] => String::new(),
                parts => format!(", then by {}", parts.join(", ")),
            };
            let shown: Vec<String> = question.branches.iter().map(|&id| label(id)).collect();
            let _ = match shown.as_slice() {
                [one] => writeln!(out, "  {}{parts} -> {one}", question.words),
                many => {
                    writeln!(out, "  {}{parts} ->\n    {}", question.words, many.join("\n    "))
                }
            };
        }
    }
    let left = rules.branches().count().saturating_sub(BRANCHES_MAX);
    if left > 0 {
        let _ = writeln!(out, "and {left} branches more");
    }
    out
}

fn as_dot(rules: &Rules, drawn: &Drawn, label: impl Fn(BranchId) -> String) -> String {
    let mut out = String::from("digraph rules {\n  rankdir=LR;\n  node [shape=box];\n");
    let mut seen = Vec::new();
    for ((path, field), questions) in drawn {
        let path = quoted(&String::from_utf8_lossy(path));
        let _ = writeln!(out, "  field{field} [label={path}, shape=ellipse];");
        for question in questions.values() {
            for &branch in &question.branches {
                let _ = writeln!(
                    out,
                    "  field{field} -> branch{branch} [label={}];",
                    quoted(&question.words)
                );
                if !seen.contains(&branch) {
                    seen.push(branch);
                }
            }
        }
    }
    for branch in seen {
        let _ = writeln!(out, "  branch{branch} [label={}];", quoted(&label(branch)));
    }
    let left = rules.branches().count().saturating_sub(BRANCHES_MAX);
    if left > 0 {
        let _ = writeln!(out, "  more [label=\"and {left} branches more\"];");
    }
    out.push_str("}\n");
    out
}
