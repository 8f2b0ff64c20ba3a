"""EventBridge Pipes: what a pipe is, and how messages of a queue go through it."""

from __future__ import annotations

import json

import pytest
from pipe_calls import (
    ROLE,
    SOURCE,
    TARGET,
    arn,
    create,
    is_empty,
    receive,
    state,
    take,
    visible,
    wait_until,
)
from refusals import refused

import trunkline
import trunkline.aws

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def pipes(connect):
    return connect("pipes")


@pytest.fixture
def source(sqs):
    return sqs.create_queue(QueueName="source")["QueueUrl"]


@pytest.fixture
def target(sqs):
    return sqs.create_queue(QueueName="target")["QueueUrl"]


def test_a_pipe_is_told_as_it_was_made(pipes, source, target):
    made = create(pipes, Description="moves", Tags={"a": "1"})
    assert made == "arn:aws:pipes:us-east-1:000000000000:pipe/pipe"
    found = pipes.describe_pipe(Name="pipe")
    found.pop("ResponseMetadata")
    assert found.pop("CreationTime") == found.pop("LastModifiedTime")
    batching = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0}
    assert found == {
        "Arn": made,
        "Name": "pipe",
        "Description": "moves",
        "DesiredState": "RUNNING",
        "CurrentState": "RUNNING",
        "Source": SOURCE,
        "SourceParameters": {"SqsQueueParameters": batching},
        "Target": TARGET,
        "RoleArn": ROLE,
        "Tags": {"a": "1"},
    }
    assert refused(pipes.create_pipe, Name="pipe", Source=SOURCE, Target=TARGET, RoleArn=ROLE) == (
        "ConflictException",
        "Pipe pipe already exists.",
    )
    pipes.tag_resource(resourceArn=made, tags={"b": "2"})
    pipes.untag_resource(resourceArn=made, tagKeys=["a"])
    assert pipes.list_tags_for_resource(resourceArn=made)["tags"] == {"b": "2"}
    assert pipes.delete_pipe(Name="pipe")["CurrentState"] == "DELETING"
    assert refused(pipes.describe_pipe, Name="pipe")[0] == "NotFoundException"


def test_lists_come_in_pages(pipes, source, target):
    for number in range(3):
        create(pipes, f"pipe-{number}", DesiredState="STOPPED")
    create(pipes, "other")
    pages = pipes.get_paginator("list_pipes").paginate(
        NamePrefix="pipe", PaginationConfig={"PageSize": 2}
    )
    names = [[one["Name"] for one in page["Pipes"]] for page in pages]
    assert names == [["pipe-0", "pipe-1"], ["pipe-2"]]
    assert [one["Name"] for one in pipes.list_pipes(DesiredState="RUNNING")["Pipes"]] == ["other"]


def test_a_message_goes_from_queue_to_queue(pipes, sqs, source, target):
    create(pipes)
    attributes = {"kind": {"DataType": "String", "StringValue": "paid"}}
    sqs.send_message(QueueUrl=source, MessageBody="hello", MessageAttributes=attributes)
    [body] = receive(sqs, target)
    record = json.loads(body)
    assert record["body"] == "hello"
    assert record["eventSourceARN"] == SOURCE
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"]["stringValue"] == "paid"
    wait_until(lambda: is_empty(sqs, source))


def test_filters_choose_and_the_rest_is_deleted(pipes, sqs, source, target):
    patterns = [{"body": {"size": [{"numeric": [">", 5]}]}}, {"body": ["plain"]}]
    filters = [{"Pattern": json.dumps(pattern)} for pattern in patterns]
    create(
        pipes,
        SourceParameters={"FilterCriteria": {"Filters": filters}},
        TargetParameters={"InputTemplate": "<$.body>"},
    )
    for body in ('{"size": 3}', '{"size": 7}', "plain", "other"):
        sqs.send_message(QueueUrl=source, MessageBody=body)
    wait_until(lambda: is_empty(sqs, source))
    assert sorted(receive(sqs, target)) == ["plain", '{"size":7}']


def test_a_template_shapes_the_input(pipes, sqs, source, target):
    template = (
        '{"id": <$.body.id>, "text": "order <$.body.id> of <aws.pipes.pipe-name>", '
        '"items": <$.body.items>, "at": "<aws.pipes.event.ingestion-time>"}'
    )
    create(pipes, TargetParameters={"InputTemplate": template})
    sqs.send_message(QueueUrl=source, MessageBody=json.dumps({"id": 'x"y', "items": [1, 2]}))
    [body] = receive(sqs, target)
    told = json.loads(body)
    assert told.pop("at").startswith("2023-11-1")
    assert told == {"id": 'x"y', "text": 'order x"y of pipe', "items": [1, 2]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Source": arn("dynamodb", "table/t/stream/1")}, "Sources of dynamodb are not served"),
        ({"Target": arn("ecs", "cluster/c")}, "Targets of ecs are not served here. There"),
        ({"Target": arn("sqs", "a.fifo")}, "MessageGroupId is required"),
        ({"Target": arn("sns", "a.fifo")}, "FIFO topics are not supported"),
        ({"Target": arn("kinesis", "stream/s")}, "PartitionKey is required"),
        ({"Enrichment": arn("ecs", "cluster/c")}, "Enrichments of ecs are not served"),
        ({"Source": SOURCE.replace("us-east-1", "eu-west-1")}, "Source must be of the pipe's"),
        ({"TargetParameters": {"InputTemplate": "<aws.pipes.nothing>"}}, "not a reserved variable"),
        ({"TargetParameters": {"InputTemplate": "<$.a..b>"}}, "$.a..b is not a JSON path"),
        (
            {"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}},
            "Invalid filter pattern",
        ),
        (
            {"SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}},
            "MaximumBatchingWindowInSeconds must be greater than 0",
        ),
    ],
)
def test_what_may_not_be_is_refused(pipes, given, message):
    wanted = {"Name": "pipe", "Source": SOURCE, "Target": TARGET, "RoleArn": ROLE} | given
    code, text = refused(pipes.create_pipe, **wanted)
    assert code == "ValidationException"
    assert message in text


def test_a_pipe_without_its_source_fails_and_starts_later(pipes, sqs, target):
    create(pipes)
    found = pipes.describe_pipe(Name="pipe")
    assert found["CurrentState"] == "CREATE_FAILED"
    assert found["StateReason"] == "SQS queue source does not exist."
    source = sqs.create_queue(QueueName="source")["QueueUrl"]
    assert pipes.start_pipe(Name="pipe")["CurrentState"] == "STARTING"
    sqs.send_message(QueueUrl=source, MessageBody="now")
    assert json.loads(receive(sqs, target)[0])["body"] == "now"


def test_a_pipe_that_is_stopped_takes_nothing(pipes, sqs, source, target):
    create(pipes)
    assert pipes.stop_pipe(Name="pipe")["CurrentState"] == "STOPPING"
    wait_until(lambda: state(pipes) == "STOPPED")
    sqs.send_message(QueueUrl=source, MessageBody="later")
    told = sqs.receive_message(
        QueueUrl=source, VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"]
    )
    assert told["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"
    pipes.start_pipe(Name="pipe")
    assert json.loads(receive(sqs, target)[0])["body"] == "later"


def test_an_update_holds_for_what_comes(pipes, sqs, source, target):
    create(pipes, Description="old")
    answer = pipes.update_pipe(
        Name="pipe", RoleArn=ROLE, TargetParameters={"InputTemplate": "new <$.body>"}
    )
    assert answer["CurrentState"] == "UPDATING"
    wait_until(lambda: state(pipes) == "RUNNING")
    assert pipes.describe_pipe(Name="pipe")["Description"] == "old"
    sqs.send_message(QueueUrl=source, MessageBody="x")
    assert receive(sqs, target) == ["new x"]


def test_what_fails_comes_again_and_goes_to_the_dead_letter_queue(
    pipes, sqs, source, target, clock, engine
):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn("sqs", "dead"), "maxReceiveCount": "2"}
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": json.dumps(redrive)})
    gone = arn("sqs", "gone")
    create(pipes, target=gone)
    sqs.send_message(QueueUrl=source, MessageBody="x")

    def is_dead():
        clock.advance(31)
        return not is_empty(sqs, dead)

    wait_until(is_dead)
    assert take(sqs, dead) == ["x"]


def test_only_what_failed_comes_again(pipes, sqs, source, target, clock):
    topic = {"MessageGroupId": "$.body.group"}
    sqs.create_queue(
        QueueName="t.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    )
    create(pipes, target=arn("sqs", "t.fifo"), TargetParameters={"SqsQueueParameters": topic})
    for body in ('{"group": "a"}', "{}", '{"group": "b"}'):
        sqs.send_message(QueueUrl=source, MessageBody=body)
    fifo = sqs.get_queue_url(QueueName="t.fifo")["QueueUrl"]
    found = []
    wait_until(lambda: found.extend(take(sqs, fifo)) or len(found) == 2)

    def in_flight():
        told = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["All"])["Attributes"]
        return told["ApproximateNumberOfMessagesNotVisible"]

    # The two are deleted when the target has them, so a moment later.
    wait_until(lambda: in_flight() == "1")


def test_groups_of_a_fifo_queue_keep_their_order(pipes, sqs, clock, engine):
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    first = sqs.create_queue(QueueName="a.fifo", Attributes=fifo)["QueueUrl"]
    second = sqs.create_queue(QueueName="b.fifo", Attributes=fifo)["QueueUrl"]
    for number in range(6):
        sqs.send_message(QueueUrl=first, MessageBody=str(number), MessageGroupId=f"g{number % 2}")
    engine.faults.error("send", queue="b.fifo", times=1)
    create(
        pipes,
        source=arn("sqs", "a.fifo"),
        target=arn("sqs", "b.fifo"),
        TargetParameters={
            "InputTemplate": "<$.body>",
            "SqsQueueParameters": {"MessageGroupId": "$.attributes.MessageGroupId"},
        },
    )
    found = []

    def all_came():
        clock.advance(31)
        found.extend(take(sqs, second))
        return len(found) == 6

    wait_until(all_came)
    assert [one for one in found if int(one) % 2 == 0] == ["0", "2", "4"]
    assert [one for one in found if int(one) % 2] == ["1", "3", "5"]


def test_nothing_is_lost_through_a_restart(tmp_path):
    clock = trunkline.VirtualClock()

    def clients(engine):
        return [
            trunkline.aws.client(name, engine=engine, region_name="us-east-1")
            for name in ("pipes", "sqs")
        ]

    with trunkline.open(tmp_path / "engine", clock=clock) as engine:
        pipes, sqs = clients(engine)
        source = sqs.create_queue(QueueName="source")["QueueUrl"]
        create(pipes)
        # There is no target yet: the pipe takes the message and cannot hand it on.
        sqs.send_message(QueueUrl=source, MessageBody="kept")
        wait_until(lambda: not visible(sqs, source))
        assert not is_empty(sqs, source)
    with trunkline.open(tmp_path / "engine", clock=clock) as engine:
        pipes, sqs = clients(engine)
        target = sqs.create_queue(QueueName="target")["QueueUrl"]
        found = []

        def came():
            clock.advance(31)
            found.extend(take(sqs, target))
            return found

        wait_until(came)
        assert [json.loads(body)["body"] for body in found] == ["kept"]
        wait_until(lambda: is_empty(sqs, source))
