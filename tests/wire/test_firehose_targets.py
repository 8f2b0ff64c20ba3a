"""Delivery streams as targets of rules, topics, pipes, schedules and state machines."""

from __future__ import annotations

import json

import pytest
from firehose_calls import ROLE, arn, create, deliver, objects, only, until
from refusals import refused

pytest.importorskip("boto3")


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    firehose = connect("firehose")
    create(firehose)
    return firehose


def delivered(engine):
    """What is in the bucket once something is."""

    def look():
        deliver(engine)
        return objects(engine)

    until(look)
    return only(engine)[1]


@pytest.mark.usefixtures("firehose")
def test_a_rule_delivers_events(engine, connect):
    events = connect("events")
    events.put_rule(Name="all", EventPattern='{"source":["me"]}')
    target = {"Id": "f", "Arn": arn("clicks"), "RoleArn": ROLE}
    assert events.put_targets(Rule="all", Targets=[target])["FailedEntryCount"] == 0
    events.put_events(Entries=[{"Source": "me", "DetailType": "t", "Detail": '{"a":1}'}])
    data = delivered(engine)
    assert json.loads(data)["detail"] == {"a": 1}
    assert not data.endswith(b"\n")
    missing = {"Id": "g", "Arn": arn("none"), "RoleArn": ROLE}
    assert events.put_targets(Rule="all", Targets=[missing])["FailedEntryCount"] == 1


@pytest.mark.usefixtures("firehose")
@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_topic_delivers_notifications_one_a_line(engine, connect, raw):
    sns = connect("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    given = {"TopicArn": topic, "Protocol": "firehose", "Endpoint": arn("clicks")}
    code, message = refused(sns.subscribe, **given)
    assert (code, "SubscriptionRoleArn" in message) == ("InvalidParameter", True)
    attributes = {"SubscriptionRoleArn": ROLE, "RawMessageDelivery": raw}
    told = sns.subscribe(**given, Attributes=attributes)["SubscriptionArn"]
    shown = sns.get_subscription_attributes(SubscriptionArn=told)["Attributes"]
    assert (shown["Protocol"], shown["Endpoint"]) == ("firehose", arn("clicks"))
    structured = json.dumps({"default": "all", "firehose": "one"})
    sns.publish(TopicArn=topic, Message=structured, MessageStructure="json")
    line = delivered(engine)
    assert line.endswith(b"\n")
    text = line.decode().rstrip("\n")
    assert (text if raw == "true" else json.loads(text)["Message"]) == "one"
    given["Endpoint"] = arn("none")
    assert refused(sns.subscribe, **given, Attributes=attributes)[0] == "InvalidParameter"


@pytest.mark.usefixtures("firehose")
def test_a_pipe_delivers_messages(engine, connect):
    queue = engine.queue("source")
    connect("pipes").create_pipe(
        Name="p",
        RoleArn=ROLE,
        Source="arn:aws:sqs:us-east-1:000000000000:source",
        Target=arn("clicks"),
        TargetParameters={"InputTemplate": "<$.body>"},
    )
    queue.send("one coffee")
    assert b"one coffee" in delivered(engine)
    connect("pipes").delete_pipe(Name="p")


@pytest.mark.usefixtures("firehose")
@pytest.mark.parametrize(
    "target",
    [
        {"Arn": arn("clicks"), "Input": "one tea"},
        {
            "Arn": "arn:aws:scheduler:::aws-sdk:firehose:putRecord",
            "Input": json.dumps({"DeliveryStreamName": "clicks", "Record": {"Data": "one tea"}}),
        },
    ],
)
def test_a_schedule_delivers_its_input(engine, connect, clock, target):
    connect("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="at(2023-11-14T22:15:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"RoleArn": ROLE, **target},
    )
    clock.advance(120)
    assert delivered(engine) == b"one tea"


@pytest.mark.usefixtures("firehose")
def test_a_state_machine_puts_a_record(engine, connect):
    states = connect("stepfunctions")
    definition = {
        "StartAt": "Put",
        "States": {
            "Put": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:firehose:putRecord",
                "Parameters": {
                    "DeliveryStreamName": "clicks",
                    "Record": {"Data.$": "$.text"},
                },
                "End": True,
            }
        },
    }
    machine = states.create_state_machine(
        name="m", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine, input='{"text": "one tea"}')
    name = {"executionArn": run["executionArn"]}
    until(lambda: states.describe_execution(**name)["status"] != "RUNNING")
    told = states.describe_execution(**name)
    assert told["status"] == "SUCCEEDED", told
    assert json.loads(told["output"])["RecordId"]
    assert delivered(engine) == b"one tea"
