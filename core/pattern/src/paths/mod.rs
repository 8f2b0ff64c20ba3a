//! The paths that rules name, as a tree of keys. Flattening follows the tree and skips keys that
//! are not in it.
//!
//! Paths are joined with dots, so `{"a":{"b":1}}` and `{"a.b":1}` have a value at the same path.
//! The tree has a node for each part between dots; a key with dots descends several nodes.

mod children;
pub(crate) mod lookup;

use std::sync::Arc;

use crate::cow::array::CowArray;
use crate::paths::children::Children;
use crate::paths::lookup::{Lookup, LookupKind};

/// The id of a node, and of the field at its path.
pub(crate) type Field = u32;

/// The node of the event itself.
pub(crate) const ROOT: Field = 0;

/// All nodes.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    nodes: CowArray<Arc<Node>, 32>,
    /// Ids of removed nodes, to be used again.
    free: CowArray<Field, 128>,
    /// What stands in the place of every removed node.
    removed: Arc<Node>,
}

/// One part of a path.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Field,
    /// Parts from the root to this node.
    pub(crate) depth: u32,
    pub(crate) name: Arc<[u8]>,
    /// Whether a rule names this path. Only then are its values extracted.
    pub(crate) is_named: bool,
    /// The lookups that a query does for each value, sorted.
    pub(crate) lookups: Vec<Lookup>,
    /// A Bloom filter of the n-grams by which wildcards of this field are indexed.
    ngrams: Option<Arc<[u64; NGRAM_WORDS]>>,
    /// Children that have children. If there are none, a key with dots cannot match.
    deep_children: u32,
    children: Children,
}

impl Node {
    fn new(parent: Field, depth: u32, name: &[u8]) -> Self {
        Self {
            parent,
            depth,
            name: Arc::from(name),
            is_named: false,
            lookups: Vec::new(),
            ngrams: None,
            deep_children: 0,
            children: Children::default(),
        }
    }

    /// The number of children.
    #[inline]
    pub(crate) fn width(&self) -> usize {
        self.children.len()
    }

    #[inline]
    pub(crate) fn is_deep(&self) -> bool {
        self.deep_children > 0
    }

    pub(crate) fn has_children(&self) -> bool {
        self.children.len() > 0
    }

    /// Whether rules are indexed by exact texts of this field.
    #[inline]
    pub(crate) fn has_exact_texts(&self) -> bool {
        // Lookups are sorted, and only `Exists` comes before.
        self.lookups.iter().take(2).any(|lookup| lookup.kind == LookupKind::Text)
    }

    /// Whether the index may contain the n-gram.
    #[inline]
    pub(crate) fn may_have_ngram(&self, ngram: u64) -> bool {
        let (word, bit) = ngram_bit(ngram);
        self.ngrams.as_ref().is_some_and(|ngrams| ngrams[word] & bit != 0)
    }
}

/// The filter has 65,536 bits: ten thousand wildcards set a seventh of them.
const NGRAM_WORDS: usize = 1024;

#[inline]
fn ngram_bit(ngram: u64) -> (usize, u64) {
    let hash = ngram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

impl Default for Paths {
    fn default() -> Self {
        let mut nodes = CowArray::default();
        nodes.push(Arc::new(Node::new(ROOT, 0, b"")));
        let removed = Arc::new(Node::new(ROOT, 0, b""));
        Self { nodes, free: CowArray::default(), removed }
    }
}

impl Paths {
    #[inline]
    pub(crate) fn node(&self, field: Field) -> &Node {
        self.nodes.get(field as usize)
    }

    /// The child of a node with that name.
    #[inline]
    pub(crate) fn child(&self, node: &Node, name: &[u8]) -> Option<Field> {
        node.children.find(name, |field| &self.node(field).name)
    }

    /// The number of node ids, including the root and unused ones.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The number of nodes in use.
    #[cfg(test)]
    pub(crate) fn live(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// The field of a path, if a rule names it.
    pub(crate) fn find(&self, path: &[u8]) -> Option<Field> {
        self.descend(ROOT, path)
    }

    /// The node at `path` below `from`.
    pub(crate) fn descend(&self, from: Field, path: &[u8]) -> Option<Field> {
        let child = |at, part| self.child(self.node(at), part);
        path.split(|&byte| byte == b'.').try_fold(from, child)
    }

    /// Adds a path where it is missing, and returns its field.
    pub(crate) fn add(&mut self, path: &[u8]) -> Field {
        let mut at = ROOT;
        for part in path.split(|&byte| byte == b'.') {
            at = match self.child(self.node(at), part) {
                Some(child) => child,
                None => self.push(at, part),
            };
        }
        if !self.node(at).is_named {
            self.change(at).is_named = true;
        }
        at
    }

    fn change(&mut self, field: Field) -> &mut Node {
        Arc::make_mut(self.nodes.get_mut(field as usize))
    }

    /// Removes the path of a field that no rule names any more. Parts of it that other paths share
    /// stay.
    pub(crate) fn remove(&mut self, field: Field) {
        self.change(field).is_named = false;
        let mut at = field;
        while at != ROOT && !self.node(at).is_named && !self.node(at).has_children() {
            let parent = self.node(at).parent;
            let mut children = std::mem::take(&mut self.change(parent).children);
            children.remove(at, |field| &self.node(field).name);
            self.change(parent).children = children;
            if parent != ROOT && !self.node(parent).has_children() {
                let above = self.node(parent).parent;
                self.change(above).deep_children -= 1;
            }
            *self.nodes.get_mut(at as usize) = self.removed.clone();
            self.free.push(at);
            at = parent;
        }
    }

    /// Adds a lookup for the values of a field.
    pub(crate) fn add_lookup(&mut self, field: Field, lookup: Lookup) {
        let lookups = &mut self.change(field).lookups;
        if let Err(at) = lookups.binary_search(&lookup) {
            lookups.insert(at, lookup);
        }
    }

    pub(crate) fn remove_lookup(&mut self, field: Field, lookup: Lookup) {
        let node = self.change(field);
        node.lookups.retain(|other| *other != lookup);
        if !node.lookups.iter().any(|lookup| lookup.kind == LookupKind::Ngram) {
            node.ngrams = None;
        }
    }

    /// Adds an n-gram to the filter of a field.
    pub(crate) fn add_ngram(&mut self, field: Field, ngram: u64) {
        if self.node(field).may_have_ngram(ngram) {
            return;
        }
        let ngrams = self.change(field).ngrams.get_or_insert_with(|| Arc::new([0; NGRAM_WORDS]));
        let (word, bit) = ngram_bit(ngram);
        Arc::make_mut(ngrams)[word] |= bit;
    }

    fn push(&mut self, parent: Field, name: &[u8]) -> Field {
        let node = Arc::new(Node::new(parent, self.node(parent).depth + 1, name));
        let child_name = node.name.clone();
        let field = match self.free.len() {
            0 => self.nodes.push(node) as Field,
            count => {
                let field = self.free.swap_remove(count - 1);
                *self.nodes.get_mut(field as usize) = node;
                field
            }
        };
        if parent != ROOT && !self.node(parent).has_children() {
            let above = self.node(parent).parent;
            self.change(above).deep_children += 1;
        }
        self.change(parent).children.insert(&child_name, field);
        field
    }

    /// The dotted path of a field.
    pub(crate) fn path(&self, field: Field) -> Vec<u8> {
        let node = self.node(field);
        if node.depth <= 1 {
            return node.name.to_vec();
        }
        let mut path = self.path(node.parent);
        path.push(b'.');
        path.extend_from_slice(&node.name);
        path
    }

    /// The length of the common prefix of two paths, in parts.
    pub(crate) fn shared_depth(&self, mut a: Field, mut b: Field) -> u32 {
        while a != b {
            if self.node(a).depth >= self.node(b).depth {
                a = self.node(a).parent;
            } else {
                b = self.node(b).parent;
            }
        }
        self.node(a).depth
    }
}
