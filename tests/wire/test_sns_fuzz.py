"""Requests made from botocore's model of SNS, valid and then damaged.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from model_requests import BASE, Words, check, is_unharmed, model_of, requests

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

SERVICE = model_of("sns")
ARN = "arn:aws:sns:us-east-1:000000000000:"
TOPICS = [f"{ARN}{name}" for name in ("t", "t.fifo", "none", "")] + ["arn:", "x", ""]
# Those of the world that each example finds are put in by `prepare`.
SUBSCRIPTIONS = [f"{ARN}t:00000000-0000-0000-0000-000000000000", "SUBSCRIPTION", *TOPICS]
QUEUES = [f"arn:aws:sqs:us-east-1:000000000000:{name}" for name in ("q", "q.fifo", "none")]
ENDPOINTS = [f"{ARN.replace('sns', 'sns')}endpoint/GCM/app/1", "APPLICATION", "x"]
PROTECTED = "arn:aws:dataprotection::aws:data-identifier/EmailAddress"
KNOWN = {
    "TopicArn": TOPICS,
    "ResourceArn": TOPICS,
    "TargetArn": [*TOPICS, *ENDPOINTS],
    "SubscriptionArn": SUBSCRIPTIONS,
    "PlatformApplicationArn": [f"{ARN}app/GCM/app", *TOPICS],
    "EndpointArn": ENDPOINTS,
    "Protocol": ["sqs", "http", "https", "email", "email-json", "sms", "application", "x"],
    "Endpoint": [*QUEUES, "http://127.0.0.1:9/", "anna@example.com", "+14255550100", "\ud7ff"],
    "PhoneNumber": ["+14255550100", "1", "+"],
    "Name": ["t", "t.fifo", "new", "new.fifo", "", "\u00e9"],
    "Platform": ["GCM", "APNS", "Nonsense"],
    "DataType": ["String", "Number", "Binary", "String.Array", "String.custom", "Nonsense"],
    "MessageStructure": ["json", "x", ""],
    "AttributeName": [
        "ArchivePolicy",
        "DeliveryPolicy",
        "DisplayName",
        "FilterPolicy",
        "FilterPolicyScope",
        "Policy",
        "RawMessageDelivery",
        "RedrivePolicy",
        "ReplayPolicy",
        "SignatureVersion",
        "Nonsense",
    ],
    "NextToken": ["bnVsbA==", "MQ==", "WyJ0IixudWxsXQ==", "e30=", "x"],
}
KEYS = {"Attributes": [*KNOWN["AttributeName"], "FifoTopic", "Enabled", "DefaultSMSType"]}
DOCUMENTS = [
    '{"a":1}',
    "[" * 5_000,
    '{"default":"x","sqs":1}',
    '{"a":["b",{"prefix":"c"}]}',
    '{"a":[{"numeric":["<",1e400]}]}',
    '{"Statement":[1]}',
    '{"MessageRetentionPeriod":"1"}',
    '{"PointType":"Timestamp","StartingPoint":"2020-01-01T00:00:00Z"}',
    '{"PointType":"Timestamp","StartingPoint":"9999-12-31T23:59:59+00:00","EndingPoint":""}',
    f'{{"deadLetterTargetArn":"{QUEUES[0]}"}}',
    '{"deadLetterTargetArn":"\\ud800"}',
    '{"http":{"defaultHealthyRetryPolicy":{"numRetries":1e400}}}',
    '{"healthyRetryPolicy":{"numRetries":-1},"throttlePolicy":{}}',
    '{"Version":"2021-06-01","Statement":[{"DataDirection":"Inbound","Principal":["*"],'
    f'"DataIdentifier":["{PROTECTED}"],"Operation":{{"Deny":{{}}}}}}]}}',
    '{"Version":"2021-06-01","Statement":[{"DataDirection":"Outbound","Operation":{"Deny":1}}]}',
    "anna@example.com",
]
WORDS = Words(KNOWN, texts=["a", "1", "0", "true", *DOCUMENTS], keys=KEYS)


def flat(value, prefix=""):
    """An input as a form, in the way of SNS."""
    if isinstance(value, dict) and prefix.rsplit(".", 1)[-1] in ("Attributes", "MessageAttributes"):
        names = ("Name", "Value") if prefix.endswith("MessageAttributes") else ("key", "value")
        for place, (key, member) in enumerate(value.items(), 1):
            yield f"{prefix}.entry.{place}.{names[0]}", str(key)
            yield from flat(member, f"{prefix}.entry.{place}.{names[1]}")
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from flat(member, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list):
        for place, member in enumerate(value, 1):
            yield from flat(member, f"{prefix}.member.{place}")
    elif value is not None:
        yield prefix, str(value)


@pytest.fixture(scope="module")
def world():
    with trunkline.open() as engine:
        yield engine, dispatcher_of(engine)


def ask(dispatcher, name, given):
    form = [("Action", name), ("Version", "2010-03-31"), *flat(given)]
    headers = [
        ("host", "trunkline.local"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    body = urlencode(form, errors="surrogatepass").encode()
    return dispatcher.call(("POST", "/", headers, body, BASE))


def prepare(engine, dispatcher):
    """The same world for every example: a failure comes from one request alone."""
    dispatcher.call(("POST", "/_trunkline/reset", [], b"", BASE))
    for name in ("q", "q.fifo"):
        engine.queue(name)
    plain, fifo = engine.topic("t"), engine.topic("t.fifo")
    fifo.archive(86_400)
    fifo.subscribe(engine.queue("q.fifo"))
    application = {"Name": "app", "Platform": "GCM", "Attributes": {"PlatformCredential": "x"}}
    ask(dispatcher, "CreatePlatformApplication", application)
    made = {"TopicArn": plain.arn, "Protocol": "sqs", "Endpoint": QUEUES[0]}
    ask(dispatcher, "Subscribe", made)
    return plain.subscriptions()[0].arn


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=requests(SERVICE, WORDS), second=requests(SERVICE, WORDS))
@example(
    first=(
        "PutDataProtectionPolicy",
        {"ResourceArn": TOPICS[0], "DataProtectionPolicy": DOCUMENTS[13]},
    ),
    second=("Publish", {"TopicArn": TOPICS[0], "Message": "anna@example.com"}),
)
@example(
    first=("ListSubscriptions", {"NextToken": "WzEsMl0="}),
    second=("ListTopics", {"NextToken": "MQ=="}),
)
def test_requests_are_answered_as_aws_does(world, first, second):
    engine, dispatcher = world
    subscription = prepare(engine, dispatcher)
    for name, asked in (first, second):
        if asked.get("SubscriptionArn") == "SUBSCRIPTION":
            asked["SubscriptionArn"] = subscription
        check(SERVICE, name, "query", ask(dispatcher, name, asked))
    is_unharmed(engine)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=st.sampled_from(DOCUMENTS), message=st.sampled_from(DOCUMENTS))
def test_what_was_stored_is_read_again_without_harm(world, document, message):
    engine, dispatcher = world
    subscription = prepare(engine, dispatcher)
    for name in KNOWN["AttributeName"]:
        value = {"AttributeName": name, "AttributeValue": document}
        for operation, what in (
            ("SetTopicAttributes", {"TopicArn": TOPICS[0]}),
            ("SetTopicAttributes", {"TopicArn": TOPICS[1]}),
            ("SetSubscriptionAttributes", {"SubscriptionArn": subscription}),
        ):
            check(SERVICE, operation, "query", ask(dispatcher, operation, what | value))
    for operation, what in (
        ("GetTopicAttributes", {"TopicArn": TOPICS[1]}),
        ("GetSubscriptionAttributes", {"SubscriptionArn": subscription}),
        ("ListSubscriptions", {}),
        ("Publish", {"TopicArn": TOPICS[0], "Message": message, "MessageStructure": "json"}),
        ("Publish", {"TopicArn": TOPICS[0], "Message": message}),
    ):
        check(SERVICE, operation, "query", ask(dispatcher, operation, what))
    is_unharmed(engine)
