//! The envelope of a notification: rendered for each receiver from the message as it was published,
//! and from what its publish said of it.
//!
//! ```text
//! context := message id 16 | published u64 | sequence number u64
//!            | account | region | topic | subject | structured u8
//! (texts are length-prefixed; the sequence number is 0 in a standard topic, no subject is empty)
//! ```
//!
//! Nothing is looked up, so a message is rendered as it was published after its subscription or its
//! topic are gone. Envelopes of standard topics carry a signature where the engine has a signer;
//! it is the same for all receivers of a message, because it is not of their names.

mod function_event;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use trunkline_host::{Content, Jobs, Put, Rendered, Renderer, Resource, Take};
use trunkline_types::{
    IdKey, MessageId, Millis, ResourceId, ResourceKind, ResourceName, Result, Seq,
};

use self::function_event::{Told, function_event};
use super::structure::{Protocol, Structure};
use super::{TOPIC, TOPICS, invalid};
use crate::attributes::{self, Attribute};
use crate::queue::sequence_number;
use crate::signing::{Signature, Signing, string_to_sign};

/// What a publish says of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context<'a> {
    pub message_id: MessageId,
    pub published: Millis,
    pub seq: Option<Seq>,
    pub account: &'a str,
    pub region: &'a str,
    pub topic: &'a str,
    pub subject: Option<&'a str>,
    /// Whether the body holds a text for each protocol.
    pub is_structured: bool,
}

/// Renders the notifications of all topics of an engine.
pub(super) struct Envelopes {
    key: IdKey,
    name: ResourceName,
    signing: Arc<Signing>,
}

/// In a variant: the message goes out as it was published, with header lines alone.
const RAW: u64 = 1 << 32;
/// In a variant: the message comes from the archive.
const REPLAYED: u64 = 1 << 40;
/// What SNS's deliveries over HTTP call themselves.
const USER_AGENT: &str = "Amazon Simple Notification Service Agent";
/// Where the number of a protocol stands in a variant.
const PROTOCOL_SHIFT: u32 = 33;

impl<'a> Context<'a> {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.topic.len());
        out.extend_from_slice(&self.message_id.0);
        out.put_u64(self.published);
        out.put_u64(self.seq.unwrap_or(0));
        for text in [self.account, self.region, self.topic, self.subject.unwrap_or_default()] {
            out.put_bytes(text.as_bytes());
        }
        out.put_u8(u8::from(self.is_structured));
        out
    }

    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let message_id = MessageId(take.u128()?.to_le_bytes());
        let (published, seq) = (take.u64()?, Some(take.u64()?).filter(|seq| *seq > 0));
        let (account, region, topic) = (take.text()?, take.text()?, take.text()?);
        let subject = Some(take.text()?).filter(|subject| !subject.is_empty());
        // A context of an older version ends here.
        let is_structured = take.u8().is_ok_and(|flag| flag != 0);
        Ok(Self { message_id, published, seq, account, region, topic, subject, is_structured })
    }

    fn topic_arn(&self) -> String {
        topic_arn(self.region, self.account, self.topic)
    }
}

/// The ARN of a topic.
pub(crate) fn topic_arn(region: &str, account: &str, name: &str) -> String {
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:sns:{region}:{account}:{name}")
}

/// Who renders a message for a subscription; `None` for a queue that gets it as it was published.
pub(crate) fn renderer(subscription: ResourceId, is_raw: bool, protocol: Protocol) -> Renderer {
    let raw = if is_raw { RAW } else { 0 };
    let variant = u64::from(subscription.0) | raw | protocol.number() << PROTOCOL_SHIFT;
    Renderer { resource: TOPICS.owner(), variant }
}

/// The same for a message of the archive.
pub(super) fn replayed(renderer: Renderer) -> Renderer {
    Renderer { variant: renderer.variant | REPLAYED, ..renderer }
}

/// The id of a subscription, as its ARN ends.
pub(crate) fn subscription_uuid(key: IdKey, subscription: ResourceId) -> MessageId {
    key.message_id(TOPICS.owner(), u64::from(subscription.0))
}

/// What shows in an unsubscribe link that it comes out of a message: everyone who may list
/// subscriptions knows their ARNs.
pub(crate) fn unsubscribe_token(key: IdKey, subscription_arn: &str) -> String {
    format!("{:032x}", key.digest(&[b"unsubscribe link", subscription_arn.as_bytes()]))
}

impl Envelopes {
    pub fn new(key: IdKey, signing: Arc<Signing>) -> Self {
        Self { key, name: ResourceName::local(ResourceKind("envelope"), "topics"), signing }
    }

    /// The signature of a message, and the address for its links.
    fn seal(
        &self,
        context: &Context<'_>,
        protocol: Protocol,
        body: &str,
    ) -> (Option<Signature>, String) {
        // What functions get is signed by version 1 on AWS, whatever the topic says.
        let version = (protocol == Protocol::Lambda).then_some(1);
        let Some(signer) = self.signing.signer() else {
            return (None, format!("https://sns.{}.amazonaws.com", context.region));
        };
        let address = signer.address(context.region);
        // AWS does not sign the messages of FIFO topics.
        if context.seq.is_some() {
            return (None, address);
        }
        let text = string_to_sign(&[
            ("Message", Some(body)),
            ("MessageId", Some(&context.message_id.to_string())),
            ("Subject", context.subject),
            ("Timestamp", Some(&timestamp(context.published))),
            ("TopicArn", Some(&context.topic_arn())),
            ("Type", Some("Notification")),
        ]);
        let name = ResourceName::new(TOPIC, context.account, context.region, context.topic);
        (signer.sign(&name, &text, version), address)
    }

    fn subscription_arn(&self, context: &Context<'_>, variant: u64) -> String {
        let id = ResourceId(variant as u32);
        format!("{}:{}", context.topic_arn(), subscription_uuid(self.key, id))
    }
}

impl Resource for Envelopes {
    fn id(&self) -> ResourceId {
        TOPICS.owner()
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: Millis, _: &Jobs<'_>) -> Option<Millis> {
        None
    }

    fn render(&self, variant: u64, content: &Content<'_>) -> Result<Rendered> {
        let context = Context::decode(content.context)?;
        let subscription = self.subscription_arn(&context, variant);
        let mut headers = vec![
            ("user-agent".to_owned(), USER_AGENT.to_owned()),
            ("x-amz-sns-message-type".to_owned(), "Notification".to_owned()),
            ("x-amz-sns-message-id".to_owned(), context.message_id.to_string()),
            ("x-amz-sns-topic-arn".to_owned(), context.topic_arn()),
            ("x-amz-sns-subscription-arn".to_owned(), subscription.clone()),
        ];
        let structure = context.is_structured.then(|| Structure::read(content.body)).transpose()?;
        let protocol = Protocol::of_number((variant & !REPLAYED) >> PROTOCOL_SHIFT);
        let body = match &structure {
            Some(structure) => structure.text(protocol).as_bytes(),
            None => content.body,
        };
        if variant & RAW != 0 {
            headers.push(("x-amz-sns-rawdelivery".to_owned(), "true".to_owned()));
            return Ok(Rendered { body: body.to_vec(), attributes: None, headers });
        }
        let given = attributes::decode(content.attributes)?;
        let body = std::str::from_utf8(body)
            .map_err(|_| invalid("A body that is no UTF-8 text has no envelope.".to_owned()))?;
        let (signature, address) = self.seal(&context, protocol, body);
        let token = unsubscribe_token(self.key, &subscription);
        let unsubscribe =
            format!("{address}/?Action=Unsubscribe&Token={token}&SubscriptionArn={subscription}");
        let signature = signature.as_ref();
        let body = match protocol {
            Protocol::Lambda => {
                let told = Told { context, subscription: &subscription, unsubscribe: &unsubscribe };
                function_event(&told, body, &given, signature)
            }
            _ => {
                let extras = Extras {
                    unsubscribe: &unsubscribe,
                    attributes: &given,
                    signature,
                    is_replayed: variant & REPLAYED != 0,
                };
                envelope(&context, body, &extras)
            }
        };
        let body = body.into_bytes();
        // Attributes are part of the envelope; those of the system stay with the message.
        let kept: Vec<_> = given.into_iter().filter(|attribute| attribute.system).collect();
        Ok(Rendered { body, attributes: Some(attributes::encode(&kept)), headers })
    }

    fn close(&self) {}
}

/// What an envelope has beside the message and its context.
struct Extras<'a> {
    unsubscribe: &'a str,
    attributes: &'a [Attribute],
    signature: Option<&'a Signature>,
    is_replayed: bool,
}

/// The envelope as AWS writes it, line by line.
fn envelope(context: &Context<'_>, body: &str, extras: &Extras<'_>) -> String {
    let Extras { unsubscribe, attributes, signature, is_replayed } = *extras;
    let mut lines =
        vec![("Type", text("Notification")), ("MessageId", text(&context.message_id.to_string()))];
    if let Some(seq) = context.seq {
        lines.push(("SequenceNumber", text(&sequence_number(seq))));
    }
    lines.push(("TopicArn", text(&context.topic_arn())));
    if let Some(subject) = context.subject {
        lines.push(("Subject", text(subject)));
    }
    lines.push(("Message", text(body)));
    lines.push(("Timestamp", text(&timestamp(context.published))));
    if let Some(signature) = signature {
        lines.push(("SignatureVersion", text(&signature.version.to_string())));
        lines.push(("Signature", text(&signature.value)));
        lines.push(("SigningCertURL", text(&signature.certificate_url)));
    }
    lines.push(("UnsubscribeURL", text(unsubscribe)));
    let given: Vec<String> =
        attributes.iter().filter(|attribute| !attribute.system).map(attribute_line).collect();
    if !given.is_empty() {
        lines.push(("MessageAttributes", format!("{{\n{}\n  }}", given.join(",\n"))));
    }
    if is_replayed {
        lines.push(("Replayed", "true".to_owned()));
    }
    let lines: Vec<String> =
        lines.iter().map(|(name, value)| format!("  \"{name}\" : {value}")).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// The value of an attribute as text; that of a binary one as base64.
fn attribute_text(attribute: &Attribute) -> String {
    match attribute.data_type.starts_with("Binary") {
        true => BASE64_STANDARD.encode(&attribute.value),
        false => String::from_utf8_lossy(&attribute.value).into_owned(),
    }
}

fn attribute_line(attribute: &Attribute) -> String {
    let value = attribute_text(attribute);
    format!(
        "    {} : {{\"Type\":{},\"Value\":{}}}",
        text(&attribute.name),
        text(&attribute.data_type),
        text(&value)
    )
}

/// A text as JSON.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A time as AWS writes it: `2012-05-02T00:54:06.655Z`.
fn timestamp(at: Millis) -> String {
    let millis = i64::try_from(at).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_has_the_keys_of_aws_in_their_order() {
        let context = Context {
            message_id: MessageId([7; 16]),
            published: 1_335_920_046_655,
            seq: Some(1),
            account: "000000000000",
            region: "us-east-1",
            topic: "orders.fifo",
            subject: Some("a \"subject\""),
            is_structured: false,
        };
        assert_eq!(Context::decode(&context.encode()), Ok(context));
        let given = |name: &str, data_type: &str, value: &[u8]| Attribute {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            value: value.to_vec(),
            system: false,
        };
        let attributes = [given("n", "Number", b"1"), given("b", "Binary", &[1, 2])];
        let signature = Signature {
            version: 1,
            value: "c2lnbg==".to_owned(),
            certificate_url: "http://h/c.pem".to_owned(),
        };
        let extras = Extras {
            unsubscribe: "http://h/?a",
            attributes: &attributes,
            signature: Some(&signature),
            is_replayed: true,
        };
        let text = envelope(&context, "é\n", &extras);
        assert_eq!(
            text,
            concat!(
                "{\n  \"Type\" : \"Notification\",\n",
                "  \"MessageId\" : \"07070707-0707-0707-0707-070707070707\",\n",
                "  \"SequenceNumber\" : \"18840000000000000001\",\n",
                "  \"TopicArn\" : \"arn:aws:sns:us-east-1:000000000000:orders.fifo\",\n",
                "  \"Subject\" : \"a \\\"subject\\\"\",\n",
                "  \"Message\" : \"é\\n\",\n",
                "  \"Timestamp\" : \"2012-05-02T00:54:06.655Z\",\n",
                "  \"SignatureVersion\" : \"1\",\n",
                "  \"Signature\" : \"c2lnbg==\",\n",
                "  \"SigningCertURL\" : \"http://h/c.pem\",\n",
                "  \"UnsubscribeURL\" : \"http://h/?a\",\n",
                "  \"MessageAttributes\" : {\n",
                "    \"n\" : {\"Type\":\"Number\",\"Value\":\"1\"},\n",
                "    \"b\" : {\"Type\":\"Binary\",\"Value\":\"AQI=\"}\n  },\n",
                "  \"Replayed\" : true\n}"
            )
        );
    }
}
