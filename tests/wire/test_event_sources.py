"""Event source mappings of queues: functions that get their messages."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
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


def test_messages_are_handled_and_deleted(engine: Any, client: Any) -> None:
    orders, recorder = engine.queue("orders"), Recorder()
    orders.send("green", attributes={"table": 7})
    uuid = mapped(engine, client, recorder)
    until(lambda: orders.statistics().total == 0)
    ((record,),) = [event["Records"] for event in recorder.events]
    assert (record["body"], record["eventSource"]) == ("green", "aws:sqs")
    assert record["messageAttributes"]["table"]["stringValue"] == "7"
    assert record["eventSourceARN"] == QUEUE
    got = client.get_event_source_mapping(UUID=uuid)
    assert (got["State"], got["BatchSize"]) == ("Enabled", 10)
    listed = client.list_event_source_mappings(FunctionName="tea")["EventSourceMappings"]
    assert [one["UUID"] for one in listed] == [uuid]


def test_a_batch_waits_for_its_window_or_its_size(engine: Any, client: Any) -> None:
    orders, recorder = engine.queue("orders"), Recorder()
    mapped(engine, client, recorder, BatchSize=25, MaximumBatchingWindowInSeconds=2)
    for number in range(30):
        orders.send(str(number))
    until(lambda: sum(map(len, recorder.bodies())) == 30)
    assert [len(batch) for batch in recorder.bodies()] == [25, 5]


def test_messages_that_no_filter_wants_are_deleted(engine: Any, client: Any) -> None:
    orders, recorder = engine.queue("orders"), Recorder()
    for cups in (1, 5, 9):
        orders.send(json.dumps({"cups": cups}))
    orders.send("no JSON")
    pattern = json.dumps({"body": {"cups": [{"numeric": [">", 2]}]}})
    mapped(engine, client, recorder, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    until(lambda: orders.statistics().total == 0)
    assert sorted(flat(recorder.bodies())) == [
        '{"cups": 5}',
        '{"cups": 9}',
    ]


def test_what_failed_is_visible_again_and_dead_letters_hold(engine: Any, client: Any) -> None:
    dead = engine.queue("dead")
    orders = engine.queue("orders", dead_letter=dead, max_receive_count=2, visibility_timeout=1)
    orders.send("tea")
    engine.function("tea", recorder := Recorder(fail, fail), timeout=1)
    client.create_event_source_mapping(FunctionName="tea", EventSourceArn=QUEUE)
    (message,) = dead.receive(wait=20)
    assert message.text() == "tea"
    counts = [
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in recorder.events
    ]
    assert counts == ["1", "2"]


def test_only_the_items_that_are_reported_stay(engine: Any, client: Any) -> None:
    orders = engine.queue("orders")

    def report(event: Any) -> Any:
        bad = [one["messageId"] for one in event["Records"] if one["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in bad]}

    recorder = Recorder(report)
    for body in ("good", "bad", "fine"):
        orders.send(body)
    mapped(engine, client, recorder, FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: orders.statistics().total == 1)
    assert [message.text() for message in orders.peek(include_in_flight=True)] == ["bad"]


def test_groups_of_a_fifo_queue_run_apart_and_in_order(engine: Any, client: Any) -> None:
    orders = engine.queue("orders.fifo", content_based_dedup=True)
    lock, running, most = threading.Lock(), {"a": 0, "b": 0}, {"a": 0, "b": 0}
    order: list[str] = []
    both = threading.Barrier(2)

    def handler(event: Any, context: Any) -> None:
        group = event["Records"][0]["attributes"]["MessageGroupId"]
        with lock:
            running[group] += 1
            most[group] = max(most[group], running[group])
        if not order:
            both.wait(20)
        with lock:
            order.extend(record["body"] for record in event["Records"])
            running[group] -= 1

    for number in range(6):
        for group in "ab":
            orders.send(f"{group}{number}", group=group)
    mapped(engine, client, handler, source=f"{QUEUE}.fifo", BatchSize=2)
    until(lambda: orders.statistics().total == 0)
    assert most == {"a": 1, "b": 1}
    for group in "ab":
        assert [one for one in order if one[0] == group] == [f"{group}{one}" for one in range(6)]


def test_no_more_batches_run_at_once_than_the_scaling_allows(engine: Any, client: Any) -> None:
    orders = engine.queue("orders")
    lock, running, most, both = threading.Lock(), [0], [0], threading.Barrier(2)

    def handler(event: Any, context: Any) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        if event["Records"][0]["body"] in ("0", "1"):
            both.wait(9)
        time.sleep(0.02)
        with lock:
            running[0] -= 1

    for number in range(40):
        orders.send(str(number))
    mapped(engine, client, handler, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    until(lambda: orders.statistics().total == 0)
    assert most[0] == 2


def test_a_mapping_is_disabled_enabled_and_removed(engine: Any, client: Any) -> None:
    orders, recorder = engine.queue("orders"), Recorder()
    uuid = mapped(engine, client, recorder, Enabled=False)
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    orders.send("waits")
    assert client.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    until(lambda: orders.statistics().total == 0)
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_event_source_mapping(UUID=uuid)
    orders.send("stays")
    time.sleep(0.1)
    assert orders.statistics().visible == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"EventSourceArn": f"{QUEUE}-absent"}, "AWS.SimpleQueueService.NonExistentQueue"),
        ({"EventSourceArn": f"{STREAM}-absent"}, "Stream not found"),
        ({"EventSourceArn": QUEUE, "BatchSize": 11}, "must be greater than 0 if maximum batch"),
        ({"EventSourceArn": QUEUE, "BisectBatchOnFunctionError": True}, "Unsupported parameter"),
        (
            {"EventSourceArn": QUEUE, "FilterCriteria": {"Filters": [{"Pattern": "null"}]}},
            "Invalid filter pattern definition.",
        ),
        ({"EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t"}, "dynamodb"),
        ({"EventSourceArn": STREAM}, "startingPosition"),
        ({"EventSourceArn": QUEUE, "Queues": ["q"]}, "queues"),
    ],
)
def test_what_may_not_be_is_refused(
    engine: Any, client: Any, options: dict[str, Any], message: str
) -> None:
    engine.queue("orders")
    engine.stream("clicks")
    engine.function("tea", Recorder())
    with pytest.raises(ClientError, match=message):
        client.create_event_source_mapping(FunctionName="tea", **options)


def test_a_mapping_is_not_made_twice_and_needs_time(engine: Any, client: Any) -> None:
    engine.queue("orders")
    mapped(engine, client, Recorder())
    with pytest.raises(ClientError, match="already exists"):
        client.create_event_source_mapping(FunctionName="tea", EventSourceArn=QUEUE)
    engine.function("slow", Recorder(), timeout=60)
    with pytest.raises(ClientError, match="visibility timeout: 30 seconds is less than"):
        client.create_event_source_mapping(FunctionName="slow", EventSourceArn=QUEUE)


def test_an_event_source_is_made_in_the_process_and_changed(engine: Any) -> None:
    orders, recorder = engine.queue("orders"), Recorder()
    function = engine.function("tea", recorder)
    source = engine.event_source(orders, function, batch_size=1)
    orders.send("green")
    until(lambda: orders.statistics().total == 0)
    again = engine.event_source(orders, function, batch_size=2)
    assert (again.uuid, again.settings()["BatchSize"]) == (source.uuid, 2)
    source.disable()
    assert not source.enabled
    source.enable()
    source.remove()
    with pytest.raises(trunkline.ResourceNotFound):
        source.settings()
    with pytest.raises(trunkline.InvalidParameterValue, match="greater than 0"):
        engine.event_source(orders, function, batch_size=11)
    with pytest.raises(TypeError, match="a Queue or a Stream"):
        engine.event_source(engine.topic("t"), function)


PROGRAM = """
import os, sys, time, trunkline
engine = trunkline.open(sys.argv[1])
orders, clicks, done = engine.queue("orders"), engine.stream("clicks"), engine.queue("done")

def handler(event, context):
    for record in event["Records"]:
        name = record.get("body") or record["kinesis"]["partitionKey"]
        done.send(name)

function = engine.function("tea", handler)
engine.event_source(orders, function)
engine.event_source(clicks, engine.function("log", handler), start="earliest", batch_size=7)
print("ready", flush=True)
time.sleep(60)
"""


def test_nothing_is_lost_when_the_process_is_killed(tmp_path: Any) -> None:
    wanted = {f"m{number}" for number in range(200)} | {f"r{number}" for number in range(200)}
    with trunkline.open(tmp_path) as engine:
        orders = engine.queue("orders", visibility_timeout=3)
        clicks = engine.stream("clicks", shards=2)
        orders.send_batch([f"m{number}" for number in range(200)])
        clicks.put_batch([(f"r{number}", "x") for number in range(200)])
    found: set[str] = set()
    for _ in range(6):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with trunkline.open(tmp_path) as engine:
            found |= {message.text() for message in engine.queue("done").peek(10_000)}
    with trunkline.open(tmp_path) as engine:
        done = engine.queue("done")

        def handler(event: Any, context: Any) -> None:
            for record in event["Records"]:
                done.send(record.get("body") or record["kinesis"]["partitionKey"])

        tea, log = engine.function("tea", handler), engine.function("log", handler)
        engine.event_source(engine.queue("orders"), tea)
        engine.event_source(engine.stream("clicks"), log, start="earliest", batch_size=7)
        until(lambda: {message.text() for message in done.peek(10_000)} == wanted, seconds=120)


def test_a_reset_ends_what_reads_a_queue(engine: Any, client: Any) -> None:
    from trunkline.aws.dispatcher import dispatcher_of

    engine.queue("orders")
    mapped(engine, client, recorder := Recorder())
    reset = ("POST", "/_trunkline/reset", [], b"", "http://trunkline.local")
    dispatcher_of(engine).call(reset)
    orders = engine.queue("orders")
    orders.send("stays")
    time.sleep(0.3)
    assert orders.statistics().total == 1
    assert recorder.events == []


@pytest.mark.parametrize("gone", ["function", "queue"])
def test_what_reads_a_queue_ends_with_the_engine(gone: str) -> None:
    before = set(threading.enumerate())
    with trunkline.open() as engine:
        orders = engine.queue("orders")
        function = engine.function("tea", lambda event, context: None)
        engine.event_source(orders, function)
        started = set(threading.enumerate()) - before
        threads = [one for one in started if one.name == "trunkline-pollers"]
        assert len(threads) == 1
        (function if gone == "function" else orders).remove()

    until(lambda: not any(thread.is_alive() for thread in threads))


def test_asynchronous_invocations_survive_a_kill(tmp_path: Any) -> None:
    program = """
import sys, time, trunkline
engine = trunkline.open(sys.argv[1])
done = engine.queue("done")
def handler(event, context):
    time.sleep(0.02)
    done.send(event)
function = engine.function("tea", handler, timeout=1, concurrency=2)
if sys.argv[2] == "first":
    for number in range(100):
        function.invoke_async(str(number))
print("ready", flush=True)
time.sleep(60)
"""
    for which in ("first", "later"):
        command = [sys.executable, "-c", program, str(tmp_path), which]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    # Two kills: an invocation is tried three times.
    wanted = {str(number) for number in range(100)}
    with trunkline.open(tmp_path) as engine:
        done = engine.queue("done")
        engine.function("tea", lambda event, context: done.send(event), timeout=1, concurrency=2)
        until(lambda: {message.text() for message in done.peek(10_000)} == wanted, seconds=200)
