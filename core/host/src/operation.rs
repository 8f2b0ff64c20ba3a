//! Operations: what a surface may ask of a resource, and what each needs before it starts.

/// An operation of a kind of resource. Rules of faults name it; see
/// [`crate::ComponentKind::operations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The name, in rules of faults.
    pub name: &'static str,
    /// What it needs of the engine.
    pub needs: Needs,
}

/// What an operation needs of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// An open engine.
    Reading,
    /// An engine that may be written to.
    Writing,
    /// The same, and a disk that is not full, for what neither adds content nor frees space.
    Space,
    /// The same, and capacity for more content: the call waits while too much is unwritten, and
    /// fails on a full disk.
    Capacity,
}

impl Operation {
    /// Waiting for what was written to be durable: an operation of every kind.
    pub const COMMIT: Self = Self::writes("commit");

    /// An operation that changes nothing.
    pub const fn reads(name: &'static str) -> Self {
        Self { name, needs: Needs::Reading }
    }

    /// An operation that changes or removes something.
    pub const fn writes(name: &'static str) -> Self {
        Self { name, needs: Needs::Writing }
    }

    /// An operation that changes a definition: it fails on a full disk.
    pub const fn defines(name: &'static str) -> Self {
        Self { name, needs: Needs::Space }
    }

    /// An operation that adds content.
    pub const fn adds(name: &'static str) -> Self {
        Self { name, needs: Needs::Capacity }
    }
}
