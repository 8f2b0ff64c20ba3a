"""A folder that was written by a clock that was a year ahead, and is opened when it is right again:
what is stored of every noun happens within the time of its own rule from the opening on."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

import trunkline
import trunkline.aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

pytest.importorskip("boto3")

RIGHT = 1_700_000_000
HOUR, DAY, YEAR = 3_600, 86_400, 365 * 86_400
AHEAD = RIGHT + YEAR
ROLE = "arn:aws:iam::000000000000:role/any"


@contextlib.contextmanager
def opened(path: Path, at: float, **options: Any) -> Iterator[trunkline.Engine]:
    with trunkline.open(path, clock=trunkline.VirtualClock(at), **options) as engine:
        yield engine


def one_state(**state: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {**state, "End": True}}}


def statuses(engine: trunkline.Engine, name: str) -> list[str]:
    return [execution.status for execution in engine.machine(name).executions()]


def test_what_was_left_of_a_wait_when_it_was_written_is_left_of_it_at_the_opening(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, AHEAD) as engine:
        engine.machine("waits", one_state(Type="Wait", Seconds=HOUR)).start()
    for _ in range(2):
        # It was not stepped: another opening finds the same.
        with opened(tmp_path, RIGHT) as engine:
            engine.clock.advance(HOUR - 1)
            assert statuses(engine, "waits") == ["RUNNING"]
    with opened(tmp_path, RIGHT) as engine:
        engine.clock.advance(HOUR)
        assert statuses(engine, "waits") == ["SUCCEEDED"]


def test_a_wait_for_a_moment_ends_at_that_moment(tmp_path: Path) -> None:
    moment = "2024-11-13T22:13:30Z"  # AHEAD and ten seconds
    with opened(tmp_path, AHEAD) as engine:
        engine.machine("waits", one_state(Type="Wait", Timestamp=moment)).start()
    with opened(tmp_path, RIGHT) as engine:
        engine.clock.advance(YEAR + 9)
        assert statuses(engine, "waits") == ["RUNNING"]
        engine.clock.advance(1)
        assert statuses(engine, "waits") == ["SUCCEEDED"]


def test_a_wait_that_the_right_clock_began_keeps_its_end(tmp_path: Path) -> None:
    with opened(tmp_path, RIGHT) as engine:
        engine.machine("waits", one_state(Type="Wait", Seconds=2 * YEAR)).start()
    with opened(tmp_path, AHEAD) as engine:
        engine.queue("other").send("written by the clock that is ahead")
    with opened(tmp_path, RIGHT + HOUR) as engine:
        engine.clock.advance(2 * YEAR - HOUR - 1)
        assert statuses(engine, "waits") == ["RUNNING"]
        engine.clock.advance(1)
        assert statuses(engine, "waits") == ["SUCCEEDED"]


def test_what_goes_on_from_such_an_execution_keeps_the_right_time(tmp_path: Path) -> None:
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Wait", "Seconds": seconds, "End": True}}}
        for name, seconds in (("One", HOUR), ("Two", 2 * HOUR))
    ]
    with opened(tmp_path, AHEAD) as engine:
        engine.machine("both", one_state(Type="Parallel", Branches=branches)).start()
    with opened(tmp_path, RIGHT) as engine:
        engine.clock.advance(HOUR)  # the first branch steps, and writes the other's timer
    with opened(tmp_path, RIGHT + HOUR) as engine:
        engine.clock.advance(HOUR - 1)
        assert statuses(engine, "both") == ["RUNNING"]
        engine.clock.advance(1)
        assert statuses(engine, "both") == ["SUCCEEDED"]


def test_time_outs_and_retries_of_tasks_and_executions_come_in_time(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "MaxAttempts": 1}]
    with opened(tmp_path, AHEAD) as engine:
        states = trunkline.aws.client("stepfunctions", engine=engine)
        activity = states.create_activity(name="work")["activityArn"]
        task = {"Type": "Task", "Resource": activity}
        definitions = {
            "time-out": one_state(**task, TimeoutSeconds=600),
            "heartbeat": one_state(**task, HeartbeatSeconds=600),
            "whole": one_state(**task) | {"TimeoutSeconds": 600},
            "retry": one_state(**task, TimeoutSeconds=1, Retry=retry),
        }
        for name, definition in definitions.items():
            made = states.create_state_machine(
                name=name, roleArn=ROLE, definition=json.dumps(definition)
            )
            states.start_execution(stateMachineArn=made["stateMachineArn"])
        engine.clock.advance(1)  # the retry waits
    with opened(tmp_path, RIGHT) as engine:
        engine.clock.advance(601)
        ended = {name: statuses(engine, name) for name in definitions}
        assert ended == {
            "time-out": ["FAILED"],
            "heartbeat": ["FAILED"],
            "whole": ["TIMED_OUT"],
            "retry": ["FAILED"],
        }


def test_executions_are_forgotten_90_days_after_the_opening(tmp_path: Path) -> None:
    with opened(tmp_path, AHEAD) as engine:
        engine.machine("ended", one_state(Type="Pass")).start(name="old")
    with opened(tmp_path, RIGHT) as engine:
        machine = engine.machine("ended")
        engine.clock.advance(89 * DAY)
        assert len(machine.execution("old").history()) == 4
        machine.start(name="new")
        engine.clock.advance(DAY)
        assert [one.name for one in machine.executions()] == ["new"]
        assert len(machine.execution("new").history()) == 4


def workflow_events(swf: Any, open: bool) -> list[str]:
    known = {"domain": "shop", "startTimeFilter": {"oldestDate": 0}}
    listed = swf.list_open_workflow_executions if open else swf.list_closed_workflow_executions
    (one,) = listed(**known)["executionInfos"]
    history = swf.get_workflow_execution_history(domain="shop", execution=one["execution"])
    return [event["eventType"] for event in history["events"]]


def test_timers_and_time_outs_of_workflows_come_in_time(tmp_path: Path) -> None:
    from tests.wire.swf_calls import CHARGE, DECISIONS, ORDER, decision

    with opened(tmp_path, AHEAD) as engine:
        swf = trunkline.aws.client("swf", engine=engine)
        swf.register_domain(name="shop", workflowExecutionRetentionPeriodInDays="7")
        never = {"defaultTaskHeartbeatTimeout": "NONE", "defaultTaskStartToCloseTimeout": "NONE"}
        swf.register_activity_type(domain="shop", **CHARGE, **never)
        swf.register_workflow_type(domain="shop", **ORDER)
        swf.start_workflow_execution(
            domain="shop",
            workflowId="one",
            workflowType=ORDER,
            taskList={"name": DECISIONS},
            executionStartToCloseTimeout=str(3 * HOUR),
            taskStartToCloseTimeout="NONE",
            childPolicy="TERMINATE",
        )
        decisions = [
            decision("StartTimer", timerId="t", startToFireTimeout=str(HOUR)),
            decision(
                "ScheduleActivityTask",
                activityType=CHARGE,
                activityId="a",
                taskList={"name": "workers"},
                scheduleToStartTimeout=str(2 * HOUR),
                scheduleToCloseTimeout="NONE",
            ),
        ]
        asked = {"domain": "shop", "taskList": {"name": DECISIONS}}
        token = swf.poll_for_decision_task(**asked)["taskToken"]
        swf.respond_decision_task_completed(taskToken=token, decisions=decisions)
    with opened(tmp_path, RIGHT) as engine:
        swf = trunkline.aws.client("swf", engine=engine)
        engine.clock.advance(HOUR - 1)
        assert "TimerFired" not in workflow_events(swf, True)
        engine.clock.advance(1)
        assert "TimerFired" in workflow_events(swf, True)
        engine.clock.advance(HOUR)
        assert "ActivityTaskTimedOut" in workflow_events(swf, True)
        engine.clock.advance(HOUR - 1)
        assert workflow_events(swf, True)
        engine.clock.advance(1)
        assert workflow_events(swf, False)[-1] == "WorkflowExecutionTimedOut"
        engine.clock.advance(8 * DAY)
        closed = swf.list_closed_workflow_executions(
            domain="shop", startTimeFilter={"oldestDate": 0}
        )
        assert closed["executionInfos"] == []


def data(stream: trunkline.Stream) -> list[bytes]:
    return [record.data for record in stream.read(max=1_000)]


@pytest.mark.parametrize("count", [10, 3_000])
def test_records_of_a_stream_are_kept_for_its_retention(tmp_path: Path, count: int) -> None:
    """Few are in the journal alone; many are in sealed files."""
    with opened(tmp_path, AHEAD) as engine:
        stream = engine.stream("s", retention=DAY)
        for start in range(0, count, 100):
            numbers = range(start, min(start + 100, count))
            stream.put_batch([("key", b"%04d" % number + bytes(8_000)) for number in numbers])
    with opened(tmp_path, RIGHT) as engine:
        stream = engine.stream("s")
        first = stream.read(max=1)
        assert first[0].data.startswith(b"0000")
        engine.clock.advance(DAY - HOUR)
        stream.put(b"right", key="key")
        assert stream.read(max=1)[0].data.startswith(b"0000")
        engine.clock.advance(2 * HOUR + 60)
        assert stream.read(max=10)[-1].data == b"right"
        assert len(stream.read(max=1_000)) == 1
        engine.clock.advance(DAY)
        assert data(stream) == []


def test_a_retention_that_was_changed_while_the_clock_was_ahead_hides_nothing(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, AHEAD) as engine:
        stream = engine.stream("s", retention=DAY)
        stream.configure(retention=2 * DAY)
    with opened(tmp_path, RIGHT) as engine:
        stream = engine.stream("s")
        stream.put(b"right", key="key")
        assert data(stream) == [b"right"]


def event(number: int) -> dict[str, Any]:
    return {"source": "shop", "detail-type": "Order", "detail": {"n": number}}


def test_archives_expire_and_replays_find_what_the_right_clock_wrote(tmp_path: Path) -> None:
    with opened(tmp_path, AHEAD) as engine:
        engine.bus().archive("all", retention=DAY)
        engine.bus().put(event(1))
    with opened(tmp_path, RIGHT) as engine:
        bus, queue = engine.bus(), engine.queue("q")
        archive = bus.archive("all")
        bus.put(event(2))
        engine.clock.advance(HOUR)
        bus.rule("all", {"source": ["shop"]}, queue)
        replay = archive.replay(RIGHT, RIGHT + HOUR)
        engine.clock.advance(1)
        assert replay.wait(timeout=60) == "COMPLETED"
        (found,) = queue.receive(max=10)
        assert found.json()["detail"] == {"n": 2}
        assert archive.events == 2
        engine.clock.advance(2 * DAY)
        assert archive.events == 0


def test_objects_and_uploads_expire_by_the_day_of_the_opening(tmp_path: Path) -> None:
    with opened(tmp_path, AHEAD) as engine:
        s3 = trunkline.aws.client("s3", engine=engine)
        s3.create_bucket(Bucket="bucket")
        rule = {
            "ID": "r",
            "Filter": {"Prefix": ""},
            "Status": "Enabled",
            "Expiration": {"Days": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        s3.put_bucket_lifecycle_configuration(
            Bucket="bucket", LifecycleConfiguration={"Rules": [rule]}
        )
        s3.put_object(Bucket="bucket", Key="old", Body=b"old")
        s3.create_multipart_upload(Bucket="bucket", Key="upload")
    with opened(tmp_path, RIGHT) as engine:
        s3 = trunkline.aws.client("s3", engine=engine)
        engine.clock.advance(DAY)
        assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 1, "S3 rounds up to midnight"
        s3.put_object(Bucket="bucket", Key="new", Body=b"new")
        engine.clock.advance(DAY)
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="bucket")["Contents"]]
        assert keys == ["new"]
        assert "Uploads" not in s3.list_multipart_uploads(Bucket="bucket")


def test_what_is_refused_for_a_while_and_what_changes_for_a_while_is_over(tmp_path: Path) -> None:
    limits = trunkline.Limits.aws()
    with opened(tmp_path, AHEAD, limits=limits) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine)
        kept = sqs.create_queue(QueueName="kept")["QueueUrl"]
        gone = sqs.create_queue(QueueName="gone")["QueueUrl"]
        sqs.purge_queue(QueueUrl=kept)
        sqs.delete_queue(QueueUrl=gone)
        kinesis = trunkline.aws.client("kinesis", engine=engine)
        kinesis.create_stream(StreamName="s", ShardCount=1)
        firehose = trunkline.aws.client("firehose", engine=engine)
        firehose.create_delivery_stream(
            DeliveryStreamName="d",
            ExtendedS3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"},
        )
    with opened(tmp_path, RIGHT, limits=limits) as engine:
        engine.clock.advance(1)
        sqs = trunkline.aws.client("sqs", engine=engine)
        sqs.purge_queue(QueueUrl=kept)
        sqs.create_queue(QueueName="gone")
        kinesis = trunkline.aws.client("kinesis", engine=engine)
        told = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
        assert told["StreamStatus"] == "ACTIVE"
        firehose = trunkline.aws.client("firehose", engine=engine)
        described = firehose.describe_delivery_stream(DeliveryStreamName="d")
        assert described["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"
