"""Events that services emit to the default bus."""

from __future__ import annotations

import json

import pytest
from event_calls import QUEUE_ARN, arn, entry

import trunkline
from trunkline.aws.service_events import emit_service_event

pytest.importorskip("boto3")

OPEN_API = json.dumps({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}})


@pytest.fixture
def heard(connect):
    """What reaches a queue that a rule of the default bus feeds with events of AWS's services."""
    sqs, events = connect("sqs"), connect("events")
    url = sqs.create_queue(QueueName="paid")["QueueUrl"]
    events.put_rule(Name="own", EventPattern=json.dumps({"source": [{"prefix": "aws."}]}))
    events.put_targets(Rule="own", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])

    def receive():
        told = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in told]

    return receive


def test_a_schema_and_each_of_its_versions_is_told(connect, heard):
    schemas = connect("schemas")
    schemas.create_registry(RegistryName="shop")
    names = {"RegistryName": "shop", "SchemaName": "Paid"}
    schemas.create_schema(**names, Type="OpenApi3", Content=OPEN_API)
    schemas.update_schema(**names, Type="OpenApi3", Content=OPEN_API.replace('"t"', '"u"'))
    events = heard()
    told = [(event["detail-type"], event["detail"]["Version"]) for event in events]
    assert told == [
        ("Schema Created", "1"),
        ("Schema Version Created", "1"),
        ("Schema Version Created", "2"),
    ]
    assert {event["source"] for event in events} == {"aws.schemas"}
    assert events[0]["resources"] == [arn("schema/shop/Paid", "schemas", account="")]
    assert events[0]["detail"]["CreationDate"].endswith("Z")


def test_callers_cannot_write_the_events_of_services(connect, heard):
    answer = connect("events").put_events(Entries=[entry(Source="aws.s3")])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert heard() == []


def test_an_event_reaches_the_bus_of_its_account_and_region_alone():
    with trunkline.open() as engine:
        core = engine._core
        emit_service_event(core, ("1" * 12, "eu-west-1"), "aws.s3", "Object Created", {"n": 0})
        queue = engine.queue("told")
        for owner in (("0" * 12, "us-east-1"), ("1" * 12, "eu-west-1")):
            core.bus((*owner, "default"), True)
        engine.bus("default").rule("all", {"source": ["aws.s3"]}, queue)
        emit_service_event(core, ("1" * 12, "eu-west-1"), "aws.s3", "Object Created", {"n": 1})
        emit_service_event(
            core, ("0" * 12, "us-east-1"), "aws.s3", "Object Created", {"n": 2}, ["arn:aws:s3:::b"]
        )
        [message] = queue.receive(10)
        event = json.loads(message.body)
        assert event["detail"] == {"n": 2}
        assert event["resources"] == ["arn:aws:s3:::b"]
        assert event["account"] == "0" * 12


def test_an_event_that_cannot_be_put_does_not_fail_what_happened(caplog):
    with trunkline.open() as engine:
        core = engine._core
        core.bus(("0" * 12, "us-east-1", "default"), True)
        emit_service_event(
            core, ("0" * 12, "us-east-1"), "aws.s3", "Object Created", {"x": "y" * 2_000_000}
        )
    assert "Object Created was not put" in caplog.text
