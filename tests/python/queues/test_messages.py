"""Sending, receiving and settling, as users write it."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import enum
import gc
import pickle
import sys
import threading
import weakref

import pytest

import trunkline


@pytest.fixture
def clock():
    return trunkline.VirtualClock(start=1_000_000)


@pytest.fixture
def engine(clock):
    with trunkline.open(clock=clock, seed=1) as engine:
        yield engine


@pytest.fixture
def queue(engine):
    return engine.queue("orders")


@pytest.fixture
def fifo(engine):
    return engine.queue("orders.fifo")


@pytest.mark.parametrize("body", [b"\x00\xff", "naïve", bytearray(b"array"), memoryview(b"view")])
def test_every_kind_of_body_arrives_as_bytes(queue, body):
    queue.send(body)
    (message,) = queue.receive()
    assert type(message.body) is bytes
    assert message.body == (body.encode() if isinstance(body, str) else bytes(body))


def test_a_view_that_is_not_contiguous_is_sent_as_it_reads(queue):
    queue.send(memoryview(b"abcdef")[::2])
    assert queue.receive()[0].body == b"ace"


def test_a_body_outlives_its_message_queue_and_engine():
    engine = trunkline.open()
    queue = engine.queue("orders")
    queue.send(b"kept")
    body = queue.receive()[0].body
    engine.close()
    del engine, queue
    gc.collect()
    assert body == b"kept"


def test_a_message_says_what_it_is(clock, fifo):
    sent = fifo.send(
        '{"drink": "coffee"}', group="table-4", dedup_id="one", attributes={"kind": "order"}
    )
    clock.advance(5)
    (message,) = fifo.receive(visibility_timeout=10)
    assert message.text() == '{"drink": "coffee"}'
    assert message.json() == {"drink": "coffee"}
    assert message.message_id == sent.message_id
    assert message.sequence_number == sent.sequence_number
    assert (message.group, message.dedup_id) == ("table-4", "one")
    assert message.attributes == {"kind": "order"}
    assert (message.sent_at, message.first_received_at) == (1_000_000.0, 1_000_005.0)
    assert message.receive_count == 1
    assert message.queue_name == "orders.fifo"
    assert message.dead_letter_source is None
    assert repr(message) == f'<Message {sent.message_id} of queue "orders.fifo", delivery 1>'
    clock.advance(10)
    (again,) = fifo.receive()
    assert (again.receive_count, again.first_received_at) == (2, 1_000_005.0)
    assert again.receipt != message.receipt


def test_what_a_plain_message_does_not_have_is_none(queue):
    sent = queue.send("plain")
    (message,) = queue.receive()
    assert sent.sequence_number is None
    assert message.sequence_number is message.group is message.dedup_id is None
    assert message.attributes == {}


def test_text_that_is_none_raises_as_bytes_do(queue):
    queue.send(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        queue.receive()[0].text()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (b"\x00", b"\x00"),
        (7, 7),
        (-(10**30), -(10**30)),
        (0.1, 0.1),
        (1e-120, 1e-120),
        (("String", "plain"), "plain"),
        (("Number", "007"), 7),
        (("Number", "-.5E+1"), -5.0),
        (decimal.Decimal("12.50"), 12.5),
        (decimal.Decimal("1E+3"), 1000.0),
        (("Number.money", decimal.Decimal("12.50")), ("Number.money", "12.50")),
        (("Number.int", 3), ("Number.int", "3")),
        (("Binary.gif", b"GIF"), ("Binary.gif", b"GIF")),
        (("String.xml", "<a/>"), ("String.xml", "<a/>")),
    ],
)
def test_an_attribute_comes_back_as_it_was_given(queue, value, shown):
    queue.send("with attribute", attributes={"key": value})
    (message,) = queue.receive()
    assert message.attributes == {"key": shown}
    assert type(message.attributes["key"]) is type(shown)


def test_a_block_deletes_on_success(queue):
    queue.send("a")
    with queue.receive()[0] as message:
        assert message.text() == "a"
    assert queue.statistics().total == 0


def test_a_block_makes_visible_on_an_exception_which_goes_on(queue):
    queue.send("a")
    with pytest.raises(KeyError), queue.receive()[0]:
        raise KeyError
    assert queue.statistics().visible == 1


def test_a_block_leaves_alone_what_was_settled_inside(queue):
    queue.send_batch(["a", "b"])
    one, two = queue.receive(max=2)
    with one:
        one.delete()
    with two:
        two.release(delay=60)
    counts = queue.statistics()
    assert (counts.visible, counts.in_flight) == (0, 1)


def test_release_and_extend_move_the_end_of_the_lease(clock, queue):
    queue.send("a")
    (message,) = queue.receive(visibility_timeout=10)
    message.extend(datetime.timedelta(minutes=1))
    clock.advance(59)
    assert queue.receive() == []
    message.release(delay=0.5)
    assert queue.receive() == []
    clock.advance(0.5)
    assert queue.receive()[0].receive_count == 2


def test_batches_report_each_entry(fifo):
    result = fifo.send_batch(
        [
            trunkline.SendEntry("a", group="g", dedup_id="1"),
            trunkline.SendEntry("a", group="g", dedup_id="1"),
            trunkline.SendEntry("b", group="no spaces", dedup_id="2"),
            trunkline.SendEntry("\ud800", group="g", dedup_id="3"),
            "no group",
            trunkline.SendEntry("c", group="g", dedup_id="4"),
        ]
    )
    assert [sent.index for sent in result.successful] == [0, 1, 5]
    assert [sent.duplicate for sent in result.successful] == [False, True, False]
    assert result.successful[0].message_id == result.successful[1].message_id
    codes = [(failure.index, failure.code) for failure in result.failed]
    assert codes == [
        (2, "InvalidParameterValue"),
        (3, "InvalidMessageContents"),
        (4, "MissingParameter"),
    ]
    assert "group" in result.failed[0].message


def test_any_iterable_is_a_batch_of_any_size(queue):
    result = queue.send_batch(str(number) for number in range(1_000))
    assert len(result.successful) == 1_000
    messages = queue.receive(max=5_000)
    assert [message.text() for message in messages] == [str(n) for n in range(1_000)]
    assert queue.delete_batch(iter(messages)).successful == tuple(range(1_000))


def test_a_batch_of_wrong_types_changes_nothing(queue):
    queue.send("a")
    (message,) = queue.receive()
    with pytest.raises(TypeError):
        queue.send_batch(["b", 7])
    with pytest.raises(TypeError):
        queue.delete_batch([message, 7])
    counts = queue.statistics()
    assert (counts.visible, counts.in_flight) == (0, 1)


def test_delete_batch_takes_messages_and_receipts_and_refuses_strangers(engine, queue):
    other = engine.queue("other")
    for name in (queue, other):
        name.send_batch(["a", "b"])
    mine, theirs = queue.receive(max=2), other.receive()
    result = queue.delete_batch([mine[0], mine[1].receipt, "forged", theirs[0]])
    assert result.successful == (0, 1)
    codes = [(failure.index, failure.code) for failure in result.failed]
    assert codes == [(2, "ReceiptHandleIsInvalid"), (3, "ReceiptHandleIsInvalid")]


def test_a_message_of_another_engine_is_refused(queue):
    with trunkline.open(seed=2) as stranger:
        stranger.queue("orders").send("a")
        (message,) = stranger.queue("orders").receive()
        with pytest.raises(trunkline.ReceiptHandleIsInvalid):
            queue.delete(message)


def test_peeking_leases_nothing_and_gives_no_receipt(queue):
    queue.send_batch(["a", "b"])
    lease = queue.receive()
    (shown,) = queue.peek()
    assert shown.text() == "b"
    assert {m.text() for m in queue.peek(include_in_flight=True)} == {"a", "b"}
    assert not hasattr(shown, "receipt")
    assert not hasattr(shown, "delete")
    with pytest.raises(trunkline.MessageNotInflight, match="receive it first"):
        queue.delete(shown)
    assert queue.delete_batch([shown]).failed[0].code == "MessageNotInflight"
    assert len(lease) == 1
    assert queue.statistics().visible == 1


def test_a_ticket_knows_its_message(queue):
    ticket = queue.send_nowait("a", attributes={"k": 1})
    assert ticket.done()
    assert ticket.wait().message_id == ticket.message_id == ticket.wait(timeout=0).message_id
    assert repr(ticket) == f"<PendingSend {ticket.message_id}, done>"


def test_every_field_of_a_result_is_read_only(queue):
    sent = queue.send("a")
    (message,) = queue.receive()
    for thing, name in ((sent, "message_id"), (message, "body"), (queue.statistics(), "visible")):
        with pytest.raises(AttributeError):
            setattr(thing, name, None)
    with pytest.raises(TypeError):
        pickle.dumps(message)


def test_a_queue_may_be_used_by_many_threads_and_loses_nothing(engine):
    queue = engine.queue("busy")
    seen: list[bytes] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        for count in range(500):
            queue.send(f"{number}-{count}".encode())
            with queue.receive()[0] as message, lock:
                seen.append(message.body)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(set(seen)) == 4_000
    assert queue.statistics().total == 0


def test_nothing_is_kept_alive_by_a_cycle():
    engine = trunkline.open()
    queue = engine.queue("orders")
    queue.send("a")
    (message,) = queue.receive()
    watched = weakref.ref(engine)
    gc.disable()
    try:
        del engine, queue, message
        assert watched() is None
    finally:
        gc.enable()


def test_messages_and_results_leak_nothing(queue):
    def turn() -> None:
        for _ in range(50):
            sent = queue.send_batch([bytes(1_000)] * 20)
            assert len(sent.successful) == 20
            assert queue.delete_batch(queue.receive(max=20)).failed == ()

    def growth() -> int:
        """How many blocks are left when 5,000 messages and results have come and gone."""
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(5):
            turn()
        gc.collect()
        return sys.getallocatedblocks() - before

    turn()
    # Other threads of the process may allocate meanwhile; what leaks does so every time.
    assert any(growth() < 500 for _ in range(5))


class Count(enum.IntEnum):
    TWO = 2


def test_a_count_may_be_any_int(queue):
    queue.send_batch(["a", "b", "c", "d"])
    assert [message.text() for message in queue.receive(Count.TWO)] == ["a", "b"]
    other = trunkline.aio.wrap(queue.engine).queue(queue.name)
    assert [message.text() for message in asyncio.run(other.receive(Count.TWO))] == ["c", "d"]


def test_values_are_sent_as_json_and_read_one_after_the_other():
    with trunkline.open() as engine:
        queue = engine.queue("orders")
        for number in range(12):
            queue.send_json({"n": number, "ü": None}, attributes={"a": "b"})
        seen = []
        for message in queue.messages(max=5):
            with message:
                seen.append(message.json())
        assert seen == [{"n": number, "ü": None} for number in range(12)]
        assert queue.statistics().total == 0
        with pytest.raises(trunkline.InvalidMessageContents, match="as JSON"):
            queue.send_json({1, 2})


def test_a_coroutine_sends_json_and_reads_one_after_the_other():
    async def main():
        async with trunkline.aio.open() as engine:
            queue = engine.queue("orders")
            for number in range(3):
                await queue.send_json([number])
            seen = []
            async for message in queue.messages(max=2):
                async with message:
                    seen.append(message.json())
            return seen

    assert asyncio.run(main()) == [[0], [1], [2]]
