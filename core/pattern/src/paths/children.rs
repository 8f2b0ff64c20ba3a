//! The children of a node, by name. Few are in a list; many are in a copy-on-write hash table, so
//! that adding a name to a node with thousands of them copies one small page.

use std::sync::Arc;

use crate::cow::hash_table::CowHashTable;
use crate::hash::{Hash, load};
use crate::paths::Field;

/// Up to this many children, a linear search is faster.
const LINEAR_MAX: usize = 12;

/// See the module. Names are not in the hash table; the callers know the name of a field.
#[derive(Clone, Debug)]
pub(super) enum Children {
    Few(Vec<Child>),
    Many(CowHashTable),
}

#[derive(Clone, Debug)]
pub(super) struct Child {
    key: Key,
    name: Arc<[u8]>,
    field: Field,
}

/// The length and the first eight bytes of a name; most names differ in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    len: usize,
    head: u64,
}

impl Key {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let head = match name.first_chunk::<8>() {
            Some(head) => u64::from_le_bytes(*head),
            None => load(name),
        };
        Self { len: name.len(), head }
    }
}

/// The key of a name in the hash table. A name whose key is taken has the next free key.
fn hashed(name: &[u8]) -> u32 {
    Hash::seeded(0, 0, 0).bytes(name)
}

impl Default for Children {
    fn default() -> Self {
        Children::Few(Vec::new())
    }
}

impl Children {
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Children::Few(list) => list.len(),
            Children::Many(table) => table.len(),
        }
    }

    /// The child with that name.
    #[inline]
    pub(super) fn find<'n>(
        &self,
        name: &[u8],
        name_of: impl Fn(Field) -> &'n [u8],
    ) -> Option<Field> {
        match self {
            Children::Few(list) => {
                let key = Key::of(name);
                let is_it = |child: &&Child| {
                    child.key == key && (name.len() <= 8 || child.name[8..] == name[8..])
                };
                list.iter().find(is_it).map(|child| child.field)
            }
            Children::Many(table) => {
                let mut key = hashed(name);
                loop {
                    let field = table.get(key)?;
                    if name_of(field) == name {
                        return Some(field);
                    }
                    key = key.wrapping_add(1);
                }
            }
        }
    }

    /// Adds a child; no other has its name.
    pub(super) fn insert(&mut self, name: &Arc<[u8]>, field: Field) {
        match self {
            Children::Few(list) if list.len() < LINEAR_MAX => {
                list.push(Child { key: Key::of(name), name: Arc::clone(name), field });
            }
            Children::Few(list) => {
                let mut table = CowHashTable::default();
                list.iter().for_each(|child| insert_hashed(&mut table, &child.name, child.field));
                insert_hashed(&mut table, name, field);
                *self = Children::Many(table);
            }
            Children::Many(table) => insert_hashed(table, name, field),
        }
    }

    /// Removes a child; `name_of` knows it and the others.
    pub(super) fn remove<'n>(&mut self, field: Field, name_of: impl Fn(Field) -> &'n [u8]) {
        match self {
            Children::Few(list) => list.retain(|child| child.field != field),
            Children::Many(table) => {
                let mut key = hashed(name_of(field));
                while table.get(key).is_some_and(|other| other != field) {
                    key = key.wrapping_add(1);
                }
                table.remove(key);
                // Names with the keys after it may have been displaced by it.
                key = key.wrapping_add(1);
                while let Some(other) = table.remove(key) {
                    insert_hashed(table, name_of(other), other);
                    key = key.wrapping_add(1);
                }
                if table.len() == 0 {
                    *self = Self::default();
                }
            }
        }
    }
}

fn insert_hashed(table: &mut CowHashTable, name: &[u8], field: Field) {
    let mut key = hashed(name);
    while table.get(key).is_some() {
        key = key.wrapping_add(1);
    }
    table.insert(key, field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_until_they_are_removed() {
        for count in [3_u32, 12, 13, 5000] {
            let names: Vec<Arc<[u8]>> =
                (0..count).map(|at| Arc::from(format!("a-long-name-{at}").into_bytes())).collect();
            let name_of = |field: Field| &*names[field as usize];
            let mut children = Children::default();
            (0..count).for_each(|at| children.insert(&names[at as usize], at));
            for at in 0..count {
                assert_eq!(children.find(name_of(at), name_of), Some(at));
            }
            (0..count).step_by(2).for_each(|at| children.remove(at, name_of));
            for at in 0..count {
                let expected = (at % 2 == 1).then_some(at);
                assert_eq!(children.find(name_of(at), name_of), expected);
            }
            (1..count).step_by(2).for_each(|at| children.remove(at, name_of));
            assert_eq!((children.len(), children.find(b"a", name_of)), (0, None));
        }
    }

    #[test]
    fn names_with_one_hash_do_not_hide_each_other() {
        // Neighbouring keys that are taken stand for names with equal hashes.
        let names: Vec<Arc<[u8]>> = (0..20_u32).map(|at| Arc::from(at.to_le_bytes())).collect();
        let name_of = |field: Field| &*names[field as usize];
        let mut table = CowHashTable::default();
        (0..20).for_each(|at| insert_hashed(&mut table, &names[3], at));
        let mut children = Children::Many(table);
        assert_eq!(children.find(&names[3], name_of), Some(3));
        children.remove(3, name_of);
        assert_eq!(children.find(&names[3], name_of), None);
        assert_eq!(children.len(), 19);
        for at in (0..20).filter(|&at| at != 3) {
            // Behind the gap each went where its own hash says; before it stays what was there.
            assert!(at < 3 || children.find(name_of(at), name_of) == Some(at), "{at}");
        }
    }
}
