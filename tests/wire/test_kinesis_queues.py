"""Records of queues of Kinesis streams over the wire, with boto3."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from kinesis_calls import arn
from stream_queue_calls import ON_DEMAND, create, entries, put, receive, receive_all
from test_kill import client, serve

import trunkline
import trunkline.aws
from tests.waiting import until

pytestmark = pytest.mark.botocore_knows("kinesis", "CreateQueue")


@pytest.fixture
def kinesis(connect):
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
    return kinesis


def test_records_are_received_until_they_are_acknowledged(kinesis):
    queue = create(kinesis, VisibilityTimeoutSeconds=60)
    put(kinesis, "a", "b", "c")
    found = receive_all(kinesis, queue, 3)
    one = found["a"]
    assert (one["PartitionKey"], one["ReceiveCount"]) == ("key of a", 1)
    assert one["FirstReceiveTimestamp"] >= one["ApproximateArrivalTimestamp"]
    assert one["RecordId"].isalnum()
    assert receive(kinesis, queue, wait=1) == []
    answer = kinesis.acknowledge_queue_records(
        QueueARN=queue, Entries=[*entries([one]), {"ReceiptHandle": "x"}]
    )
    assert [one["ReceiptHandle"] for one in answer["Successful"]] == [one["ReceiptHandle"]]
    (failed,) = answer["Failed"]
    assert (failed["ReceiptHandle"], failed["ErrorCode"]) == ("x", "InvalidArgumentException")
    others = [found["b"], found["c"]]
    answer = kinesis.update_queue_records_visibility(
        QueueARN=queue, Entries=entries(others, VisibilityTimeoutSeconds=0)
    )
    assert (len(answer["Successful"]), answer["Failed"]) == (2, [])
    again = receive_all(kinesis, queue, 2)
    assert {name: one["ReceiveCount"] for name, one in again.items()} == {"b": 2, "c": 2}
    assert again["b"]["RecordId"] == found["b"]["RecordId"]
    assert again["b"]["ReceiptHandle"] != found["b"]["ReceiptHandle"]
    assert again["b"]["FirstReceiveTimestamp"] == found["b"]["FirstReceiveTimestamp"]
    # The stream keeps its records, and another queue delivers them all.
    second = receive_all(kinesis, create(kinesis, "others"), 3)
    assert second["b"]["RecordId"] == found["b"]["RecordId"]


def test_records_that_fail_too_often_become_dead_letters_and_can_be_restored(kinesis):
    queue = create(
        kinesis, DeadLetterConfiguration={"TargetType": "BUILT_IN", "MaxReceiveCount": 2}
    )
    put(kinesis, "a", "b")
    for _ in range(2):
        receive_all(kinesis, queue, 2, VisibilityTimeoutSeconds=0)
    assert receive(kinesis, queue, wait=1) == []
    dead = receive_all(kinesis, queue, 2, dead=True)
    assert {one["PartitionKey"] for one in dead.values()} == {"key of a", "key of b"}
    assert receive(kinesis, queue, dead=True, wait=1) == []
    # A handle of a dead letter is none of the records.
    answer = kinesis.acknowledge_queue_records(QueueARN=queue, Entries=entries([dead["a"]]))
    assert [one["ErrorCode"] for one in answer["Failed"]] == ["InvalidArgumentException"]
    kinesis.update_dead_letter_queue_records_visibility(
        QueueARN=queue, Entries=entries([dead["a"]], VisibilityTimeoutSeconds=0)
    )
    again = receive_all(kinesis, queue, 1, dead=True)["a"]
    answer = kinesis.restore_dead_letter_queue_records(QueueARN=queue, Entries=entries([again]))
    assert (len(answer["Successful"]), answer["Failed"]) == (1, [])
    answer = kinesis.restore_dead_letter_queue_records(QueueARN=queue, Entries=entries([again]))
    assert [one["ErrorCode"] for one in answer["Failed"]] == ["ResourceNotFoundException"]
    restored = receive_all(kinesis, queue, 1)["a"]
    assert (restored["ReceiveCount"], restored["RecordId"]) == (1, again["RecordId"])
    acknowledged = kinesis.acknowledge_dead_letter_queue_records(
        QueueARN=queue, Entries=entries([dead["b"]])
    )
    assert acknowledged["Failed"] == []
    assert receive(kinesis, queue, dead=True, wait=1) == []


def test_dead_letters_can_be_turned_off(kinesis):
    queue = create(kinesis, DeadLetterConfiguration={"TargetType": "NONE"})
    put(kinesis, "a")
    counts = [
        receive_all(kinesis, queue, 1, VisibilityTimeoutSeconds=0)["a"]["ReceiveCount"]
        for _ in range(8)
    ]
    assert counts == list(range(1, 9))


def test_a_receive_waits_for_a_record_and_for_a_dead_letter(clock, engine, kinesis):
    queue = create(
        kinesis,
        VisibilityTimeoutSeconds=10,
        DeadLetterConfiguration={"TargetType": "BUILT_IN", "MaxReceiveCount": 1},
    )
    found = []
    waiting = threading.Thread(target=lambda: found.extend(receive(kinesis, queue, wait=20)))
    waiting.start()
    put(kinesis, "a")
    waiting.join(10)
    assert [one["Data"] for one in found] == [b"a"]
    found.clear()
    waiting = threading.Thread(target=lambda: found.extend(receive(kinesis, queue, True, wait=20)))
    waiting.start()
    time.sleep(0.1)
    assert found == []
    # The lease of the record ends, and nothing receives from the queue itself.
    clock.advance(11)
    waiting.join(10)
    assert [(one["Data"], one["ReceiveCount"]) for one in found] == [(b"a", 2)]


def test_what_the_stream_has_no_more_is_not_delivered(clock, engine, kinesis):
    queue = create(kinesis)
    put(kinesis, "old")
    receive_all(kinesis, queue, 1)
    clock.advance(24 * 3600 - 10)
    put(kinesis, "new")
    assert set(receive_all(kinesis, queue, 2, VisibilityTimeoutSeconds=0)) == {"old", "new"}
    clock.advance(60)
    assert set(receive_all(kinesis, queue, 1, VisibilityTimeoutSeconds=0)) == {"new"}
    assert [one["Data"] for one in receive(kinesis, queue, wait=1)] == [b"new"]


def test_a_queue_from_a_time_delivers_what_came_since(clock, engine, kinesis):
    put(kinesis, "a")
    clock.advance(100)
    now = clock.now
    put(kinesis, "b")

    def source(at):
        at = datetime.fromtimestamp(at, UTC)
        start = {"Type": "AT_TIMESTAMP", "Timestamp": at}
        return [{"StreamARN": arn("clicks"), "StartingPosition": start}]

    for name, at, wanted in (("one", now - 200, {"a", "b"}), ("two", now - 50, {"b"})):
        made = kinesis.create_queue(QueueName=name, StreamConfigurationList=source(at))
        queue = made["QueueDescription"]["QueueARN"]
        assert set(receive_all(kinesis, queue, len(wanted))) == wanted
    ahead = kinesis.create_queue(QueueName="three", StreamConfigurationList=source(now + 50))
    put(kinesis, "too early")
    clock.advance(60)
    put(kinesis, "in time")
    queue = ahead["QueueDescription"]["QueueARN"]
    assert set(receive_all(kinesis, queue, 1)) == {"in time"}


def test_splits_and_more_records_than_a_feeder_holds_come_through(engine, kinesis):
    from trunkline.aws.kinesis import feeding

    queue = create(kinesis)
    count = feeding.WAITING_MAX + 5_000
    stream = engine.stream("clicks")
    stream.put_batch((str(n), f"{n}") for n in range(count // 2))
    stream.split(stream.shards()[0].id)
    stream.put_batch((str(n), f"{n}") for n in range(count // 2, count))
    found = set()
    while len(found) < count:
        batch = receive(kinesis, queue)
        assert batch, f"{len(found)} of {count}"
        found |= {one["Data"] for one in batch}
        kinesis.acknowledge_queue_records(QueueARN=queue, Entries=entries(batch))
    assert receive(kinesis, queue, wait=1) == []


def test_a_queue_is_there_after_a_restart(tmp_path):
    def opened(engine):
        return trunkline.aws.client("kinesis", engine=engine, region_name="us-east-1")

    with trunkline.open(tmp_path) as engine:
        kinesis = opened(engine)
        kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
        queue = create(kinesis, start="LATEST")
        put(kinesis, "a", "b")
        first = receive_all(kinesis, queue, 2)
        kinesis.acknowledge_queue_records(QueueARN=queue, Entries=entries([first["a"]]))
        # What feeds the queue would go over them again, had it not said yet that it is past them.
        until(lambda: not any(engine.stream("clicks").statistics().readers.values()))
    with trunkline.open(tmp_path) as engine:
        # Nothing serves the engine while this is put.
        engine.stream("clicks").put("c", key="c")
    with trunkline.open(tmp_path) as engine:
        kinesis = opened(engine)
        assert set(receive_all(kinesis, queue, 1)) == {"c"}
        kinesis.update_queue_records_visibility(
            QueueARN=queue, Entries=entries([first["b"]], VisibilityTimeoutSeconds=0)
        )
        assert receive_all(kinesis, queue, 1)["b"]["ReceiveCount"] == 2


def test_every_record_comes_through_a_queue_over_kills(tmp_path):
    wanted, acknowledged = set(), set()
    for round in range(6):
        with serve(tmp_path) as (process, url):
            kinesis = client("kinesis", url)
            if round == 0:
                kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
                queue = create(kinesis, VisibilityTimeoutSeconds=1)
            texts = [f"{round}-{n}" for n in range(200)]
            kinesis.put_records(
                StreamName="clicks",
                Records=[{"Data": text, "PartitionKey": text} for text in texts],
            )
            wanted |= set(texts)
            for _ in range(12):
                batch = receive(kinesis, queue)
                if not batch:
                    continue
                kinesis.acknowledge_queue_records(QueueARN=queue, Entries=entries(batch))
                acknowledged |= {one["Data"].decode() for one in batch}
            process.kill()
            process.wait()
    with serve(tmp_path) as (_, url):
        kinesis = client("kinesis", url)
        while batch := receive(kinesis, queue, wait=3):
            kinesis.acknowledge_queue_records(QueueARN=queue, Entries=entries(batch))
            acknowledged |= {one["Data"].decode() for one in batch}
    assert acknowledged == wanted
