//! The inputs of the data plane.

use serde::Deserialize;

use crate::codec::text::Text;
use crate::services::message_attributes::AttributeMap;

/// A message to be published, alone or as an entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublishInput<'a> {
    #[serde(borrow)]
    pub topic_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub target_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub phone_number: Option<Text<'a>>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub subject: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_structure: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_attributes: Option<AttributeMap<'a>>,
    #[serde(borrow)]
    pub message_deduplication_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_group_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchInput<'a> {
    #[serde(borrow)]
    pub topic_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub publish_batch_request_entries: Option<Vec<PublishInput<'a>>>,
}
