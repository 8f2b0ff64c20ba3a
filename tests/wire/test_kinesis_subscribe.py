"""SubscribeToShard: records that are pushed as a stream of events."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from kinesis_calls import arn, cbor, from_cbor, refused, shards_of

import trunkline
import trunkline.aws
from trunkline.server import Server
from waiting import until_waiting

boto3 = pytest.importorskip("boto3")


@pytest.fixture
def clock():
    return trunkline.VirtualClock()


@pytest.fixture
def kinesis(clock):
    """A client of a server, whose engine is on the virtual clock."""
    with trunkline.open(clock=clock) as engine, Server(engine, port=0) as server:
        yield boto3.session.Session().client(
            "kinesis",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="test",
            aws_secret_access_key="secret",
        )


@pytest.fixture
def consumer(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    made = kinesis.register_stream_consumer(StreamARN=arn("clicks"), ConsumerName="billing")
    return made["Consumer"]["ConsumerARN"]


@pytest.fixture
def subscribe():
    """Subscribes; the connections are closed at the end."""
    with contextlib.ExitStack() as opened:

        def begin(kinesis, consumer, kind="TRIM_HORIZON", **more):
            answer = kinesis.subscribe_to_shard(
                ConsumerARN=consumer,
                ShardId="shardId-000000000000",
                StartingPosition={"Type": kind, **more},
            )
            opened.callback(answer["EventStream"].close)
            return iter(answer["EventStream"])

        yield begin


def put(kinesis, *bodies):
    entries = [{"Data": body, "PartitionKey": "k"} for body in bodies]
    return kinesis.put_records(StreamName="clicks", Records=entries)["Records"]


def next_event(events):
    return next(events)["SubscribeToShardEvent"]


def data(event):
    return [record["Data"] for record in event["Records"]]


def test_records_are_pushed_as_they_are_put(kinesis, consumer, subscribe):
    put(kinesis, b"0", b"1")
    events = subscribe(kinesis, consumer)
    first = next_event(events)
    assert (data(first), first["MillisBehindLatest"]) == ([b"0", b"1"], 0)
    put(kinesis, b"2")
    assert data(next_event(events)) == [b"2"]


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
def test_a_subscription_goes_on_where_an_earlier_one_ended(
    kinesis, consumer, clock, kind, subscribe
):
    put(kinesis, b"0", b"1")
    number = next_event(subscribe(kinesis, consumer))["ContinuationSequenceNumber"]
    assert len(number) == 56
    put(kinesis, b"2")
    clock.advance(5)
    events = subscribe(kinesis, consumer, kind, SequenceNumber=number)
    assert data(next_event(events)) == [b"2"]


def test_each_position_starts_where_it_says(kinesis, consumer, clock, subscribe):
    numbers = [one["SequenceNumber"] for one in put(kinesis, b"0", b"1", b"2")]
    for kind, more, expected in (
        ("AT_SEQUENCE_NUMBER", {"SequenceNumber": numbers[1]}, [b"1", b"2"]),
        ("AFTER_SEQUENCE_NUMBER", {"SequenceNumber": numbers[1]}, [b"2"]),
        ("AT_TIMESTAMP", {"Timestamp": 0}, [b"0", b"1", b"2"]),
        ("TRIM_HORIZON", {}, [b"0", b"1", b"2"]),
    ):
        clock.advance(5)
        assert data(next_event(subscribe(kinesis, consumer, kind, **more))) == expected
    clock.advance(5)
    events = subscribe(kinesis, consumer, "LATEST")
    put(kinesis, b"3")
    assert data(next_event(events)) == [b"3"]


def test_a_subscription_lasts_five_minutes(kinesis, consumer, clock, subscribe):
    put(kinesis, b"0")
    events = subscribe(kinesis, consumer)
    assert data(next_event(events)) == [b"0"]
    clock.advance(301)
    assert list(events) == []


def test_a_second_subscriber_takes_over(kinesis, consumer, clock, subscribe):
    put(kinesis, b"0")
    events = subscribe(kinesis, consumer)
    next_event(events)
    given = {
        "ConsumerARN": consumer,
        "ShardId": "shardId-000000000000",
        "StartingPosition": {"Type": "TRIM_HORIZON"},
    }
    refused(kinesis.subscribe_to_shard, "ResourceInUseException", **given)
    clock.advance(5)
    later = subscribe(kinesis, consumer)
    assert data(next_event(later)) == [b"0"]
    with pytest.raises(EventStreamError) as caught:
        next(events)
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"


def test_the_end_of_a_shard_ends_the_subscription(kinesis, consumer, subscribe):
    put(kinesis, b"0")
    events = subscribe(kinesis, consumer)
    assert data(next_event(events)) == [b"0"]
    kinesis.split_shard(StreamName="clicks", ShardToSplit="0", NewStartingHashKey=str(2**127))
    last = next_event(events)
    assert [child["ShardId"] for child in last["ChildShards"]] == [
        shard["ShardId"] for shard in shards_of(kinesis, "clicks")[1:]
    ]
    assert "ContinuationSequenceNumber" not in last
    assert list(events) == []


def test_a_consumer_that_is_none_is_refused(kinesis, consumer):
    given = {
        "ShardId": "shardId-000000000000",
        "StartingPosition": {"Type": "LATEST"},
    }
    absent = consumer.replace("billing", "absent")
    refused(kinesis.subscribe_to_shard, "ResourceNotFoundException", ConsumerARN=absent, **given)
    given["ShardId"] = "shardId-000000000007"
    refused(kinesis.subscribe_to_shard, "ResourceNotFoundException", ConsumerARN=consumer, **given)


def test_a_client_in_the_process_gets_the_events_that_are_there(clock, subscribe):
    with trunkline.open(clock=clock) as engine:
        kinesis = trunkline.aws.client("kinesis", engine=engine, region_name="us-east-1")
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        made = kinesis.register_stream_consumer(StreamARN=arn("clicks"), ConsumerName="billing")
        consumer = made["Consumer"]["ConsumerARN"]
        put(kinesis, b"0")
        (first,) = subscribe(kinesis, consumer)
        assert data(first["SubscribeToShardEvent"]) == [b"0"]
        number = first["SubscribeToShardEvent"]["ContinuationSequenceNumber"]

        def put_later():
            until_waiting(engine.stream("clicks"))
            put(kinesis, b"1")

        later = threading.Thread(target=put_later)
        later.start()
        (second,) = subscribe(kinesis, consumer, "AFTER_SEQUENCE_NUMBER", SequenceNumber=number)
        later.join()
        assert data(second["SubscribeToShardEvent"]) == [b"1"]


def messages(connection_data):
    """The events in bytes of an event stream: type, content type, payload."""
    buffer = EventStreamBuffer()
    buffer.add_data(connection_data)
    return [
        (one.headers[":event-type"], one.headers[":content-type"], one.payload) for one in buffer
    ]


def request(consumer):
    return {
        "ConsumerARN": consumer,
        "ShardId": "shardId-000000000000",
        "StartingPosition": {"Type": "TRIM_HORIZON"},
    }


HEADERS = {"x-amz-target": "Kinesis_20131202.SubscribeToShard"}


def test_clients_of_cbor_get_events_in_cbor(kinesis, consumer):
    put(kinesis, b"\x00\xff")
    url = urlsplit(kinesis.meta.endpoint_url)
    with contextlib.closing(HTTPConnection(url.hostname, url.port, timeout=60)) as connection:
        headers = HEADERS | {"content-type": "application/x-amz-cbor-1.1"}
        connection.request("POST", "/", cbor(request(consumer)), headers)
        with connection.getresponse() as answer:
            assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
            found = []
            read = b""
            while len(found) < 2:
                read += answer.read1()
                found = messages(read)
    assert [kind for kind, _, _ in found] == ["initial-response", "SubscribeToShardEvent"]
    event = from_cbor(found[1][2])
    assert [record["Data"] for record in event["Records"]] == [b"\x00\xff"]
    assert isinstance(event["Records"][0]["ApproximateArrivalTimestamp"], int)


def test_http_2_carries_events_as_they_come(kinesis, consumer):
    h2 = pytest.importorskip("h2.connection")
    arrived = pytest.importorskip("h2.events").DataReceived
    put(kinesis, b"0")
    url = urlsplit(kinesis.meta.endpoint_url)
    connection = h2.H2Connection()
    connection.initiate_connection()
    head = [
        (":method", "POST"),
        (":path", "/"),
        (":scheme", "http"),
        (":authority", "localhost"),
        ("content-type", "application/x-amz-json-1.1"),
        *HEADERS.items(),
    ]
    connection.send_headers(1, head)
    connection.send_data(1, json.dumps(request(consumer)).encode(), end_stream=True)
    with socket.create_connection((url.hostname, url.port), timeout=60) as sock:
        read = b""
        for wanted in (b"0", b"1"):
            while base64.b64encode(wanted) not in read:
                sock.sendall(connection.data_to_send())
                received = sock.recv(65_536)
                assert received, "the server hung up"
                events = connection.receive_data(received)
                read += b"".join(one.data for one in events if isinstance(one, arrived))
            put(kinesis, b"1")
    kinds = [kind for kind, _, _ in messages(read)]
    assert kinds[:3] == ["initial-response", *("SubscribeToShardEvent",) * 2]
