//! The event that a function gets of a notification: what SNS sends to AWS Lambda.

use serde_json::{Map, Value, json};

use super::{Context, attribute_text, timestamp};
use crate::attributes::Attribute;
use crate::queue::sequence_number;
use crate::signing::Signature;

/// What an event tells beside the message.
pub(super) struct Told<'a> {
    pub context: Context<'a>,
    /// The ARN of the subscription.
    pub subscription: &'a str,
    /// The link that ends the subscription.
    pub unsubscribe: &'a str,
}

/// The event, with one record.
pub(super) fn function_event(
    told: &Told<'_>,
    body: &str,
    attributes: &[Attribute],
    signature: Option<&Signature>,
) -> String {
    let context = &told.context;
    let user = attributes.iter().filter(|attribute| !attribute.system);
    let given: Map<String, Value> = user
        .map(|one| {
            let value = json!({ "Type": one.data_type, "Value": attribute_text(one) });
            (one.name.clone(), value)
        })
        .collect();
    let mut sns = json!({
        "Type": "Notification",
        "MessageId": context.message_id.to_string(),
        "TopicArn": context.topic_arn(),
        "Subject": context.subject,
        "Message": body,
        "Timestamp": timestamp(context.published),
        "UnsubscribeUrl": told.unsubscribe,
        "MessageAttributes": given,
    });
    if let Some(seq) = context.seq {
        sns["SequenceNumber"] = json!(sequence_number(seq));
    }
    if let Some(signature) = signature {
        sns["SignatureVersion"] = json!(signature.version.to_string());
        sns["Signature"] = json!(signature.value);
        sns["SigningCertUrl"] = json!(signature.certificate_url);
    }
    let record = json!({
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": told.subscription,
        "Sns": sns,
    });
    json!({ "Records": [record] }).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use trunkline_types::MessageId;

    #[test]
    fn a_function_gets_one_record_with_the_names_of_aws() {
        let context = Context {
            message_id: MessageId([7; 16]),
            published: 1_335_920_046_655,
            seq: None,
            account: "000000000000",
            region: "us-east-1",
            topic: "orders",
            subject: None,
            is_structured: false,
        };
        let attribute = Attribute {
            name: "n".to_owned(),
            data_type: "Binary".to_owned(),
            value: vec![1, 2],
            system: false,
        };
        let told = Told { context, subscription: "arn:s", unsubscribe: "http://h/?a" };
        let event = function_event(&told, "one coffee", &[attribute], None);
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(
            event,
            json!({"Records": [{
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:s",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": "07070707-0707-0707-0707-070707070707",
                    "TopicArn": "arn:aws:sns:us-east-1:000000000000:orders",
                    "Subject": null,
                    "Message": "one coffee",
                    "Timestamp": "2012-05-02T00:54:06.655Z",
                    "UnsubscribeUrl": "http://h/?a",
                    "MessageAttributes": {"n": {"Type": "Binary", "Value": "AQI="}},
                },
            }]})
        );
    }
}
