"""Claim checks: large bodies go into a bucket, in the form of Amazon's extended clients."""

from __future__ import annotations

import asyncio
import json
from array import array
from typing import Any

import pytest

import trunkline
import trunkline.aio

LARGE = "ü" * 200_000
SMALL = "one coffee"


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        yield opened


@pytest.fixture
def bodies(engine: trunkline.Engine) -> trunkline.Bucket:
    return engine.bucket("bodies")


def keys(bucket: trunkline.Bucket) -> list[str]:
    return [entry.key for entry in bucket.list()]


def test_a_large_body_goes_into_the_bucket_and_back(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue("orders", payload_store=bodies)
    queue.send(SMALL)
    assert keys(bodies) == []
    queue.send(LARGE, attributes={"kind": "order"})
    [raw] = engine.queue("orders").peek(10)[1:]
    [key] = keys(bodies)
    assert json.loads(raw.text()) == [
        "software.amazon.payloadoffloading.PayloadS3Pointer",
        {"s3BucketName": "bodies", "s3Key": key},
    ]
    assert raw.attributes == {"kind": "order", "ExtendedPayloadSize": 400_000}
    small, large = queue.receive(max=10)
    assert (small.text(), large.text(), large.attributes) == (SMALL, LARGE, {"kind": "order"})
    assert (large.receive_count, large.queue_name) == (1, "orders")
    with small, large:
        pass
    assert (keys(bodies), queue.statistics().total) == ([], 0)


def test_a_body_stays_until_its_message_is_deleted(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue("orders", payload_store=bodies, payload_threshold=10)
    queue.send(SMALL + "!")
    [message] = queue.receive()
    with pytest.raises(ZeroDivisionError), message:
        raise ZeroDivisionError
    [message] = queue.receive()
    assert (message.text(), message.receive_count) == (SMALL + "!", 2)
    queue.extend(message, 0)
    [message] = queue.receive(max=1)
    assert len(keys(bodies)) == 1
    # The receipt alone tells where the body is.
    assert message.receipt.startswith("-..s3BucketName..-bodies-..s3BucketName..-")
    queue.delete(message.receipt)
    assert (keys(bodies), queue.statistics().total) == ([], 0)


def test_a_view_of_numbers_is_as_large_as_its_bytes(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue("orders", payload_store=bodies, payload_threshold=10)
    queue.send(memoryview(array("d", [0.5, 1.5])))
    [raw] = engine.queue("orders").peek()
    assert (len(keys(bodies)), raw.attributes) == (1, {"ExtendedPayloadSize": 16})


def test_batches_and_what_is_refused_leave_no_body_behind(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue("orders.fifo", payload_store=bodies, payload_threshold=0)
    entries = [
        trunkline.SendEntry("a", group="g", dedup_id="1"),
        trunkline.SendEntry("b", group="g", dedup_id="1"),
        trunkline.SendEntry("c", dedup_id="2"),
    ]
    result = queue.send_batch(entries)
    assert ([one.duplicate for one in result.successful], len(result.failed)) == ([False, True], 1)
    assert len(keys(bodies)) == 1
    with pytest.raises(trunkline.TrunklineError):
        queue.send("d")
    assert queue.send("e", group="g", dedup_id="1").duplicate
    assert len(keys(bodies)) == 1
    assert queue.delete_batch(queue.receive(max=10)).successful == (0,)
    assert keys(bodies) == []


def test_the_content_is_the_identity_of_a_large_body_too(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue(
        "orders.fifo", content_based_dedup=True, payload_store=bodies, payload_threshold=0
    )
    assert not queue.send("a", group="g").duplicate
    assert queue.send("a", group="g").duplicate
    assert not engine.queue("orders.fifo").send("b", group="g").duplicate
    assert queue.send("b", group="g").duplicate


def test_a_message_names_no_object_of_another_bucket(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    secret = engine.bucket("secret")
    secret.put("k", b"secret")
    queue = engine.queue("orders", payload_store=bodies)
    pointer = json.dumps(["x", {"s3BucketName": "secret", "s3Key": "k"}])
    plain = engine.queue("orders")
    plain.send(pointer, attributes={"ExtendedPayloadSize": 6})
    [message] = queue.receive()
    with pytest.raises(trunkline.InvalidParameterValue, match="'secret'"):
        message.text()
    message.delete()
    assert keys(secret) == ["k"]
    # What only looks like one is a message like any other.
    plain.send("no pointer", attributes={"ExtendedPayloadSize": 6})
    assert queue.receive()[0].text() == "no pointer"


def test_workers_handle_large_bodies(engine: trunkline.Engine, bodies: trunkline.Bucket) -> None:
    queue = engine.queue("orders", payload_store=bodies, payload_threshold=3)
    queue.send_batch(["large one", "two", "large three"])
    seen = []

    def handle(message: trunkline.Message) -> None:
        if message.receive_count == 1 and message.text() == "large three":
            raise ValueError("once more")
        seen.append(message.text())

    report = queue.consume(handle, until_empty=True)
    assert (sorted(seen), report.handled) == (["large one", "large three", "two"], 3)
    assert (keys(bodies), report.failed) == ([], 1)
    queue.send_batch(["large one", "large two"])
    failed: list[str] = []

    def handle_many(messages: list[trunkline.Message]) -> list[trunkline.Message]:
        bad = [one for one in messages if one.text().endswith("two") and one.receive_count == 1]
        failed.extend(one.text() for one in bad)
        return bad

    queue.consume(handle_many, batch_size=10, until_empty=True)
    assert (failed, keys(bodies)) == (["large two"], [])


def test_bodies_may_be_kept_for_other_receivers(
    engine: trunkline.Engine, bodies: trunkline.Bucket
) -> None:
    queue = engine.queue("a", payload_store=bodies, payload_threshold=0, payload_delete=False)
    queue.send("x")
    queue.receive()[0].delete()
    assert len(keys(bodies)) == 1


def test_the_options_are_checked(engine: trunkline.Engine, bodies: trunkline.Bucket) -> None:
    with pytest.raises(TypeError, match="payload_store must be a Bucket"):
        engine.queue("a", payload_store="bodies")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="payload_store must be a Bucket"):
        engine.queue("a", payload_threshold=5)
    with pytest.raises(trunkline.InvalidParameterValue):
        engine.queue("a", payload_store=bodies, payload_threshold=-1)
    with trunkline.open() as other, pytest.raises(trunkline.InvalidParameterValue, match="another"):
        engine.queue("a", payload_store=other.bucket("bodies"))
    queue = engine.queue("a", payload_store=bodies, payload_threshold=0)
    with pytest.raises(trunkline.InvalidParameterValue, match="ExtendedPayloadSize"):
        queue.send("x", attributes={"ExtendedPayloadSize": 1})


def test_the_same_for_asyncio() -> None:
    async def main() -> None:
        async with trunkline.aio.open() as engine:
            bodies = engine.bucket("bodies")
            queue = engine.queue("orders", payload_store=bodies, payload_threshold=3)
            await queue.send("large one")
            await queue.send_batch(["two", "large three"])
            found = await queue.receive(max=10, wait=20)
            assert [one.text() for one in found] == ["large one", "two", "large three"]
            async with found[0]:
                pass
            await queue.delete_batch(found[1:])
            assert [entry.key async for entry in bodies.list()] == []
            await queue.send("large four")
            [lost] = [entry.key async for entry in bodies.list()]
            await bodies.delete(lost)
            await queue.send("large five")
            first, second = await queue.receive(max=10, wait=20)
            with pytest.raises(trunkline.NoSuchKey):
                first.text()
            assert second.text() == "large five"
            await first.release()
            await queue.extend_batch([first, second], 0)
            seen = []

            async def handle(message: Any) -> None:
                seen.append(message.body if message.receive_count > 2 else message.message_id)

            await queue.consume(handle, until_empty=True)
            assert len(seen) == 2

    asyncio.run(main())
