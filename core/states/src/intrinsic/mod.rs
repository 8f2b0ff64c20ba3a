//! The intrinsic functions of JSONPath mode: `States.Format('{} of {}', $.n, $.all)`.

mod functions;
mod hash;
mod parse;

use crate::value::Value;

pub(crate) use functions::{Failed, call, seeded};
pub(crate) use hash::hash;

/// A call of an intrinsic function. `P` is a path.
#[derive(Debug)]
pub(crate) struct Call<P> {
    /// Which one.
    pub function: Function,
    /// What it is given.
    pub arguments: Vec<Argument<P>>,
}

/// What an intrinsic function is given.
#[derive(Debug)]
pub(crate) enum Argument<P> {
    /// A string, a number, a boolean or null.
    Given(Value),
    /// A path.
    Path(P),
    /// The result of another call.
    Call(Call<P>),
}

/// An intrinsic function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

impl Function {
    /// The function of this name, without `States.`.
    fn named(name: &str) -> Option<Function> {
        Some(match name {
            "Array" => Function::Array,
            "ArrayContains" => Function::ArrayContains,
            "ArrayGetItem" => Function::ArrayGetItem,
            "ArrayLength" => Function::ArrayLength,
            "ArrayPartition" => Function::ArrayPartition,
            "ArrayRange" => Function::ArrayRange,
            "ArrayUnique" => Function::ArrayUnique,
            "Base64Decode" => Function::Base64Decode,
            "Base64Encode" => Function::Base64Encode,
            "Format" => Function::Format,
            "Hash" => Function::Hash,
            "JsonMerge" => Function::JsonMerge,
            "JsonToString" => Function::JsonToString,
            "MathAdd" => Function::MathAdd,
            "MathRandom" => Function::MathRandom,
            "StringSplit" => Function::StringSplit,
            "StringToJson" => Function::StringToJson,
            "UUID" => Function::Uuid,
            _ => return None,
        })
    }

    /// How many arguments it takes: at least and at most.
    fn arity(self) -> (usize, usize) {
        match self {
            Function::Array => (0, usize::MAX),
            Function::Format => (1, usize::MAX),
            Function::Uuid => (0, 0),
            Function::ArrayRange | Function::JsonMerge => (3, 3),
            Function::MathRandom => (2, 3),
            Function::ArrayContains
            | Function::ArrayGetItem
            | Function::ArrayPartition
            | Function::Hash
            | Function::MathAdd
            | Function::StringSplit => (2, 2),
            Function::ArrayLength
            | Function::ArrayUnique
            | Function::Base64Decode
            | Function::Base64Encode
            | Function::JsonToString
            | Function::StringToJson => (1, 1),
        }
    }
}
