//! The inputs of the data plane.

use serde::Deserialize;

use crate::codec::text::Text;
use crate::services::message_attributes::AttributeMap;

/// A message to be sent, alone or as an entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendInput<'a> {
    #[serde(borrow)]
    pub queue_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_body: Option<Text<'a>>,
    pub delay_seconds: Option<i32>,
    #[serde(borrow)]
    pub message_attributes: Option<AttributeMap<'a>>,
    #[serde(borrow)]
    pub message_system_attributes: Option<AttributeMap<'a>>,
    #[serde(borrow)]
    pub message_deduplication_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_group_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Batch<'a, T> {
    #[serde(borrow)]
    pub queue_url: Option<Text<'a>>,
    pub entries: Option<Vec<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveInput<'a> {
    #[serde(borrow)]
    pub queue_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub attribute_names: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub message_system_attribute_names: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub message_attribute_names: Option<Vec<Text<'a>>>,
    pub max_number_of_messages: Option<i32>,
    pub visibility_timeout: Option<i32>,
    pub wait_time_seconds: Option<i32>,
    #[serde(borrow)]
    pub receive_request_attempt_id: Option<Text<'a>>,
}

/// A lease to be ended or extended, alone or as an entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LeaseInput<'a> {
    #[serde(borrow)]
    pub queue_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub receipt_handle: Option<Text<'a>>,
    pub visibility_timeout: Option<i32>,
}
