"""EventBridge Scheduler: groups and schedules, and what runs when they fall due."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from refusals import refused

import trunkline
import trunkline.aws

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")

ROLE = "arn:aws:iam::000000000000:role/scheduler"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:jobs"
OFF = {"Mode": "OFF"}


@pytest.fixture
def scheduler(connect):
    return connect("scheduler")


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName="jobs")["QueueUrl"]


def create(scheduler, expression="rate(1 hour)", name="tick", arn=QUEUE_ARN, **given):
    target = {"Arn": arn, "RoleArn": ROLE, **given.pop("target", {})}
    return scheduler.create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow=given.pop("window", OFF),
        Target=target,
        **given,
    )


def receive(sqs, url, **given):
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **given)
    return answer.get("Messages", [])


def test_a_schedule_is_told_as_it_was_made(scheduler):
    arn = create(scheduler, Description="often", target={"Input": "{}"})["ScheduleArn"]
    assert arn == "arn:aws:scheduler:us-east-1:000000000000:schedule/default/tick"
    found = scheduler.get_schedule(Name="tick")
    found.pop("ResponseMetadata")
    assert found["CreationDate"].year == 2023, "the engine's clock"
    assert found.pop("CreationDate") == found.pop("LastModificationDate")
    assert found == {
        "Arn": arn,
        "Name": "tick",
        "GroupName": "default",
        "ScheduleExpression": "rate(1 hour)",
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "ActionAfterCompletion": "NONE",
        "Description": "often",
        "FlexibleTimeWindow": OFF,
        "Target": {
            "Arn": QUEUE_ARN,
            "RoleArn": ROLE,
            "Input": "{}",
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
        },
    }


def test_an_update_replaces_the_whole(scheduler):
    create(scheduler, Description="often")
    scheduler.update_schedule(
        Name="tick",
        ScheduleExpression="cron(0 2 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        State="DISABLED",
        Target={"Arn": QUEUE_ARN, "RoleArn": ROLE},
    )
    found = scheduler.get_schedule(Name="tick")
    assert "Description" not in found
    assert found["State"] == "DISABLED"
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    scheduler.delete_schedule(Name="tick")
    code, message = refused(scheduler.get_schedule, Name="tick")
    assert (code, message) == ("ResourceNotFoundException", "Schedule tick does not exist.")
    assert refused(scheduler.delete_schedule, Name="tick")[0] == "ResourceNotFoundException"


def test_the_same_token_has_the_same_answer(scheduler):
    first = create(scheduler, ClientToken="once")["ScheduleArn"]
    assert create(scheduler, ClientToken="once")["ScheduleArn"] == first
    assert refused(create, scheduler, "rate(2 hours)", ClientToken="once")[0] == "ConflictException"
    code, message = refused(create, scheduler)
    assert (code, message) == ("ConflictException", "Schedule tick already exists.")


def test_groups_hold_schedules_and_take_them_along(scheduler):
    arn = scheduler.create_schedule_group(Name="blue", Tags=[{"Key": "a", "Value": "1"}])
    arn = arn["ScheduleGroupArn"]
    create(scheduler, GroupName="blue")
    create(scheduler, name="other")
    names = [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert names == ["blue", "default"]
    assert [one["Name"] for one in scheduler.list_schedules(GroupName="blue")["Schedules"]] == [
        "tick"
    ]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    scheduler.delete_schedule_group(Name="blue")
    assert refused(scheduler.get_schedule_group, Name="blue")[0] == "ResourceNotFoundException"
    assert refused(create, scheduler, GroupName="blue")[0] == "ResourceNotFoundException"
    assert [one["Name"] for one in scheduler.list_schedules()["Schedules"]] == ["other"]
    assert refused(scheduler.delete_schedule_group, Name="default")[0] == "ValidationException"


def test_lists_come_in_pages(scheduler):
    for number in range(5):
        create(scheduler, name=f"tick-{number}")
    create(scheduler, name="off", State="DISABLED")
    pages = scheduler.get_paginator("list_schedules").paginate(
        NamePrefix="tick", PaginationConfig={"PageSize": 2}
    )
    names = [[one["Name"] for one in page["Schedules"]] for page in pages]
    assert names == [["tick-0", "tick-1"], ["tick-2", "tick-3"], ["tick-4"]]
    assert [one["Name"] for one in scheduler.list_schedules(State="DISABLED")["Schedules"]] == [
        "off"
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"expression": "rate(10)"}, "Invalid Schedule Expression rate(10)."),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid ScheduleExpressionTimezone Mars"),
        ({"arn": "jobs"}, "Provided Arn is not in correct format."),
        ({"arn": "arn:aws:scheduler:::aws-sdk:sqs:getQueueUrl"}, "is not a supported api"),
        ({"arn": "arn:aws:scheduler:::aws-sdk:sqs:sendLetter"}, "is not a supported api"),
        ({"arn": "arn:aws:scheduler:::aws-sdk:ec2:startInstances"}, "not a supported service"),
        ({"arn": f"{QUEUE_ARN}.fifo"}, "MessageGroupId is required"),
        ({"arn": "arn:aws:events:us-east-1:000000000000:event-bus/b"}, "EventBridgeParameters is"),
        ({"window": {"Mode": "FLEXIBLE"}}, "Invalid FlexibleTimeWindow"),
        (
            {"target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}},
            "target.retryPolicy.maximumRetryAttempts",
        ),
        ({"StartDate": datetime(2030, 1, 2), "EndDate": datetime(2030, 1, 1)}, "Invalid EndDate"),
    ],
)
def test_what_may_not_be_is_refused(scheduler, given, message):
    code, text = refused(create, scheduler, **given)
    assert code == "ValidationException"
    assert message in text


def test_an_occurrence_sends_a_message(scheduler, sqs, queue, clock):
    given = {
        "Input": '{"arn":"<aws.scheduler.schedule-arn>","try":"<aws.scheduler.attempt-number>"}'
    }
    create(scheduler, "cron(0 2 * * ? *)", target=given, ScheduleExpressionTimezone="Europe/Berlin")
    clock.advance(86_400)
    [message] = receive(sqs, queue, WaitTimeSeconds=20)
    assert json.loads(message["Body"]) == {
        "arn": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/tick",
        "try": "1",
    }


def test_without_an_input_the_envelope_comes(scheduler, sqs, queue, clock):
    create(scheduler, "at(2023-11-15T00:00:00)", ActionAfterCompletion="DELETE")
    clock.advance(86_400)
    [message] = receive(sqs, queue, WaitTimeSeconds=20)
    body = json.loads(message["Body"])
    assert body["detail-type"] == "Scheduled Event"
    assert body["time"] == "2023-11-15T00:00:00Z"
    assert refused(scheduler.get_schedule, Name="tick")[0] == "ResourceNotFoundException"


def test_any_operation_that_is_served_can_run(scheduler, sqs, queue, clock):
    arn = "arn:aws:scheduler:::aws-sdk:sqs:createQueue"
    given = {"Input": json.dumps({"QueueName": "made"})}
    create(scheduler, "at(2023-11-15T00:00:00)", arn=arn, target=given)
    clock.advance(86_400)
    assert sqs.get_queue_url(QueueName="made")["QueueUrl"]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:sqs:us-east-1:000000000000:gone", "AWS.SimpleQueueService.NonExistentQueue"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", "ResourceNotFoundException"),
    ],
)
def test_what_cannot_run_goes_to_the_dead_letter_queue(scheduler, sqs, queue, clock, arn, code):
    given = {"Input": "{}", "DeadLetterConfig": {"Arn": QUEUE_ARN}}
    create(scheduler, "at(2023-11-15T00:00:00)", arn=arn, target=given)
    clock.advance(86_400)
    [message] = receive(sqs, queue, WaitTimeSeconds=20, MessageAttributeNames=["All"])
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told.pop("EXECUTION_ID")
    assert told.pop("ERROR_MESSAGE")
    assert message["Body"] == "{}"
    assert told == {
        "ERROR_CODE": code,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": "2023-11-15T00:00:00Z",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/tick",
        "TARGET_ARN": arn,
    }


def test_what_fails_is_tried_again(scheduler, sqs, queue, clock, engine):
    engine.faults.error("send", queue="jobs", times=2)
    given = {"Input": "<aws.scheduler.attempt-number>"}
    create(scheduler, "at(2023-11-15T00:00:00)", target=given)
    clock.advance(90_000)
    [message] = receive(sqs, queue, WaitTimeSeconds=20)
    assert message["Body"] == "3"


@pytest.mark.parametrize(
    ("policy", "retries", "condition"),
    [
        ({"MaximumRetryAttempts": 1}, "1", "MaximumRetryAttempts"),
        ({"MaximumRetryAttempts": 0}, "0", "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 60}, None, "MaximumEventAgeInSeconds"),
    ],
)
def test_retries_end_as_the_policy_says(
    scheduler, sqs, queue, clock, engine, policy, retries, condition
):
    gone = sqs.create_queue(QueueName="gone")["QueueUrl"]
    engine.faults.error("send", queue="jobs")
    dead = {"Arn": "arn:aws:sqs:us-east-1:000000000000:gone"}
    given = {"Input": "x", "RetryPolicy": policy, "DeadLetterConfig": dead}
    create(scheduler, "at(2023-11-15T00:00:00)", target=given)
    clock.advance(90_000)
    [message] = receive(sqs, gone, WaitTimeSeconds=20, MessageAttributeNames=["All"])
    told = message["MessageAttributes"]
    assert told["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == condition
    assert told["RETRY_ATTEMPTS"]["StringValue"] == (
        retries or told["RETRY_ATTEMPTS"]["StringValue"]
    )


def test_an_occurrence_puts_an_event(scheduler, sqs, queue, connect, clock):
    events = connect("events")
    bus = events.create_event_bus(Name="bus")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="bus", EventPattern='{"source":["me"]}')
    events.put_targets(Rule="all", EventBusName="bus", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])
    given = {"Input": '{"a":1}', "EventBridgeParameters": {"DetailType": "tick", "Source": "me"}}
    create(scheduler, "at(2023-11-15T00:00:00)", arn=bus, target=given)
    clock.advance(86_400)
    [message] = receive(sqs, queue, WaitTimeSeconds=20)
    body = json.loads(message["Body"])
    assert (body["source"], body["detail-type"], body["detail"]) == ("me", "tick", {"a": 1})
    assert body["resources"] == ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/tick"]


def test_a_schedule_that_is_disabled_rests(scheduler, sqs, queue, clock):
    create(scheduler, State="DISABLED")
    clock.advance(86_400)
    assert receive(sqs, queue) == []


def test_schedules_outlive_the_server(tmp_path):
    clock = trunkline.VirtualClock()
    with trunkline.open(tmp_path / "engine", clock=clock) as engine:
        scheduler = trunkline.aws.client("scheduler", engine=engine, region_name="us-east-1")
        sqs = trunkline.aws.client("sqs", engine=engine, region_name="us-east-1")
        sqs.create_queue(QueueName="jobs")
        create(scheduler, "at(2023-11-15T00:00:00)")
    with trunkline.open(tmp_path / "engine", clock=clock) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine, region_name="us-east-1")
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        clock.advance(86_400)
        assert len(receive(sqs, url, WaitTimeSeconds=20)) == 1


def test_a_client_of_a_closed_engine_is_told_so():
    engine = trunkline.open()
    engine.close()
    scheduler = trunkline.aws.client("scheduler", engine=engine, region_name="us-east-1")
    with pytest.raises(Exception, match="closed"):
        scheduler.list_schedules()
