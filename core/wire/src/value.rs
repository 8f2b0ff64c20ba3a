//! A value of any operation's input or output, as the service models describe them.
//!
//! Structures and maps are both [`Value::Map`]: the order of arrival is kept, absent members are
//! not there. Only the control plane and the older protocols pay for this tree; the data plane
//! reads its JSON straight into typed structs.

/// One value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// JSON's `null`, an element without a value in a sparse list.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// Integers of every width.
    Int(i64),
    /// Floats of every width; may be NaN or infinite.
    Float(f64),
    /// Strings and enums.
    Text(String),
    /// Bytes; base64 on most wires.
    Blob(Vec<u8>),
    /// Seconds since 1970, with a fraction.
    Time(f64),
    /// A list.
    List(Vec<Value>),
    /// A structure or a map, in order of arrival.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The member `name` of a structure or map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The members of a structure or map; none for anything else.
    pub fn members(&self) -> &[(String, Value)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A structure with these members.
    pub fn structure<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
