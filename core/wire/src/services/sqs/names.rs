//! Which attributes a receive asks for.

use super::errors::named;
use crate::codec::text::Text;
use crate::error::Result;

/// The system attributes a receive may ask for, and their bit in a [`System`] set.
pub(super) const SYSTEM: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// A set of system attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct System(u16);

impl System {
    /// Reads the old and the new list of names; both count.
    pub fn read(lists: [Option<&[Text<'_>]>; 2]) -> Result<Self> {
        let mut set = 0;
        for name in lists.into_iter().flatten().flatten() {
            if &**name == "All" {
                set = Self::ALL.0;
                continue;
            }
            match SYSTEM.iter().position(|known| *known == &**name) {
                Some(bit) => set |= 1 << bit,
                None => {
                    let shown: String = name.chars().take(crate::limits::QUOTE_CHARS_MAX).collect();
                    let message = format!("Unknown Attribute {shown}.");
                    return Err(named("InvalidAttributeName", message));
                }
            }
        }
        Ok(Self(set))
    }

    /// All of them.
    pub const ALL: Self = Self(u16::MAX);

    /// Whether none is asked for.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the attribute at this place of [`SYSTEM`] is asked for.
    pub fn has(self, bit: usize) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// Which message attributes are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum User {
    #[default]
    None,
    All,
    Named {
        exact: Vec<String>,
        prefixes: Vec<String>,
    },
}

impl User {
    pub fn read(names: Option<&[Text<'_>]>) -> Self {
        let names = names.unwrap_or_default();
        if names.is_empty() {
            return Self::None;
        }
        if names.iter().any(|name| matches!(&**name, "All" | ".*" | "*")) {
            return Self::All;
        }
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for name in names {
            match name.strip_suffix(".*") {
                Some(prefix) => prefixes.push(prefix.to_owned()),
                None => exact.push(name.0.clone().into_owned()),
            }
        }
        Self::Named { exact, prefixes }
    }

    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Named { exact, prefixes } => {
                exact.iter().any(|n| n == name)
                    || prefixes.iter().any(|p| name.starts_with(p.as_str()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn texts(names: &[&'static str]) -> Vec<Text<'static>> {
        names.iter().map(|name| Text(Cow::Borrowed(*name))).collect()
    }

    #[test]
    fn both_lists_of_system_attributes_count() {
        let (old, new) = (texts(&["SenderId"]), texts(&["SentTimestamp"]));
        let set = System::read([Some(&old), Some(&new)]).unwrap();
        assert!(set.has(0) && set.has(1) && !set.has(2));
        assert!(System::read([Some(&texts(&["All"])), None]).unwrap().has(8));
        assert!(System::read([Some(&texts(&["Foobar"])), None]).is_err());
    }

    #[test]
    fn user_attributes_are_asked_for_by_name_by_prefix_or_all() {
        let asked = User::read(Some(&texts(&["a", "b.*"])));
        assert!(asked.has("a") && asked.has("b.c") && !asked.has("A") && !asked.has("ab"));
        for all in ["All", ".*", "*"] {
            assert_eq!(User::read(Some(&texts(&[all]))), User::All);
        }
        assert_eq!(User::read(Some(&[])), User::None);
    }
}
