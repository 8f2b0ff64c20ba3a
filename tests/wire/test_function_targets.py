"""Functions as targets of rules, schedules and pipes, and as enrichments."""

from __future__ import annotations

import base64
import json

import pytest
from event_calls import PAID, arn, entry
from pipe_calls import ROLE, create, take, wait_until

pytest.importorskip("boto3")

FUNCTION = arn("function:tea", "lambda")


@pytest.fixture
def got(engine):
    """What the function was called with; it answers what a test puts in front."""
    calls = []

    def tea(event, context):
        calls.append(event)
        return [{"cup": number} for number, _ in enumerate(event)]

    engine.function("tea", tea)
    return calls


def test_a_rule_calls_a_function(events, got):
    events.put_rule(Name="r", EventPattern=PAID)
    target = {"Id": "f", "Arn": FUNCTION, "InputPath": "$.detail"}
    assert events.put_targets(Rule="r", Targets=[target])["FailedEntryCount"] == 0
    events.put_events(Entries=[entry({"n": 1})])
    wait_until(lambda: got == [{"n": 1}])


def test_a_schedule_calls_a_function(connect, clock, got):
    connect("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": FUNCTION, "RoleArn": ROLE, "Input": '{"n": 2}'},
    )
    clock.advance(61)
    wait_until(lambda: {"n": 2} in got)


@pytest.mark.parametrize("kind", ["REQUEST_RESPONSE", "FIRE_AND_FORGET"])
def test_a_pipe_calls_a_function_with_its_records(connect, sqs, got, kind):
    source = sqs.create_queue(QueueName="source")["QueueUrl"]
    own = {"LambdaFunctionParameters": {"InvocationType": kind}}
    create(connect("pipes"), target=FUNCTION, TargetParameters=own)
    sqs.send_message(QueueUrl=source, MessageBody="a")
    wait_until(lambda: got)
    assert [record["body"] for record in got[0]] == ["a"]


def test_a_function_enriches_the_records_of_a_pipe(connect, sqs, got):
    source = sqs.create_queue(QueueName="source")["QueueUrl"]
    target = sqs.create_queue(QueueName="target")["QueueUrl"]
    create(connect("pipes"), Enrichment=FUNCTION)
    sqs.send_message(QueueUrl=source, MessageBody="a")
    found = []
    wait_until(lambda: found.extend(take(sqs, target)) or found)
    assert [json.loads(body) for body in found] == [{"cup": 0}]


def test_a_stream_of_the_wire_is_the_source_of_a_pipe(connect, got):
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    wait_until(
        lambda: (
            kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"][
                "StreamStatus"
            ]
            == "ACTIVE"
        )
    )
    position = {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}
    source = arn("stream/clicks", "kinesis")
    create(connect("pipes"), source=source, target=FUNCTION, SourceParameters=position)
    kinesis.put_record(StreamName="clicks", PartitionKey="k", Data=b"x")
    wait_until(lambda: got)
    (record,) = got[0]
    assert base64.b64decode(record["data"]) == b"x"
    assert record["eventSourceARN"] == source
