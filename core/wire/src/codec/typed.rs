//! What readers of typed structures share: their error, and bytes that some protocols encode.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::scalar;
use crate::error::WireError;

/// An input that does not fit its typed structure.
#[derive(Debug)]
pub struct TypedError(WireError);

impl Error for TypedError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(WireError::serialization(message.to_string()))
    }
}

impl fmt::Display for TypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TypedError {}

impl From<WireError> for TypedError {
    fn from(error: WireError) -> Self {
        Self(error)
    }
}

impl From<TypedError> for WireError {
    fn from(error: TypedError) -> Self {
        error.0
    }
}

/// Bytes: base64 in JSON and forms, plain in CBOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob<'a>(pub Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Blob<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Blob<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Blob")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let bytes =
                    scalar::decode_blob(text).map_err(|error| E::custom(error.message()))?;
                Ok(Blob(Cow::Owned(bytes)))
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Blob(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Blob(Cow::Owned(bytes.to_vec())))
            }
        }
        // Self-describing formats decide which of the two it is.
        deserializer.deserialize_any(Reader)
    }
}

/// Bytes as they came, to be decoded where they are wanted.
#[derive(Debug)]
pub(crate) enum Encoded<'a> {
    /// In base64.
    Base64(Cow<'a, str>),
    /// As they are.
    Plain(Cow<'a, [u8]>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Encoded<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Encoded<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Blob")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Encoded::Base64(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Encoded::Base64(Cow::Owned(text.to_owned())))
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Encoded::Plain(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Encoded::Plain(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
