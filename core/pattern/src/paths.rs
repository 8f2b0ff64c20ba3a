//! The paths that rules name, as a tree of keys. A walk over an event follows it and skips the rest.
//!
//! Paths are joined with dots, so `{"a":{"b":1}}` and `{"a.b":1}` have one value at one path. The
//! tree therefore has a node for every part between dots, and a key with dots walks several.

use std::sync::Arc;

use crate::paged::Paged;

/// The number of a node, and of the field that it is.
pub(crate) type Field = u32;

/// The node of the event itself.
pub(crate) const ROOT: Field = 0;

/// All nodes.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    nodes: Paged<Arc<Node>, 32>,
}

/// A part of a path.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Field,
    /// Parts from the event to here.
    pub(crate) depth: u32,
    pub(crate) name: Arc<[u8]>,
    /// How many branches name this very path. Only then are its values kept.
    pub(crate) uses: u32,
    /// In the order of `Key`, so that many are searched by halving.
    children: Vec<Child>,
}

#[derive(Clone, Debug)]
struct Child {
    key: Key,
    name: Arc<[u8]>,
    field: Field,
}

/// A name as it is compared: length and first eight bytes; most names differ there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    len: usize,
    head: u64,
}

impl Key {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let head = match name.first_chunk::<8>() {
            Some(head) => u64::from_le_bytes(*head),
            None => name.iter().rev().fold(0, |head, &byte| head << 8 | u64::from(byte)),
        };
        Self { len: name.len(), head }
    }
}

/// Children up to which they are compared one after the other.
const LINEAR_MAX: usize = 12;

impl Node {
    fn new(parent: Field, depth: u32, name: &[u8]) -> Self {
        Self { parent, depth, name: Arc::from(name), uses: 0, children: Vec::new() }
    }

    pub(crate) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// The child of that name.
    #[inline]
    pub(crate) fn child(&self, name: &[u8]) -> Option<Field> {
        let key = Key::of(name);
        if self.children.len() <= LINEAR_MAX {
            let is_it = |child: &&Child| child.key == key && is_rest(child, name);
            return self.children.iter().find(is_it).map(|child| child.field);
        }
        let from = self.children.partition_point(|child| child.key < key);
        let mut equal = self.children[from..].iter().take_while(|child| child.key == key);
        equal.find(|child| is_rest(child, name)).map(|child| child.field)
    }

    /// The children, for a drawing.
    pub(crate) fn children(&self) -> impl Iterator<Item = Field> {
        self.children.iter().map(|child| child.field)
    }
}

#[inline]
fn is_rest(child: &Child, name: &[u8]) -> bool {
    name.len() <= 8 || child.name[8..] == name[8..]
}

impl Default for Paths {
    fn default() -> Self {
        let mut nodes = Paged::default();
        nodes.push(Arc::new(Node::new(ROOT, 0, b"")));
        Self { nodes }
    }
}

impl Paths {
    #[inline]
    pub(crate) fn node(&self, field: Field) -> &Node {
        self.nodes.get(field as usize)
    }

    /// How many fields there are, the event included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The field of a path, if any rule has named it.
    pub(crate) fn find(&self, path: &[u8]) -> Option<Field> {
        self.descend(ROOT, path)
    }

    /// The node that `path` leads to from `from`.
    pub(crate) fn descend(&self, from: Field, path: &[u8]) -> Option<Field> {
        path.split(|&byte| byte == b'.').try_fold(from, |at, part| self.node(at).child(part))
    }

    /// The field of a path, which one more branch names.
    pub(crate) fn add(&mut self, path: &[u8]) -> Field {
        let mut at = ROOT;
        for part in path.split(|&byte| byte == b'.') {
            at = match self.node(at).child(part) {
                Some(child) => child,
                None => self.push(at, part),
            };
        }
        Arc::make_mut(self.nodes.get_mut(at as usize)).uses += 1;
        at
    }

    /// One branch less names the field.
    pub(crate) fn release(&mut self, field: Field) {
        Arc::make_mut(self.nodes.get_mut(field as usize)).uses -= 1;
    }

    fn push(&mut self, parent: Field, name: &[u8]) -> Field {
        let node = Node::new(parent, self.node(parent).depth + 1, name);
        let child_name = node.name.clone();
        let field = self.nodes.push(Arc::new(node)) as Field;
        let children = &mut Arc::make_mut(self.nodes.get_mut(parent as usize)).children;
        let key = Key::of(name);
        let at = children.partition_point(|child| child.key < key);
        children.insert(at, Child { key, name: child_name, field });
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

    /// How many parts two fields' paths have in common.
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
