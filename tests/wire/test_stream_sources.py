"""Event source mappings of streams: functions that get the records of shards in order."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from source_calls import QUEUE, STREAM, Recorder, fail, flat, mapped, until

import trunkline
import trunkline.aws


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        yield opened


@pytest.fixture
def client(engine: trunkline.Engine) -> Any:
    return trunkline.aws.client("lambda", engine=engine)


def test_records_come_in_order_of_their_shard(engine: Any, client: Any) -> None:
    clicks, recorder = engine.stream("clicks"), Recorder()
    for number in range(25):
        clicks.put(str(number), key="k")
    mapped(engine, client, recorder, STREAM, StartingPosition="TRIM_HORIZON", BatchSize=10)
    until(lambda: sum(map(len, recorder.data())) == 25)
    assert flat(recorder.data()) == [str(number) for number in range(25)]
    assert [len(batch) for batch in recorder.data()] == [10, 10, 5]


def test_a_batch_that_fails_is_tried_again_and_then_told_of(engine: Any, client: Any) -> None:
    clicks, recorder = engine.stream("clicks"), Recorder(fail, fail, fail)
    told = engine.queue("told")
    for data in ("a", "b"):
        clicks.put(data, key="k")
    mapped(
        engine,
        client,
        recorder,
        STREAM,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": QUEUE.replace("orders", "told")}},
    )
    (message,) = told.receive(wait=20)
    record = message.json()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    clicks.put("c", key="k")
    until(lambda: len(recorder.events) == 4)
    assert recorder.data() == [["a", "b"]] * 3 + [["c"]]


def test_a_bad_record_is_found_by_halving_its_batch(engine: Any, client: Any) -> None:
    clicks, told = engine.stream("clicks"), engine.queue("told")
    handled: list[str] = []

    def handler(event: Any, context: Any) -> None:
        data = Recorder.data(_Events([event]))[0]
        if "bad" in data:
            raise ValueError("bad")
        handled.extend(data)

    for data in ("a", "b", "bad", "c", "d"):
        clicks.put(data, key="k")
    mapped(
        engine,
        client,
        handler,
        STREAM,
        StartingPosition="TRIM_HORIZON",
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": QUEUE.replace("orders", "told")}},
    )
    (message,) = told.receive(wait=20)
    assert message.json()["KinesisBatchInfo"]["batchSize"] == 1
    until(lambda: handled == ["a", "b", "c", "d"])


class _Events:
    def __init__(self, events: list[Any]) -> None:
        self.events = events


def test_a_batch_goes_on_at_the_first_item_that_is_reported(engine: Any, client: Any) -> None:
    clicks = engine.stream("clicks")

    def report(event: Any) -> Any:
        sequence = event["Records"][1]["kinesis"]["sequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": sequence}]}

    recorder = Recorder(report)
    for data in ("a", "b", "c"):
        clicks.put(data, key="k")
    mapped(
        engine,
        client,
        recorder,
        STREAM,
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    until(lambda: len(recorder.events) == 2)
    assert recorder.data() == [["a", "b", "c"], ["b", "c"]]


def test_a_window_hands_its_state_on_and_ends(engine: Any, client: Any) -> None:
    clicks = engine.stream("clicks")
    finals: list[int] = []

    def handler(event: Any, context: Any) -> Any:
        count = event["state"].get("count", 0) + len(event["Records"])
        if event["isFinalInvokeForWindow"]:
            finals.append(count)
        return {"state": {"count": count}}

    mapped(
        engine,
        client,
        handler,
        STREAM,
        StartingPosition="TRIM_HORIZON",
        TumblingWindowInSeconds=1,
        BatchSize=2,
    )
    for number in range(7):
        clicks.put(str(number), key="k")
    until(lambda: sum(finals) == 7)


def test_children_of_a_split_shard_come_behind_it(engine: Any, client: Any) -> None:
    clicks, recorder = engine.stream("clicks"), Recorder()
    for number in range(5):
        clicks.put(f"before {number}", key="k")
    clicks.resize(2)
    for number in range(5):
        clicks.put(f"after {number}", key="k")
    mapped(engine, client, recorder, STREAM, StartingPosition="TRIM_HORIZON", BatchSize=3)
    until(lambda: sum(map(len, recorder.data())) == 10)
    found = flat(recorder.data())
    assert found == [f"{when} {number}" for when in ("before", "after") for number in range(5)]


def test_keys_of_a_shard_run_apart(engine: Any, client: Any) -> None:
    clicks = engine.stream("clicks")
    both, seen = threading.Barrier(2), []

    def handler(event: Any, context: Any) -> None:
        both.wait(20)
        seen.extend(record["kinesis"]["partitionKey"] for record in event["Records"])

    for key in ("a", "b", "c", "d", "e", "f"):
        clicks.put(key, key=key)
    mapped(
        engine, client, handler, STREAM, StartingPosition="TRIM_HORIZON", ParallelizationFactor=2
    )
    until(lambda: sorted(seen) == ["a", "b", "c", "d", "e", "f"])
