//! Copy-on-write containers: a clone shares its pages, and a change copies only the pages that it
//! touches.

pub(crate) mod array;
pub(crate) mod branch_store;
pub(crate) mod hash_table;
mod prefetch;
