//! The inputs of the data plane.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::codec::text::Text;
use crate::codec::time;
use crate::codec::typed::{Blob, Encoded};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRecordInput<'a> {
    #[serde(borrow)]
    pub stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    pub stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub data: Option<Blob<'a>>,
    #[serde(borrow)]
    pub partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub explicit_hash_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub sequence_number_for_ordering: Option<Text<'a>>,
    pub dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRecordsInput<'a> {
    #[serde(borrow)]
    pub stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    pub stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub records: Option<Vec<PutRecordsEntry<'a>>>,
    pub dry_run: Option<bool>,
}

/// A record of PutRecords. Its data is decoded beside that of the others: see
/// [`super::decoded`].
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRecordsEntry<'a> {
    #[serde(borrow)]
    pub data: Option<Encoded<'a>>,
    #[serde(borrow)]
    pub partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub explicit_hash_key: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetShardIteratorInput<'a> {
    #[serde(borrow)]
    pub stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    pub stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub shard_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub shard_iterator_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub starting_sequence_number: Option<Text<'a>>,
    pub timestamp: Option<Moment>,
    pub dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetRecordsInput<'a> {
    #[serde(borrow)]
    pub shard_iterator: Option<Text<'a>>,
    pub limit: Option<i64>,
    #[serde(borrow, rename = "StreamARN")]
    pub stream_arn: Option<Text<'a>>,
    pub dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SubscribeInput<'a> {
    #[serde(borrow, rename = "ConsumerARN")]
    pub consumer_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub shard_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub starting_position: Option<StartingPosition<'a>>,
    pub dry_run: Option<bool>,
}

/// Where a subscription starts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartingPosition<'a> {
    #[serde(borrow, rename = "Type")]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub sequence_number: Option<Text<'a>>,
    pub timestamp: Option<Moment>,
}

/// A time in the unit of the protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment(pub f64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Timestamp")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Moment, E> {
                Ok(Moment(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Moment, E> {
                Ok(Moment(number as f64))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Moment, E> {
                Ok(Moment(number as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                time::read(text).map(Moment).ok_or_else(|| E::custom("It is no Timestamp."))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
