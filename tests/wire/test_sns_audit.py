"""Audits of data protection policies: findings are told to log groups and delivery streams."""

from __future__ import annotations

import json

import pytest

from tests.wire.test_sns import refuses

MANY = 200
GROUP = "/aws/vendedlogs/audit"
ROOT = "arn:aws:iam::000000000000:root"


def audit(rate="99", **destinations):
    given = {
        name: {"CloudWatchLogs": {"LogGroup": group}} if isinstance(group, str) else group
        for name, group in destinations.items()
    }
    return {"Audit": {"SampleRate": rate} | given}


def policy(operation):
    statement = {
        "Sid": "s",
        "DataDirection": "Inbound",
        "Principal": ["*"],
        "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress", "Employee"],
        "Operation": operation,
    }
    own = {"CustomDataIdentifier": [{"Name": "Employee", "Regex": "EMP-[0-9]+"}]}
    document = {"Name": "p", "Version": "2021-06-01", "Configuration": own}
    return json.dumps(document | {"Statement": [statement]})


@pytest.fixture
def sns(connect):
    return connect("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="orders")["TopicArn"]


@pytest.fixture
def logs(connect):
    logs = connect("logs")
    for name in (GROUP, f"{GROUP}/clean"):
        logs.create_log_group(logGroupName=name)
    return logs


def told(logs, group):
    events = logs.filter_log_events(logGroupName=group, limit=10_000)["events"]
    return [json.loads(event["message"]) for event in events]


def publish(sns, topic, text, times=MANY):
    ids = []
    for start in range(0, times, 10):
        entries = [{"Id": str(start + number), "Message": text} for number in range(10)]
        answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        ids += [one["MessageId"] for one in answer["Successful"]]
    assert len(ids) == times
    return ids


def test_a_sample_is_told_with_what_was_found_and_where(sns, topic, logs):
    operation = audit(FindingsDestination=GROUP, NoFindingsDestination=f"{GROUP}/clean")
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy(operation))
    ids = publish(sns, topic, "é EMP-1, a@b.example, EMP-22")
    found = told(logs, GROUP)
    # One message in a hundred is not looked at; which ones, their random ids decide.
    assert MANY * 0.9 <= len(found) <= MANY
    assert {one["messageId"] for one in found} <= set(ids)
    assert len({one["messageId"] for one in found}) == len(found)
    first = found[0]
    assert (first["callerPrincipal"], first["resourceArn"]) == (ROOT, topic)
    assert first["auditTimestamp"].endswith("Z")
    assert first["dataIdentifiers"] == [
        {"name": "EmailAddress", "count": 1, "detections": [{"start": 9, "end": 20}]},
        {
            "name": "Employee",
            "count": 2,
            "detections": [{"start": 2, "end": 7}, {"start": 22, "end": 28}],
        },
    ]
    assert told(logs, f"{GROUP}/clean") == []
    publish(sns, topic, "nothing to see")
    clean = told(logs, f"{GROUP}/clean")
    assert MANY * 0.9 <= len(clean) <= MANY
    assert {json.dumps(one["dataIdentifiers"]) for one in clean} == {"[]"}
    assert len(told(logs, GROUP)) == len(found)


def test_nothing_is_told_without_a_sample_or_of_what_is_refused(sns, topic, logs):
    for operation in (audit("0", FindingsDestination=GROUP), audit("99")):
        sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy(operation))
        publish(sns, topic, "EMP-1", 10)
    assert told(logs, GROUP) == []
    # A group that has gone costs its records, and no publish.
    operation = audit(FindingsDestination=GROUP)
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy(operation))
    logs.delete_log_group(logGroupName=GROUP)
    publish(sns, topic, "EMP-1", 10)


@pytest.mark.parametrize(
    ("operation", "part"),
    [
        (audit("100"), "SampleRate"),
        (audit(FindingsDestination="other"), "/aws/vendedlogs/"),
        (audit(FindingsDestination="/aws/vendedlogs/none"), "does not exist"),
        (audit(FindingsDestination={"S3": {"Bucket": "b"}}), "'S3' is not served"),
        (audit(FindingsDestination={"Firehose": {"DeliveryStream": "none"}}), "does not exist"),
        (audit(FindingsDestination={"Firehose": {}}), "must have a DeliveryStream"),
        (audit(NoFindingsDestination=[]), None),
        (audit(NoFindingsDestination=["x"]), "must be an object"),
    ],
)
def test_a_destination_that_is_none_is_refused(sns, topic, logs, operation, part):
    given = {"ResourceArn": topic, "DataProtectionPolicy": policy(operation)}
    if part is None:
        sns.put_data_protection_policy(**given)
        return
    assert part in refuses("InvalidParameter", sns.put_data_protection_policy, **given)
