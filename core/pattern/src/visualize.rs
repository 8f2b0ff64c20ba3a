//! Draws the index of a small set, to show why a rule is found or not.
//!
//! ```text
//! detail.state
//!   is "running" -> #0 {"detail.state": "running"} = rule 1
//!   begins with 4 bytes, then by source -> #1 {...} = rule 2
//! ```
//! The index stores only hashes of keys. So the drawing computes the keys of each branch again, and
//! looks up under which of them the branch is indexed.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::compile::encoding::{Fields, Tests};
use crate::compile::encoding_text::shown_tests;
use crate::compile::test::quoted;
use crate::cow::branch_store::BranchId;
use crate::index::index_keys::IndexKey;
use crate::index::owners::RuleId;
use crate::index::snapshot::{Entry, IndexSnapshot};
use crate::paths::Field;
use crate::paths::lookup::LookupKind;
use crate::set::RuleSnapshot;

/// The output format of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines for a terminal.
    Text,
    /// The DOT language of Graphviz.
    Dot,
}

/// The number of branches drawn; a larger picture is unreadable.
const BRANCHES_MAX: usize = 200;

/// An index key, and the branches indexed under it.
struct LookupNode {
    words: String,
    branches: Vec<BranchId>,
    /// The fields that split the posting of the key.
    split_by: Vec<String>,
}

impl RuleSnapshot {
    /// Draws the fields, their index keys and the branches indexed under them; `name` maps rule ids
    /// to names. Of a large set only the first branches are drawn.
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
        let snapshot = self.rules();
        let drawn = questions(snapshot);
        let label = |branch| label(snapshot, branch, &name);
        match format {
            Format::Text => as_text(snapshot, &drawn, label),
            Format::Dot => as_dot(snapshot, &drawn, label),
        }
    }
}

type Drawn = BTreeMap<(Vec<u8>, Field), BTreeMap<(LookupKind, u8, u32), LookupNode>>;

fn questions(snapshot: &IndexSnapshot) -> Drawn {
    let mut drawn = Drawn::new();
    let branches = snapshot.branches().take(BRANCHES_MAX);
    for branch in branches {
        for (field, tests) in Fields(&snapshot.code(branch)[1..]) {
            let mut index_keys = Vec::new();
            snapshot.hasher(field).of(tests.clone(), None, &mut index_keys);
            for index_key in index_keys {
                let Some(split_by) = splits_under(snapshot, index_key.key, branch) else {
                    continue;
                };
                let words = words(&index_key, tests.clone());
                let lookup = (index_key.lookup.kind, index_key.lookup.size, index_key.key);
                let field = (snapshot.paths.path(field), field);
                let question = drawn.entry(field).or_default().entry(lookup);
                let question =
                    question.or_insert(LookupNode { words, branches: Vec::new(), split_by });
                if !question.branches.contains(&branch) {
                    question.branches.push(branch);
                }
            }
        }
    }
    drawn
}

/// If a branch is indexed under a key: the fields that split the posting of the key.
fn splits_under(snapshot: &IndexSnapshot, key: u32, branch: BranchId) -> Option<Vec<String>> {
    if !is_indexed_under(snapshot, key, branch) {
        return None;
    }
    let Some(Entry::Many(id)) = snapshot.entry(key) else {
        return Some(Vec::new());
    };
    let shown = |&field: &Field| String::from_utf8_lossy(&snapshot.paths.path(field)).into_owned();
    Some(snapshot.posting(id).splits.iter().map(shown).collect())
}

/// Whether a branch is indexed under a key, directly or under a split of its posting.
fn is_indexed_under(snapshot: &IndexSnapshot, key: u32, branch: BranchId) -> bool {
    let id = match snapshot.entry(key) {
        Some(Entry::Many(id)) => id,
        entry => return entry == Some(Entry::One(branch)),
    };
    let posting = snapshot.posting(id);
    let code = snapshot.code(branch);
    posting.members.iter().any(|&member| member == branch)
        || Fields(&code[1..]).filter(|(field, _)| posting.splits.contains(field)).any(
            |(field, tests)| {
                let mut index_keys = Vec::new();
                snapshot.hasher(field).of(tests, None, &mut index_keys);
                index_keys.iter().any(|index_key| {
                    let child = snapshot.child_key(id, index_key.key);
                    is_indexed_under(snapshot, child, branch)
                })
            },
        )
}

fn words(index_key: &IndexKey, tests: Tests<'_>) -> String {
    let size = index_key.lookup.size;
    match index_key.lookup.kind {
        LookupKind::Exists => "is there".to_owned(),
        LookupKind::Absent => "is not there".to_owned(),
        LookupKind::Text | LookupKind::Number | LookupKind::Literal => {
            format!("is {}", shown_tests(tests).join(" or "))
        }
        LookupKind::CaseFolded => format!("is, in some case, {}", shown_tests(tests).join(" or ")),
        LookupKind::Prefix | LookupKind::CaseFoldedPrefix => format!("begins with {size} bytes"),
        LookupKind::Suffix | LookupKind::CaseFoldedSuffix => format!("ends with {size} bytes"),
        LookupKind::Ngram => format!("has {size} bytes {:?}", ngram(index_key)),
        LookupKind::NumberBlock => format!("is in a block of 2^{size} doubles"),
        LookupKind::Ipv4 => format!("is an IPv4 address of a network /{size}"),
        LookupKind::Ipv6 => format!("is an IPv6 address of a network /{size}"),
    }
}

fn ngram(index_key: &IndexKey) -> String {
    let bytes = index_key.ngram.to_le_bytes();
    String::from_utf8_lossy(&bytes[..usize::from(index_key.lookup.size)]).into_owned()
}

fn label(snapshot: &IndexSnapshot, branch: BranchId, name: &impl Fn(RuleId) -> String) -> String {
    let fields = Fields(&snapshot.code(branch)[1..]).map(|(field, tests)| {
        let path = quoted(&String::from_utf8_lossy(&snapshot.paths.path(field)));
        format!("{path}: {}", shown_tests(tests).join(" or "))
    });
    let fields: Vec<String> = fields.collect();
    let owners: Vec<String> = snapshot.owners(branch).map(name).collect();
    format!("#{branch} {{{}}} = {}", fields.join(", "), owners.join(", "))
}

fn as_text(snapshot: &IndexSnapshot, drawn: &Drawn, label: impl Fn(BranchId) -> String) -> String {
    let mut out = String::new();
    for ((path, _), questions) in drawn {
        let _ = writeln!(out, "{}", String::from_utf8_lossy(path));
        for question in questions.values() {
            let split_by = match question.split_by.as_slice() {
                [] => String::new(),
                split_by => format!(", then by {}", split_by.join(", ")),
            };
            let shown: Vec<String> = question.branches.iter().map(|&id| label(id)).collect();
            let _ = match shown.as_slice() {
                [one] => writeln!(out, "  {}{split_by} -> {one}", question.words),
                many => {
                    writeln!(out, "  {}{split_by} ->\n    {}", question.words, many.join("\n    "))
                }
            };
        }
    }
    let left = snapshot.branches().count().saturating_sub(BRANCHES_MAX);
    if left > 0 {
        let _ = writeln!(out, "and {left} branches more");
    }
    out
}

fn as_dot(snapshot: &IndexSnapshot, drawn: &Drawn, label: impl Fn(BranchId) -> String) -> String {
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
    let left = snapshot.branches().count().saturating_sub(BRANCHES_MAX);
    if left > 0 {
        let _ = writeln!(out, "  more [label=\"and {left} branches more\"];");
    }
    out.push_str("}\n");
    out
}
