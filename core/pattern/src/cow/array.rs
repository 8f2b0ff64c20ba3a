//! A copy-on-write array: a tree of pages. A change copies one page on each level.
//!
//! Readers keep the version that they hold. Pages that are not shared are changed in place, so a
//! bulk load costs as much as with a plain array.

use std::sync::Arc;

/// Children of an inner page.
const FAN_OUT: usize = 32;
const FAN_OUT_BITS: u32 = FAN_OUT.trailing_zeros();

/// An array whose leaf pages hold `PAGE` elements.
#[derive(Clone, Debug)]
pub(crate) struct CowArray<T, const PAGE: usize> {
    root: Tree<T>,
    len: usize,
    /// Levels above the leaves.
    height: u32,
}

#[derive(Clone, Debug)]
enum Tree<T> {
    Leaf(Arc<[T]>),
    Inner(Arc<[Tree<T>]>),
}

impl<T: Clone, const PAGE: usize> Default for CowArray<T, PAGE> {
    fn default() -> Self {
        Self { root: Tree::Leaf(Arc::default()), len: 0, height: 0 }
    }
}

impl<T: Clone, const PAGE: usize> CowArray<T, PAGE> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &T {
        let page = index / PAGE;
        let mut tree = &self.root;
        let mut shift = self.height * FAN_OUT_BITS;
        loop {
            match tree {
                Tree::Leaf(items) => return &items[index % PAGE],
                Tree::Inner(children) => {
                    shift -= FAN_OUT_BITS;
                    tree = &children[(page >> shift) % FAN_OUT];
                }
            }
        }
    }

    /// The element for writing; shared pages are copied first.
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        let page = index / PAGE;
        let mut tree = &mut self.root;
        let mut shift = self.height * FAN_OUT_BITS;
        loop {
            match tree {
                Tree::Leaf(items) => return &mut Arc::make_mut(items)[index % PAGE],
                Tree::Inner(children) => {
                    shift -= FAN_OUT_BITS;
                    tree = &mut Arc::make_mut(children)[(page >> shift) % FAN_OUT];
                }
            }
        }
    }

    /// Appends an element and returns its index.
    pub(crate) fn push(&mut self, item: T) -> usize {
        let index = self.len;
        if index == PAGE << (self.height * FAN_OUT_BITS) {
            let root = std::mem::replace(&mut self.root, Tree::Inner(Arc::default()));
            self.root = Tree::Inner(Arc::new([root]));
            self.height += 1;
        }
        let page = index / PAGE;
        let mut tree = &mut self.root;
        let mut shift = self.height * FAN_OUT_BITS;
        loop {
            match tree {
                Tree::Leaf(items) => {
                    *items = items.iter().cloned().chain([item]).collect();
                    break;
                }
                Tree::Inner(children) => {
                    shift -= FAN_OUT_BITS;
                    let child = (page >> shift) % FAN_OUT;
                    if child == children.len() {
                        let empty = if shift == 0 {
                            Tree::Leaf(Arc::default())
                        } else {
                            Tree::Inner(Arc::default())
                        };
                        *children = children.iter().cloned().chain([empty]).collect();
                    }
                    tree = &mut Arc::make_mut(children)[child];
                }
            }
        }
        self.len += 1;
        index
    }
}

impl<T: Clone, const PAGE: usize> CowArray<T, PAGE> {
    /// Removes an element; the last element takes its index.
    pub(crate) fn swap_remove(&mut self, index: usize) -> T {
        let last = self.pop();
        match index == self.len {
            true => last,
            false => std::mem::replace(self.get_mut(index), last),
        }
    }

    fn pop(&mut self) -> T {
        self.len -= 1;
        let page = self.len / PAGE;
        let mut tree = &mut self.root;
        let mut shift = self.height * FAN_OUT_BITS;
        loop {
            match tree {
                Tree::Leaf(items) => {
                    // The last page ends with the last element.
                    let last = items.len() - 1;
                    let item = items[last].clone();
                    *items = items[..last].iter().cloned().collect();
                    return item;
                }
                Tree::Inner(children) => {
                    shift -= FAN_OUT_BITS;
                    tree = &mut Arc::make_mut(children)[(page >> shift) % FAN_OUT];
                }
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_had() {
        let mut array: CowArray<usize, 4> = CowArray::default();
        for index in 0..10_000 {
            assert_eq!(array.push(index), index);
        }
        let before = array.clone();
        for index in (0..10_000).step_by(7) {
            *array.get_mut(index) += 1;
        }
        array.push(10_000);
        for index in 0..10_000 {
            assert_eq!(*before.get(index), index);
            assert_eq!(*array.get(index), index + usize::from(index % 7 == 0));
        }
        assert_eq!((before.len(), array.len(), *array.get(10_000)), (10_000, 10_001, 10_000));
        let mut left = before.clone();
        for _ in 0..10_000 {
            left.swap_remove(left.len() / 2);
        }
        assert_eq!((left.len(), before.iter().sum::<usize>()), (0, 49_995_000));
        assert_eq!((left.push(5), *left.get(0)), (0, 5));
    }
}
