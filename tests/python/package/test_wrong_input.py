"""Wrong input raises the right class, with a message that names field and remedy."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import json
import math

import pytest

import trunkline
import trunkline.aio
from trunkline import errors

HUGE = 10**400


class Odd:
    """A value of no type that anything takes."""


@pytest.fixture
def queue():
    with trunkline.open() as engine:
        yield engine.queue("orders")


@pytest.fixture
def fifo():
    with trunkline.open() as engine:
        yield engine.queue("orders.fifo")


@pytest.mark.parametrize(
    "seconds", [-1, -0.001, math.nan, math.inf, -math.inf, 901, HUGE, 1e300, -HUGE]
)
def test_a_time_outside_its_range_names_the_field_and_the_range(queue, seconds):
    with pytest.raises(trunkline.InvalidParameterValue) as caught:
        queue.send("a", delay=seconds)
    assert "parameter delay" in str(caught.value)
    assert "between 0 and 900 seconds" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert isinstance(caught.value, ValueError)
    assert queue.statistics().total == 0


@pytest.mark.parametrize(
    ("delay", "waits"),
    [
        (datetime.timedelta(days=-1), None),
        (datetime.timedelta(days=999_999_999), None),
        (datetime.timedelta(microseconds=1), 0.001),
        (datetime.timedelta(seconds=1, milliseconds=500), 1.5),
        (0.0001, 0.001),
        (1.0004, 1.0),
    ],
)
def test_times_count_milliseconds_and_a_little_is_not_nothing(delay, waits):
    clock = trunkline.VirtualClock()
    queue = trunkline.open(clock=clock).queue("q")
    if waits is None:
        with pytest.raises(trunkline.InvalidParameterValue):
            queue.send("a", delay=delay)
        return
    queue.send("a", delay=delay)
    clock.advance(waits - 0.001)
    assert queue.receive() == []
    clock.advance(0.001)
    assert len(queue.receive()) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda q: q.send(7),
        lambda q: q.send(None),
        lambda q: q.send(["a"]),
        lambda q: q.send(Odd()),
        lambda q: q.send("a", delay="1"),
        lambda q: q.send("a", delay=True),
        lambda q: q.send("a", delay=Odd()),
        lambda q: q.send("a", group=7),
        lambda q: q.send("a", dedup_id=b"bytes"),
        lambda q: q.send("a", attributes=["a"]),
        lambda q: q.send("a", attributes={7: "a"}),
        lambda q: q.send("a", attributes={"a": None}),
        lambda q: q.send("a", attributes={"a": True}),
        lambda q: q.send("a", attributes={"a": ("String", b"bytes")}),
        lambda q: q.send("a", attributes={"a": ("Binary", "text")}),
        lambda q: q.send("a", attributes={"a": ("String",)}),
        lambda q: q.send("a", durability=7),
        lambda q: q.send("a", "positional"),
        lambda q: q.send("a", unknown=1),
        lambda q: q.send_batch("letters"),
        lambda q: q.send_batch(b"bytes"),
        lambda q: q.send_batch(7),
        lambda q: q.send_batch([7]),
        lambda q: q.receive("1"),
        lambda q: q.receive(1.5),
        lambda q: q.receive(wait="1"),
        lambda q: q.receive(visibility_timeout=Odd()),
        lambda q: q.peek("1"),
        lambda q: q.peek(include_in_flight=1),
        lambda q: q.delete(7),
        lambda q: q.delete(b"receipt"),
        lambda q: q.delete_batch("receipt"),
        lambda q: q.extend("receipt", "1"),
        lambda q: q.consume("no function"),
        lambda q: q.consume(print, "4"),
        lambda q: q.configure(delay=Odd()),
        lambda q: q.engine.queue("b.fifo", content_based_dedup=1),
        lambda q: q.engine.queue(7),
        lambda q: q.engine.queue(b"name"),
        lambda q: q.engine.queue("dead", dead_letter=7, max_receive_count=1),
        lambda q: trunkline.open(7),
        lambda q: trunkline.open(clock=7),
        lambda q: trunkline.open(limits={}),
        lambda q: trunkline.open(seed="1"),
        lambda q: trunkline.open(read_only=1),
        lambda q: trunkline.Limits(no_such_limit=1),
        lambda q: trunkline.Limits(delay_max="1"),
        lambda q: trunkline.VirtualClock("now"),
        lambda q: trunkline.VirtualClock().advance("1"),
        lambda q: trunkline.Message(),
    ],
)
def test_a_wrong_type_is_a_type_error_and_changes_nothing(queue, call):
    with pytest.raises(TypeError):
        call(queue)
    assert queue.statistics().total == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda q: q.receive(0), "max"),
        (lambda q: q.receive(-1), "max"),
        (lambda q: q.receive(2**70), "max"),
        (lambda q: q.receive(0, wait=1), "max"),
        (lambda q: q.receive(wait=-1), "wait"),
        (lambda q: q.receive(visibility_timeout=43_201), "visibility_timeout"),
        (lambda q: q.receive(attempt_id="a"), "attempt_id"),
        (lambda q: q.peek(0), "max"),
        (lambda q: q.send("a", group=""), "group"),
        (lambda q: q.send("a", group="no spaces"), "group"),
        (lambda q: q.send("a", group="é"), "group"),
        (lambda q: q.send("a", group="x" * 129), "group"),
        (lambda q: q.send("a", attributes={"": "a"}), "name"),
        (lambda q: q.send("a", attributes={"AWS.x": "a"}), "AWS"),
        (lambda q: q.send("a", attributes={"a..b": "a"}), "name"),
        (lambda q: q.send("a", attributes={".a": "a"}), "name"),
        (lambda q: q.send("a", attributes={"a b": "a"}), "name"),
        (lambda q: q.send("a", attributes={"x" * 257: "a"}), "256"),
        (lambda q: q.send("a", attributes={"a": ""}), "non-empty"),
        (lambda q: q.send("a", attributes={"a": b""}), "non-empty"),
        (lambda q: q.send("a", attributes={"a": ("Text", "a")}), "prefixes"),
        (lambda q: q.send("a", attributes={"a": ("Number", "one")}), "number"),
        (lambda q: q.send("a", attributes={"a": math.nan}), "number"),
        (lambda q: q.send("a", attributes={"a": ("Number", "1e127")}), "range"),
        (lambda q: q.send("a", attributes={"a": HUGE}), "range"),
        (lambda q: q.send("a", attributes={"a": ("Number", "1" * 39)}), "38 digits"),
        (lambda q: q.send("a", attributes={str(n): n for n in range(11)}), "maximum"),
        (lambda q: q.send("a", durability="disk"), "durability"),
        (lambda q: q.send("a", durability="safe"), "durability"),
        (lambda q: q.extend(q, -1), "visibility_timeout"),
        (lambda q: q.consume(print, 0), "concurrency"),
        (lambda q: q.consume(print, batch_size=0), "batch_size"),
        (lambda q: q.consume(print, visibility_timeout=0), "visibility_timeout"),
        (lambda q: q.start_redrive(), "Dead Letter Queue"),
        (lambda q: q.start_redrive(rate=501), "rate"),
        (lambda q: q.configure(retention=59), "retention"),
        (lambda q: q.configure(receive_wait=21), "receive_wait"),
        (lambda q: q.configure(max_message_size=1_023), "max_message_size"),
        (lambda q: q.configure(max_receive_count=3), "dead_letter"),
        (lambda q: q.configure(redrive_allow="some"), "redrive_allow"),
        (lambda q: q.configure(redrive_allow=[]), "redrive_allow"),
        (lambda q: q.configure(redrive_allow=[f"q{n}" for n in range(11)]), "redrive_allow"),
        (lambda q: q.engine.queue(""), "name"),
        (lambda q: q.engine.queue("x" * 81), "name"),
        (lambda q: q.engine.queue("a.b"), "name"),
        (lambda q: q.engine.queue(".fifo"), "name"),
        (lambda q: q.engine.queue("näme"), "name"),
        (lambda q: trunkline.open(durability="disk"), "path"),
        (lambda q: trunkline.open(read_only=True), "path"),
        (lambda q: trunkline.open(seed=-1), "seed"),
        (lambda q: trunkline.Limits(delay_max=-1), "delay_max"),
        (lambda q: trunkline.Limits(retention_max=10**16), "retention_max"),
        (lambda q: trunkline.Limits(message_bytes_max=2**32), "message_bytes_max"),
        (lambda q: trunkline.VirtualClock(-1), "start"),
        (lambda q: trunkline.VirtualClock().advance(-1), "seconds"),
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(queue, call, words):
    with pytest.raises(trunkline.InvalidParameterValue) as caught:
        call(queue)
    assert words in str(caught.value)
    assert caught.value.code == "InvalidParameterValue"
    assert queue.statistics().total == 0


def test_a_fifo_queue_wants_a_group_and_an_identity(fifo):
    with pytest.raises(trunkline.MissingParameter, match="parameter group"):
        fifo.send("a")
    with pytest.raises(trunkline.InvalidParameterValue, match="content_based_dedup"):
        fifo.send("a", group="g")


def test_what_only_fifo_queues_have_is_refused_elsewhere(queue):
    with pytest.raises(trunkline.TrunklineError):
        queue.send("a", dedup_id="d")
    for option in ({"content_based_dedup": True}, {"dedup_scope": "group"}):
        with pytest.raises(trunkline.InvalidAttributeName, match=next(iter(option))):
            queue.configure(**option)


def test_a_fifo_queue_delays_as_a_whole_only(fifo):
    with pytest.raises(trunkline.InvalidParameterValue):
        fifo.send("a", group="g", dedup_id="d", delay=2)
    fifo.send("a", group="g", dedup_id="d", delay=0)


def test_a_message_that_is_too_large_is_refused(queue):
    queue.configure(max_message_size=1_024)
    with pytest.raises(trunkline.InvalidParameterValue, match="1024 bytes"):
        queue.send(bytes(1_025))
    with pytest.raises(trunkline.InvalidParameterValue, match="1024 bytes"):
        queue.send(bytes(1_020), attributes={"a": "b"})
    assert queue.send(bytes(1_024)).message_id


def test_a_receipt_of_another_queue_is_said_to_be_one():
    with trunkline.open() as engine:
        queue, other = engine.queue("orders"), engine.queue("other")
        queue.send("a")
        message = queue.receive()[0]
        for call in (
            lambda: other.delete(message),
            lambda: other.extend(message, 5),
            lambda: other.delete(message.receipt),
        ):
            with pytest.raises(trunkline.ReceiptHandleIsInvalid, match="one of another queue"):
                call()
        with pytest.raises(trunkline.ReceiptHandleIsInvalid, match='"abc" is not a valid receipt'):
            other.delete("abc")
        queue.delete(message)


def test_a_verb_on_a_removed_queue_names_the_queue(queue):
    queue.remove()
    with pytest.raises(trunkline.QueueDoesNotExist, match=f"'{queue.name}'.*removed"):
        queue.send("a")


def test_a_body_that_is_not_json_is_named_with_its_message(queue):
    queue.send("text")
    message = queue.receive()[0]
    words = f"message {message.message_id} of queue .{queue.name}. is not JSON: Expecting value"
    with pytest.raises(json.JSONDecodeError, match=words) as caught:
        message.json()
    assert (caught.value.doc, caught.value.pos) == ("text", 0)


def test_limits_are_printed_as_a_table():
    assert "\nvisibility_max = 43200000\n" in str(trunkline.Limits())
    assert repr(trunkline.Limits(batch_entries_max=11)) == "Limits(batch_entries_max=11)"


def test_limits_can_be_raised_and_lowered():
    limits = trunkline.Limits(delay_max=2_000_000, message_bytes_max=2_000_000, attributes_max=1)
    assert trunkline.Limits(retention_max=10 * 365 * 86_400_000).retention_max > 2**32
    with trunkline.open(limits=limits) as engine:
        queue = engine.queue("q", delay=1_500)
        queue.send(bytes(1_500_000))
        with pytest.raises(trunkline.InvalidParameterValue, match=r"\[1\]"):
            queue.send("a", attributes={"a": "a", "b": "b"})
    assert repr(trunkline.Limits(batch_entries_max=5)) == "Limits(batch_entries_max=5)"


def test_errors_say_their_code_and_belong_to_one_root():
    codes = {leaf.code for leaf in errors.failures()}
    from trunkline._core import error_codes

    of_functions = {"ExecutionFailed", "FunctionError", "TooManyRequestsException"}
    assert codes == set(error_codes()) | of_functions | {"ServerUnreachable"}
    unknown = trunkline.errors.from_code("Newer", "words")
    assert (type(unknown), unknown.code) == (trunkline.TrunklineError, "Newer")


@pytest.mark.parametrize("most", [True, "1", 1.5, 0, -1, 2**31, 2**63, 2**70, None])
def test_a_wrong_max_is_refused_also_when_there_is_a_message(queue, most):
    queue.send("a")
    wrong = trunkline.InvalidParameterValue if type(most) is int else TypeError
    with pytest.raises(wrong, match="max"):
        queue.receive(most)
    with pytest.raises(wrong, match="max"):
        asyncio.run(trunkline.aio.wrap(queue.engine).queue("orders").receive(most))
    assert queue.statistics().visible == 1


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        " 12 ",
        "12\n",
        "\u0663",
        "\uff11",
        "nan",
        "Infinity",
        "1e",
        ".",
        "1e9_9",
        "0x10",
        "+-1",
    ],
)
def test_a_number_is_written_in_ascii_and_in_one_way(queue, text):
    with pytest.raises(trunkline.InvalidParameterValue, match="to a number"):
        queue.send("a", attributes={"a": ("Number", text)})


@pytest.mark.parametrize(
    "value", [("Number", "1e99999999999999999999"), decimal.Decimal("1e127"), 1e-129, 10**200]
)
def test_a_number_is_in_range(queue, value):
    with pytest.raises(trunkline.InvalidParameterValue, match="in range"):
        queue.send("a", attributes={"a": value})
