//! The paths of members, for errors that name them.

/// Where a message stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the input.
    Alone,
    /// It is an entry of a batch.
    Entry(usize),
}

impl Place {
    /// The path of a member of the message.
    pub fn of(self, member: &str) -> String {
        match self {
            Self::Alone => member.to_owned(),
            Self::Entry(place) => {
                format!("publishBatchRequestEntries.{}.member.{member}", place + 1)
            }
        }
    }
}
