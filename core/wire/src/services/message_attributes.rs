//! Message attributes on the wire: the same shape in SQS and in SNS.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::codec::text::{Pairs, Text};
use crate::codec::typed::Blob;

/// The value of a message attribute.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::services) struct AttributeValue<'a> {
    #[serde(borrow)]
    pub string_value: Option<Text<'a>>,
    #[serde(borrow)]
    pub binary_value: Option<Blob<'a>>,
    #[serde(default)]
    pub string_list_values: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    pub binary_list_values: Option<Vec<IgnoredAny>>,
    #[serde(borrow)]
    pub data_type: Option<Text<'a>>,
}

pub(in crate::services) type AttributeMap<'a> = Pairs<'a, AttributeValue<'a>>;
