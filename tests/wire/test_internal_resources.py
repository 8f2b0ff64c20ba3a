"""What services keep in queues and streams of the engine: lists leave it out, a look at a folder
marks it."""

from __future__ import annotations

import json
import urllib.request

import pytest
from stream_queue_calls import ON_DEMAND, create, put, receive_all

import trunkline
import trunkline.aws
from trunkline.admin.registry import run
from trunkline.cli import main

KEPT = "kinesis.us-east-1"


def made(engine):
    """A queue of a stream, a delivery stream and a log group, beside a queue and a stream."""
    kinesis, firehose, logs, s3 = (
        trunkline.aws.client(name, engine=engine) for name in ("kinesis", "firehose", "logs", "s3")
    )
    engine.queue("orders").send("one")
    kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
    s3.create_bucket(Bucket="lake")
    firehose.create_delivery_stream(
        DeliveryStreamName="delivered",
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::lake",
            "RoleARN": "arn:aws:iam::000000000000:role/r",
        },
    )
    logs.create_log_group(logGroupName="group")
    return create(kinesis).rsplit("/", 1)[1]


def names(told):
    return [one["name"] for one in told["items"]]


def test_lists_and_totals_leave_out_what_services_keep():
    with trunkline.open() as engine:
        id = made(engine)
        assert [queue.name for queue in engine.queues()] == ["orders"]
        assert [stream.name for stream in engine.streams()] == ["clicks"]
        assert names(run(engine, "queues", {})) == ["orders"]
        assert names(run(engine, "streams", {})) == ["clicks"]
        resources = run(engine, "stats", {})["resources"]
        assert (resources["queues"], resources["streams"]) == (1, 1)
        # Who names the region wants to see it.
        assert names(run(engine, "queues", {"region": KEPT})) == [id, f"{id}-dead"]
        assert [queue.name for queue in engine.queues(region=KEPT)] == [id, f"{id}-dead"]
        assert names(run(engine, "streams", {"region": "firehose.us-east-1"})) == ["delivered"]


def test_metrics_leave_it_out(engine, server):
    made(engine)
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
        told = answer.read().decode()
    assert 'queue="orders"' in told
    assert 'stream="clicks"' in told
    for region in (KEPT, "firehose.us-east-1", "logs.us-east-1"):
        assert region not in told


def test_a_look_at_the_folder_marks_it(tmp_path, capsys):
    with trunkline.open(tmp_path) as engine:
        id = made(engine)
    report = trunkline.inspect(tmp_path)
    assert {queue.name: queue.internal for queue in report.queues} == {
        "orders": False,
        id: True,
        f"{id}-dead": True,
    }
    streams = {(one["region"], one["internal"]) for one in report.others if one["kind"] == "stream"}
    assert {("us-east-1", False), ("firehose.us-east-1", True)} <= streams
    assert all(is_internal == ("." in region) for region, is_internal in streams)
    assert report.as_dict()["queues"][0]["internal"] in (True, False)
    assert main(["inspect", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (own,) = [line for line in lines if line.startswith(f"{id} ")]
    assert KEPT in own
    assert "standard, internal" in own
    (orders,) = [line for line in lines if line.startswith("orders ")]
    assert "internal" not in orders
    assert any(line.startswith("stream delivered, internal: ") for line in lines)
    assert any(line.startswith("stream clicks: ") for line in lines)


@pytest.mark.parametrize(
    ("command", "shown", "region"),
    [("queues", "orders", KEPT), ("streams", "clicks", "firehose.us-east-1")],
)
def test_the_command_lists_it_where_its_region_is_named(tmp_path, capsys, command, shown, region):
    with trunkline.open(tmp_path) as engine:
        id = made(engine)
    kept = id if command == "queues" else "delivered"

    def listed(*more):
        assert main([command, "--json", "--at", str(tmp_path), *more]) == 0
        return [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]

    assert listed() == [shown]
    assert kept in listed("--region", region)


def test_queues_of_streams_go_on_after_a_restart(tmp_path):
    with trunkline.open(tmp_path) as engine:
        made(engine)
    with trunkline.open(tmp_path) as engine:
        kinesis = trunkline.aws.client("kinesis", engine=engine)
        (queue,) = kinesis.list_queues()["QueueSummaries"]
        put(kinesis, "x")
        assert list(receive_all(kinesis, queue["QueueARN"], 1)) == ["x"]
