"""CloudWatch Logs: groups, streams, events."""

from __future__ import annotations

import json

import pytest
from refusals import refused

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")

GROUP, STREAM = "/aws/events/orders", "one"
NOW = 1_700_000_000_000
DAY = 86_400_000


@pytest.fixture
def logs(connect):
    logs = connect("logs")
    logs.create_log_group(logGroupName=GROUP, tags={"a": "1"})
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    return logs


def put(logs, *events, stream=STREAM):
    """Pairs of an offset from now in milliseconds and a message."""
    listed = [{"timestamp": NOW + at, "message": message} for at, message in events]
    return logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=listed)


def messages(answer):
    return [event["message"] for event in answer["events"]]


def test_groups_are_listed_and_removed(logs):
    logs.create_log_group(logGroupName="other")
    [group] = logs.describe_log_groups(logGroupNamePrefix="/aws/")["logGroups"]
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    assert group["arn"] == f"{arn}:*"
    assert group["creationTime"] == NOW
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    exists = "ResourceAlreadyExistsException"
    assert refused(logs.create_log_group, logGroupName=GROUP)[0] == exists
    logs.delete_log_group(logGroupName=GROUP)
    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert names == ["other"]
    gone = "ResourceNotFoundException"
    assert refused(logs.delete_log_group, logGroupName=GROUP)[0] == gone


@pytest.mark.botocore_knows("logs", "DescribeLogGroups.logGroupIdentifiers")
def test_groups_are_listed_by_identifier_and_account(logs):
    for name in ("/tea/one", "/tea/two"):
        logs.create_log_group(logGroupName=name)

    def listed(**given):
        return [group["logGroupName"] for group in logs.describe_log_groups(**given)["logGroups"]]

    arn = logs.describe_log_groups(logGroupNamePrefix="/tea/two")["logGroups"][0]["arn"]
    assert listed(logGroupIdentifiers=[arn.removesuffix(":*")]) == ["/tea/two"]
    assert listed(logGroupIdentifiers=["/tea/one"]) == ["/tea/one"]
    own = arn.split(":")[4]
    assert "/tea/one" in listed(accountIdentifiers=[own], includeLinkedAccounts=True)
    assert listed(accountIdentifiers=["999999999999"], includeLinkedAccounts=True) == []


def test_events_are_read_from_both_ends(logs):
    put(logs, (0, "a"), (1, "b"), (2, "c"), (2, "d"))
    at = {"logGroupName": GROUP, "logStreamName": STREAM}
    first = logs.get_log_events(**at, startFromHead=True, limit=3)
    assert messages(first) == ["a", "b", "c"]
    second = logs.get_log_events(**at, nextToken=first["nextForwardToken"])
    assert messages(second) == ["d"]
    third = logs.get_log_events(**at, nextToken=second["nextForwardToken"])
    assert messages(third) == []
    assert third["nextForwardToken"] == second["nextForwardToken"]
    last = logs.get_log_events(**at, limit=2)
    assert messages(last) == ["c", "d"]
    assert messages(logs.get_log_events(**at, nextToken=last["nextBackwardToken"])) == ["a", "b"]
    assert messages(logs.get_log_events(**at, startTime=NOW + 1, endTime=NOW + 2)) == ["b"]


def test_a_stream_that_is_made_again_is_empty(logs):
    put(logs, (0, "a"))
    logs.delete_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    at = {"logGroupName": GROUP, "logStreamName": STREAM}
    assert refused(logs.get_log_events, **at)[0] == "ResourceNotFoundException"
    logs.create_log_stream(**at)
    assert messages(logs.get_log_events(**at)) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ["ERROR: a b", "WARN: b", "INFO"]),
        ("ERROR", ["ERROR: a b"]),
        ("b -ERROR", ["WARN: b"]),
        ("?INFO ?WARN", ["WARN: b", "INFO"]),
        ('"a b"', ["ERROR: a b"]),
    ],
)
def test_events_are_filtered(logs, pattern, expected):
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    put(logs, (0, "ERROR: a b"), (2, "INFO"))
    put(logs, (1, "WARN: b"), stream="two")
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)
    assert messages(found) == expected
    page = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern=pattern, PaginationConfig={"PageSize": 1}
    )
    assert [message for part in page for message in messages(part)] == expected


def test_what_may_not_be_is_refused(logs):
    invalid = "InvalidParameterException"
    assert (
        refused(logs.filter_log_events, logGroupName=GROUP, filterPattern="{ $.a = 1 }")[0]
        == invalid
    )
    assert refused(logs.put_retention_policy, logGroupName=GROUP, retentionInDays=2)[0] == invalid
    at = {"logGroupName": GROUP, "logStreamName": STREAM}
    turned = [{"timestamp": NOW, "message": "a"}, {"timestamp": NOW - 1, "message": "b"}]
    assert refused(logs.put_log_events, **at, logEvents=turned)[0] == invalid
    at["logStreamName"] = "none"
    good = [{"timestamp": NOW, "message": "a"}]
    assert refused(logs.put_log_events, **at, logEvents=good)[0] == "ResourceNotFoundException"


def test_events_of_the_wrong_time_are_rejected(logs):
    late = put(logs, (-15 * DAY, "old"))["rejectedLogEventsInfo"]
    assert late == {"tooOldLogEventEndIndex": 1}
    soon = put(logs, (0, "now"), (3 * 3_600_000, "soon"))["rejectedLogEventsInfo"]
    assert soon == {"tooNewLogEventStartIndex": 1}
    found = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM)
    assert messages(found) == ["now"]


def test_retention_removes_events(logs, clock):
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    put(logs, (0, "a"))
    clock.advance(2 * 86_400)
    found = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM)
    assert messages(found) == []


def test_streams_are_listed(logs):
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    put(logs, (5, "a"), stream="two")
    put(logs, (9, "b"))
    by_name = logs.describe_log_streams(logGroupName=GROUP, limit=1)
    assert [one["logStreamName"] for one in by_name["logStreams"]] == ["one"]
    by_time = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime")
    assert [one["logStreamName"] for one in by_time["logStreams"]] == ["two", "one"]
    assert by_time["logStreams"][0]["lastEventTimestamp"] == NOW + 5


def test_a_rule_delivers_to_a_group(logs, connect):
    events = connect("events")
    events.put_rule(Name="all", EventPattern='{"source":["me"]}')
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    answer = events.put_targets(Rule="all", Targets=[{"Id": "logs", "Arn": arn}])
    assert answer["FailedEntryCount"] == 0
    events.put_events(Entries=[{"Source": "me", "DetailType": "t", "Detail": '{"a":1}'}])
    found = logs.filter_log_events(logGroupName=GROUP)
    assert [json.loads(message)["detail"] for message in messages(found)] == [{"a": 1}]
    names = [
        one["logStreamName"] for one in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    ]
    assert names == ["events", STREAM]
    none = [{"Id": "none", "Arn": f"{arn}-none"}]
    assert events.put_targets(Rule="all", Targets=none)["FailedEntryCount"] == 1


def test_a_log_group_is_no_stream_of_the_program(logs, engine):
    assert engine.streams() == []
