"""The trace from Python: modes, links, words, bounds, and the same engine for asyncio."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

import trunkline

START = 1_700_000_000


def traced() -> trunkline.Engine:
    return trunkline.open(trace="on", clock=trunkline.VirtualClock(START), seed=1)


def whats(trace: trunkline.Trace) -> list[str]:
    return [f"{entry.what} {entry.kind} {entry.name}" for entry in trace]


def test_a_publish_and_its_messages_are_told_together() -> None:
    with traced() as engine:
        orders, kitchen = engine.topic("orders"), engine.queue("kitchen")
        orders.subscribe(kitchen)
        orders.subscribe(engine.queue("bar"), filter={"kind": ["tea"]})
        published = orders.publish("one coffee", attributes={"kind": "coffee"})
        trace = engine.trace(published.message_id)
        assert whats(trace) == [
            "accepted topic orders",
            "matched topic orders",
            "unmatched topic orders",
            "delivered queue kitchen",
        ]
        assert 'The field "kind" is "coffee"; wanted "tea".' in trace.entries[2].detail
        delivered = trace.entries[-1]
        assert delivered.cause == published.message_id
        assert delivered.at == START
        (message,) = kitchen.receive()
        assert message.message_id == delivered.id
        message.delete()
        of_message = engine.trace(message.message_id)
        assert whats(of_message) == [
            *whats(trace),
            "received queue kitchen",
            "deleted queue kitchen",
        ]
        assert f"as {message.message_id}" in str(of_message)


def test_an_event_tells_its_rules_and_a_function_its_attempts() -> None:
    tries: list[str] = []

    def fail(event: object) -> None:
        tries.append("once")
        raise ValueError("no such order")

    with traced() as engine:
        bus = engine.bus("default")
        bus.rule("paid", {"detail": {"state": ["paid"]}}, fail)
        bus.rule("sent", {"detail": {"state": ["sent"]}}, engine.queue("sent"))
        put = bus.put({"source": "shop", "detail-type": "Order", "detail": {"state": "paid"}})
        assert engine.clock is not None
        engine.clock.advance(0)
        trace = engine.trace(put.event_id)
        assert whats(trace)[:3] == [
            "accepted bus default",
            "matched bus default",
            "unmatched bus default",
        ]
        failed = [entry for entry in trace if entry.what == "failed"]
        assert tries
        assert "no such order" in failed[0].detail


def test_a_record_of_a_stream_is_told_by_its_sequence_number() -> None:
    with traced() as engine:
        clicks = engine.stream("clicks")
        put = clicks.put(b"x", key="user-1")
        assert list(clicks.read(wait=0))
        trace = engine.trace(put.sequence)
        assert whats(trace) == ["accepted stream clicks", "read stream clicks"]


def test_off_notes_nothing_and_the_switch_works_while_the_engine_runs() -> None:
    with trunkline.open() as engine:
        queue = engine.queue("orders")
        before = queue.send("one").message_id
        assert len(engine.trace(before)) == 0
        assert str(engine.trace(before)) == f"Nothing is known of {before}."
        assert engine.tracing.statistics().rate == 0
        engine.tracing.set("on", max_bytes=1 << 17)
        after = queue.send("two").message_id
        assert len(engine.trace(after)) == 1
        for _ in range(5_000):
            queue.send("more")
        now = engine.tracing.statistics()
        assert now.bytes <= now.max_bytes == 1 << 17
        assert now.entries + now.dropped == 5_001
        assert "were dropped" in str(engine.trace(after))
        engine.tracing.set("off")
        queue.send("three")
        assert engine.tracing.statistics().entries == now.entries
        engine.tracing.clear()
        assert repr(engine.tracing) == "<Tracing: rate 0, 0 entries>"


def test_entries_cannot_be_changed_and_bad_input_is_refused() -> None:
    with traced() as engine:
        sent = engine.queue("orders").send("one")
        (entry,) = engine.trace(sent.message_id)
        with pytest.raises(dataclasses.FrozenInstanceError):
            entry.what = "deleted"  # type: ignore[misc]
        for mode in ("sometimes", -0.1, 1.1, True, None):
            with pytest.raises(trunkline.InvalidParameterValue, match="trace"):
                engine.tracing.set(mode)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="text of an id"):
            engine.trace(7)  # type: ignore[arg-type]
        with pytest.raises(trunkline.InvalidParameterValue, match="max_bytes"):
            engine.tracing.set("on", max_bytes=0)
        assert len(engine.trace("no such id")) == 0
    with pytest.raises(trunkline.EngineClosed):
        engine.trace(sent.message_id)
    with pytest.raises(trunkline.InvalidParameterValue, match="trace"):
        trunkline.open(trace="yes")  # type: ignore[arg-type]


def test_asyncio_has_the_same_trace() -> None:
    async def main() -> list[str]:
        async with trunkline.aio.open(trace=1.0) as engine:
            sent = await engine.queue("orders").send("one")
            assert engine.tracing.statistics().rate == 1
            return whats(engine.trace(sent.message_id))

    assert asyncio.run(main()) == ["accepted queue orders"]
