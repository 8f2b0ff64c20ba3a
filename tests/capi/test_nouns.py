"""Topics, event buses and streams through the C ABI, beside the same folder in Python."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trunkline

from . import border
from .border import WRONG_ADDRESS, Failed, ffi, lib

EVENT = {"source": "shop", "detail-type": "OrderPlaced", "detail": {"state": "paid"}}


@pytest.fixture
def engine() -> Iterator[Any]:
    with border.engine() as opened:
        yield opened


def created(kind: str, engine: Any, name: str, *options: Any) -> Any:
    """A handle of a new topic, bus or stream."""
    handle = ffi.new(f"trunkline_{kind} **")
    create = getattr(lib, f"trunkline_{kind}_create")
    border.check(create(engine, name.encode(), *options, handle))
    return handle[0]


def topic(engine: Any, name: str, **options: Any) -> Any:
    return created("topic", engine, name, border.struct("topic_options", **options))


def bus(engine: Any, name: str) -> Any:
    return created("bus", engine, name)


def stream(engine: Any, name: str, **options: Any) -> Any:
    return created("stream", engine, name, border.struct("stream_options", **options))


def found(kind: str, engine: Any, name: str) -> Any:
    handle = ffi.new(f"trunkline_{kind} **")
    border.check(getattr(lib, f"trunkline_{kind}_find")(engine, name.encode(), handle))
    return handle[0]


def publish(topic: Any, body: bytes, **options: Any) -> Any:
    published = border.struct("published")
    given = border.struct("publish_options", **options)
    border.check(lib.trunkline_publish(topic, body, len(body), given, published))
    return published


def put_event(bus: Any, event: dict[str, Any]) -> Any:
    put, text = border.struct("event_accepted"), json.dumps(event).encode()
    border.check(lib.trunkline_event_put(bus, text, len(text), put))
    return put


def put(stream: Any, key: str, data: bytes, **options: Any) -> tuple[str | None, str | None]:
    """The shard and the sequence number."""
    done = border.struct("record_put")
    given = border.struct("record_options", **options)
    border.check(lib.trunkline_stream_put(stream, key.encode(), data, len(data), given, done))
    return border.text(done.shard), border.text(done.sequence)


def read(stream: Any, **options: Any) -> list[dict[str, Any]]:
    """Records, copied."""
    records = ffi.new("trunkline_records *")
    border.check(
        lib.trunkline_stream_read(stream, border.struct("read_options", **options), records)
    )
    copied = [
        {
            "data": bytes(ffi.buffer(one.data, one.data_length)),
            "time_ms": one.time_ms,
            **{field: border.text(getattr(one, field)) for field in ("key", "shard", "sequence")},
        }
        for one in (records.items[place] for place in range(records.count))
    ]
    lib.trunkline_records_free(records)
    assert records.items == ffi.NULL
    assert records.count == 0
    return copied


def code_of(call: Any) -> str | None:
    with pytest.raises(Failed) as failed:
        call()
    return failed.value.code


def test_a_publish_reaches_every_queue_whose_filter_matches(engine: Any) -> None:
    orders = topic(engine, "orders")
    filters = {"all": None, "paid": '{"state": ["paid"]}', "open": '{"state": ["open"]}'}
    queues = {name: border.queue(engine, name) for name in filters}
    for name, policy in filters.items():
        options = {} if policy is None else {"filter": policy, "filters_body": 1}
        given = border.struct("subscribe_options", **options)
        border.check(lib.trunkline_subscribe(orders, queues[name], given))
    published = publish(orders, b'{"state": "paid"}')
    assert (published.matched, published.delivered, published.duplicate) == (2, 2, 0)
    assert len(str(border.text(published.message_id))) == 36
    assert border.text(published.sequence_number) == ""
    bodies = {name: [one["body"] for one in border.receive(queues[name])] for name in queues}
    assert bodies == {"all": [b'{"state": "paid"}'], "paid": [b'{"state": "paid"}'], "open": []}


def test_an_envelope_is_asked_for(engine: Any) -> None:
    news, queue = topic(engine, "news"), border.queue(engine, "q")
    border.check(lib.trunkline_subscribe(news, queue, border.struct("subscribe_options", raw=0)))
    published = publish(news, b"rain", subject="weather")
    (message,) = border.receive(queue)
    envelope = json.loads(message["body"])
    assert (envelope["Message"], envelope["Subject"]) == ("rain", "weather")
    assert envelope["MessageId"] == border.text(published.message_id)


def test_a_fifo_topic_numbers_and_deduplicates(engine: Any) -> None:
    orders = topic(engine, "orders.fifo", content_based_dedup=1)
    queue = border.queue(engine, "q.fifo", content_based_dedup=1)
    border.check(lib.trunkline_subscribe(orders, queue, ffi.NULL))
    first, again = (publish(orders, b"a", group="g") for _ in range(2))
    assert (first.duplicate, again.duplicate) == (0, 1)
    assert border.text(first.sequence_number) == border.text(again.sequence_number)
    assert len(border.receive(queue, max=10)) == 1


def test_an_event_goes_to_the_queues_of_the_rules_that_match(engine: Any) -> None:
    events, queue = bus(engine, "events"), border.queue(engine, "q")
    pattern = b'{"detail": {"state": ["paid"]}}'
    border.check(lib.trunkline_rule_put(events, b"paid", pattern, queue, ffi.NULL))
    matched, other = put_event(events, EVENT), put_event(events, {**EVENT, "detail": {}})
    assert [(one.matched, one.delivered, one.failed) for one in (matched, other)] == [
        (1, 1, 0),
        (0, 0, 0),
    ]
    (message,) = border.receive(queue)
    event = json.loads(message["body"])
    assert event["id"] == border.text(matched.event_id)
    assert event["detail"] == {"state": "paid"}
    border.check(lib.trunkline_rule_remove(events, b"paid"))
    assert put_event(events, EVENT).matched == 0


def test_records_are_read_in_order_from_any_place(engine: Any) -> None:
    clicks = stream(engine, "clicks")
    places = [put(clicks, f"user-{number}", bytes([number, 0, 255])) for number in range(5)]
    assert {shard for shard, _ in places} == {"shardId-000000000000"}
    records = read(clicks)
    assert [one["data"] for one in records] == [bytes([number, 0, 255]) for number in range(5)]
    assert [one["key"] for one in records] == [f"user-{number}" for number in range(5)]
    assert [(one["shard"], one["sequence"]) for one in records] == places
    sequence = str(places[2][1])
    assert read(clicks, start=sequence)[0]["sequence"] == sequence
    assert [one["data"][0] for one in read(clicks, after=sequence)] == [3, 4]
    assert [one["data"][0] for one in read(clicks, max=2)] == [0, 1]
    assert len(read(clicks, start_ms=records[0]["time_ms"])) == 5
    assert read(clicks, start="latest") == []


def test_hash_keys_choose_shards_and_a_read_names_one_or_none(engine: Any) -> None:
    clicks = stream(engine, "clicks", shards=2)
    low, _ = put(clicks, "a", b"low", hash_key="0")
    high, _ = put(clicks, "a", b"high", hash_key=str(2**128 - 1))
    assert (low, high) == ("shardId-000000000000", "shardId-000000000001")
    assert [one["data"] for one in read(clicks, shard=high)] == [b"high"]
    assert {one["data"] for one in read(clicks)} == {b"low", b"high"}


def test_a_read_waits_for_a_record(engine: Any) -> None:
    clicks = stream(engine, "clicks")
    came = threading.Event()

    def put_until_one_came() -> None:
        # A record that was put before the read began is none of the latest.
        while not came.wait(0.05):
            put(clicks, "a", b"now")

    later = threading.Thread(target=put_until_one_came)
    later.start()
    started = time.monotonic()
    try:
        found = read(clicks, start="latest", wait_ms=60_000)
    finally:
        came.set()
        later.join()
    assert {one["data"] for one in found} == {b"now"}
    assert time.monotonic() - started < 55


def test_c_and_python_share_every_noun_of_a_folder(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as python:
        queue = python.queue("q")
        python.topic("orders").subscribe(queue)
        python.bus("events").rule("all", {"source": ["shop"]}, queue)
        python.stream("clicks", shards=1).put(b"from python", key="user-1")
    with border.engine(str(tmp_path)) as opened:
        assert publish(found("topic", opened, "orders"), b"from c").delivered == 1
        assert put_event(found("bus", opened, "events"), EVENT).delivered == 1
        clicks = found("stream", opened, "clicks")
        assert [one["data"] for one in read(clicks)] == [b"from python"]
        put(clicks, "user-1", b"from c", durability=lib.TRUNKLINE_DURABILITY_OS)
        added = stream(opened, "added", shards=3, retention_ms=2 * 86_400_000)
        put(added, "k", b"v")
    with trunkline.open(tmp_path) as python:
        assert len(python.queue("q").receive(max=10)) == 2
        assert [one.data for one in python.stream("clicks").read()] == [b"from python", b"from c"]
        assert python.stream("added", shards=3, retention=2 * 86_400).read()[0].data == b"v"


@pytest.mark.parametrize("kind", ["topic", "bus", "stream"])
def test_names_are_given_once_found_and_removed(engine: Any, kind: str) -> None:
    options = [] if kind == "bus" else [ffi.NULL]
    handle = created(kind, engine, "one", *options)
    assert code_of(lambda: created(kind, engine, "one", *options)) == "ResourceInUseException"
    assert code_of(lambda: found(kind, engine, "two")) == "ResourceNotFoundException"
    free, remove = (getattr(lib, f"trunkline_{kind}_{verb}") for verb in ("free", "remove"))
    free(found(kind, engine, "one"))
    border.check(remove(handle))
    assert code_of(lambda: found(kind, engine, "one")) == "ResourceNotFoundException"
    free(handle)
    free(handle)
    free(ffi.NULL)
    assert remove(handle) == lib.TRUNKLINE_INVALID_PARAMETER_VALUE
    assert remove(ffi.NULL) == lib.TRUNKLINE_MISSING_PARAMETER
    for bad in (WRONG_ADDRESS, 1, 7):
        assert remove(ffi.cast(f"trunkline_{kind} *", bad)) == lib.TRUNKLINE_INVALID_PARAMETER_VALUE


def test_a_handle_of_another_kind_is_refused(engine: Any) -> None:
    clicks, orders = stream(engine, "clicks"), topic(engine, "orders")
    assert code_of(lambda: publish(ffi.cast("trunkline_topic *", clicks), b"a")) == (
        "InvalidParameterValue"
    )
    assert code_of(lambda: put(ffi.cast("trunkline_stream *", orders), "k", b"a")) == (
        "InvalidParameterValue"
    )


def test_a_queue_of_another_engine_is_no_target(engine: Any) -> None:
    with border.engine() as other:
        queue = border.queue(other, "q")
        orders, events = topic(engine, "orders"), bus(engine, "events")
        statuses = {
            lib.trunkline_subscribe(orders, queue, ffi.NULL),
            lib.trunkline_rule_put(events, b"all", b'{"source": ["a"]}', queue, ffi.NULL),
        }
        assert statuses == {lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
        assert "another engine" in str(border.text(lib.trunkline_last_error_message()))


def test_bad_values_are_refused_with_the_name_of_the_field(engine: Any) -> None:
    clicks = stream(engine, "clicks")
    for bad in (
        {"shard": "shard-x"},
        {"start": "yesterday"},
        {"after": "12"},
        {"max": 0},
        {"wait_ms": -5},
        {"start_ms": -2},
    ):
        with pytest.raises(Failed, match=next(iter(bad))):
            read(clicks, **bad)
    with pytest.raises(Failed, match="hash_key"):
        put(clicks, "k", b"", hash_key="-1")
    with pytest.raises(Failed, match="durability"):
        put(clicks, "k", b"", durability=lib.TRUNKLINE_DURABILITY_DISK)
    with pytest.raises(Failed, match="key"):
        put(clicks, "", b"data")
    for name in ("", "a b", "x" * 129):
        assert code_of(lambda name=name: stream(engine, name)) == "InvalidParameterValue"
    assert code_of(lambda: stream(engine, "many", shards=0)) == "InvalidParameterValue"
    assert code_of(lambda: topic(engine, "plain", content_based_dedup=1)) == "InvalidParameterValue"
    assert code_of(lambda: topic(engine, "no good")) is not None
    assert code_of(lambda: bus(engine, "no good")) is not None
    assert code_of(lambda: put_event(bus(engine, "b"), {"source": "a"})) is not None
    published = ffi.new("trunkline_published *")
    published.size = 3
    refused = lib.trunkline_publish(topic(engine, "t"), b"a", 1, ffi.NULL, published)
    assert refused == lib.TRUNKLINE_INVALID_PARAMETER_VALUE


def test_a_closed_engine_refuses_every_noun() -> None:
    with border.engine() as engine:
        handles = topic(engine, "t"), bus(engine, "b"), stream(engine, "s")
    for call in (
        lambda: publish(handles[0], b"a"),
        lambda: put_event(handles[1], EVENT),
        lambda: put(handles[2], "k", b"a"),
        lambda: read(handles[2]),
    ):
        assert code_of(call) == "EngineClosed"
