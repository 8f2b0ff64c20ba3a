"""Wrong pointers, handles, receipts, sizes and values: an error with words, never a crash."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from typing import Any

import pytest

from . import border
from .border import SECOND, WRONG_ADDRESS, ffi, lib


@pytest.fixture
def engine() -> Any:
    with border.engine() as opened:
        yield opened


@pytest.fixture
def queue(engine: Any) -> Any:
    return border.queue(engine, "q")


def calls_on_a_queue(handle: Any) -> list[int]:
    """The status of every function that takes a queue."""
    return [
        lib.trunkline_queue_configure(handle, ffi.NULL),
        lib.trunkline_queue_remove(handle),
        lib.trunkline_send(handle, b"a", 1, ffi.NULL, ffi.NULL),
        lib.trunkline_receive(handle, ffi.NULL, ffi.new("trunkline_messages *")),
        lib.trunkline_delete(handle, b"receipt"),
        lib.trunkline_extend(handle, b"receipt", 0),
        lib.trunkline_release(handle, b"receipt"),
        lib.trunkline_purge(handle),
        lib.trunkline_get_statistics(handle, border.struct("statistics")),
    ]


def calls_on_an_engine(handle: Any) -> list[int]:
    """The status of every function that takes an engine, but for the one that closes it."""
    return [
        lib.trunkline_flush(handle),
        lib.trunkline_advance(handle, 0),
        lib.trunkline_queue_create(handle, b"q", ffi.NULL, ffi.new("trunkline_queue **")),
        lib.trunkline_queue_find(handle, b"q", ffi.new("trunkline_queue **")),
        lib.trunkline_add_fault(handle, b"send", b"error", ffi.NULL),
        lib.trunkline_clear_faults(handle),
    ]


def test_null_handles_are_refused() -> None:
    statuses = calls_on_a_queue(ffi.NULL) + calls_on_an_engine(ffi.NULL)
    assert set(statuses) == {lib.TRUNKLINE_MISSING_PARAMETER}
    assert "is NULL" in str(border.text(lib.trunkline_last_error_message()))


def test_made_up_handles_are_refused(engine: Any, queue: Any) -> None:
    stray = ffi.cast("trunkline_queue *", WRONG_ADDRESS)
    swapped = ffi.cast("trunkline_queue *", engine)
    statuses = calls_on_a_queue(stray) + calls_on_a_queue(swapped)
    statuses += calls_on_an_engine(ffi.cast("trunkline_engine *", WRONG_ADDRESS))
    statuses += calls_on_an_engine(ffi.cast("trunkline_engine *", queue))
    assert set(statuses) == {lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
    assert border.statistics(queue)["visible"] == 0


def test_handles_that_were_given_back_are_refused(engine: Any, queue: Any) -> None:
    lib.trunkline_queue_free(queue)
    lib.trunkline_queue_free(queue)
    other = border.queue(engine, "other")
    assert set(calls_on_a_queue(queue)) == {lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
    assert border.statistics(other)["visible"] == 0


def test_a_closed_engine_closes_its_queues_and_its_handle() -> None:
    handle = ffi.new("trunkline_engine **")
    border.check(lib.trunkline_open(ffi.NULL, -1, ffi.NULL, handle))
    engine = handle[0]
    queue = border.queue(engine, "q")
    border.send(queue, b"a")
    receipt = border.receive(queue)[0]["receipt"].encode()
    border.check(lib.trunkline_close(engine))
    assert lib.trunkline_send(queue, b"a", 1, ffi.NULL, ffi.NULL) == lib.TRUNKLINE_ENGINE_CLOSED
    assert lib.trunkline_delete(queue, receipt) == lib.TRUNKLINE_ENGINE_CLOSED
    assert set(calls_on_an_engine(engine)) == {lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
    assert lib.trunkline_close(engine) == lib.TRUNKLINE_INVALID_PARAMETER_VALUE
    lib.trunkline_queue_free(queue)


def test_closing_nothing_is_nothing() -> None:
    assert lib.trunkline_close(ffi.NULL) == lib.TRUNKLINE_OK
    lib.trunkline_queue_free(ffi.NULL)
    lib.trunkline_messages_free(ffi.NULL)


def test_messages_may_be_freed_twice_and_after_a_failure(queue: Any) -> None:
    border.send(queue, b"a")
    messages = ffi.new("trunkline_messages *")
    border.check(lib.trunkline_receive(queue, ffi.NULL, messages))
    assert messages.count == 1
    lib.trunkline_messages_free(messages)
    lib.trunkline_messages_free(messages)
    messages.count, messages.owner = 99, ffi.cast("void *", WRONG_ADDRESS)
    assert lib.trunkline_receive(ffi.NULL, ffi.NULL, messages) != lib.TRUNKLINE_OK
    lib.trunkline_messages_free(messages)


def test_required_pointers_are_asked_for(engine: Any, queue: Any) -> None:
    statuses = [
        lib.trunkline_open(ffi.NULL, -1, ffi.NULL, ffi.NULL),
        lib.trunkline_queue_create(engine, ffi.NULL, ffi.NULL, ffi.new("trunkline_queue **")),
        lib.trunkline_queue_create(engine, b"q", ffi.NULL, ffi.NULL),
        lib.trunkline_queue_find(engine, ffi.NULL, ffi.new("trunkline_queue **")),
        lib.trunkline_queue_find(engine, b"q", ffi.NULL),
        lib.trunkline_add_fault(engine, ffi.NULL, b"error", ffi.NULL),
        lib.trunkline_add_fault(engine, b"send", ffi.NULL, ffi.NULL),
        lib.trunkline_send(queue, ffi.NULL, 1, ffi.NULL, ffi.NULL),
        lib.trunkline_receive(queue, ffi.NULL, ffi.NULL),
        lib.trunkline_delete(queue, ffi.NULL),
        lib.trunkline_extend(queue, ffi.NULL, 0),
        lib.trunkline_get_statistics(queue, ffi.NULL),
    ]
    assert set(statuses) == {lib.TRUNKLINE_MISSING_PARAMETER}
    assert border.statistics(queue)["visible"] == 0


def test_a_result_that_cannot_be_handed_over_is_refused_before_anything_happens(queue: Any) -> None:
    sent = ffi.new("trunkline_sent *")
    status = lib.trunkline_send(queue, b"a", 1, ffi.NULL, sent)
    assert status == lib.TRUNKLINE_INVALID_PARAMETER_VALUE
    assert "INIT macro" in str(border.text(lib.trunkline_last_error_message()))
    border.send(queue, b"b")
    assert lib.trunkline_receive(queue, ffi.NULL, ffi.NULL) != lib.TRUNKLINE_OK
    assert border.statistics(queue)["visible"] == 1


@pytest.mark.parametrize("difference", [-8, 8])
def test_structs_of_a_size_that_was_never_shipped_are_refused(queue: Any, difference: int) -> None:
    options = border.struct("send_options")
    options.size += difference
    status = lib.trunkline_send(queue, b"a", 1, options, ffi.NULL)
    assert status == lib.TRUNKLINE_INVALID_PARAMETER_VALUE


def test_misaligned_structs_are_refused(queue: Any) -> None:
    memory = ffi.new("char[]", 256)
    odd = int(ffi.cast("uintptr_t", memory)) // 8 * 8 + 9
    options = ffi.cast("trunkline_send_options *", odd)
    status = lib.trunkline_send(queue, b"a", 1, options, ffi.NULL)
    assert status == lib.TRUNKLINE_INVALID_PARAMETER_VALUE
    assert "aligned" in str(border.text(lib.trunkline_last_error_message()))


@pytest.mark.parametrize(
    "receipt", [b"", b"forged", b"0" * 88, b"\xff\xfe", b"x" * 5_000], ids=lambda r: str(len(r))
)
def test_receipts_that_the_queue_did_not_give_out_are_refused(queue: Any, receipt: bytes) -> None:
    refused = {lib.TRUNKLINE_RECEIPT_HANDLE_IS_INVALID, lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
    assert lib.trunkline_delete(queue, receipt) in refused
    assert lib.trunkline_release(queue, receipt) in refused


def test_a_receipt_of_another_queue_is_refused(engine: Any, queue: Any) -> None:
    border.send(queue, b"a")
    receipt = border.receive(queue)[0]["receipt"].encode()
    other = border.queue(engine, "other")
    assert lib.trunkline_delete(other, receipt) == lib.TRUNKLINE_RECEIPT_HANDLE_IS_INVALID
    assert border.statistics(queue)["in_flight"] == 1


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("", {}, "InvalidParameterValue"),
        ("a b", {}, "InvalidParameterValue"),
        ("x" * 81, {}, "InvalidParameterValue"),
        ("q", {"delay_ms": 901 * SECOND}, "InvalidParameterValue"),
        ("q", {"delay_ms": -2}, "InvalidParameterValue"),
        ("q", {"retention_ms": 0}, "InvalidParameterValue"),
        ("q", {"visibility_ms": 2**62}, "InvalidParameterValue"),
        ("q", {"message_bytes_max": 1}, "InvalidParameterValue"),
        ("q", {"content_based_dedup": 1}, "InvalidAttributeName"),
        ("q", {"dedup_scope": 0}, "InvalidAttributeName"),
        ("q.fifo", {"dedup_scope": 2}, "InvalidParameterValue"),
        ("q", {"dead_letter": "dead"}, "InvalidParameterValue"),
        ("q", {"max_receive_count": 3}, "InvalidParameterValue"),
        ("q", {"dead_letter": "dead", "max_receive_count": 3}, "QueueDoesNotExist"),
        ("q", {"dead_letter": "dead.fifo", "max_receive_count": 3}, "InvalidParameterValue"),
        ("q", {"dead_letter": "dead", "max_receive_count": 0}, "InvalidParameterValue"),
    ],
)
def test_a_queue_that_may_not_be_is_refused(
    engine: Any, name: str, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(border.Failed) as refused:
        border.queue(engine, name, **options)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "options",
    [
        {"group": ""},
        {"group": "a b"},
        {"group": "x" * 129},
        {"delay_ms": 901 * SECOND},
        {"durability": 3},
    ],
)
def test_a_send_that_may_not_be_is_refused(queue: Any, options: dict[str, Any]) -> None:
    with pytest.raises(border.Failed) as refused:
        border.send(queue, b"a", **options)
    assert refused.value.code == "InvalidParameterValue"
    assert border.statistics(queue)["visible"] == 0


@pytest.mark.parametrize(
    "options",
    [{"max": 0}, {"max": 2**31}, {"wait_ms": 2**60}, {"visibility_ms": -5}, {"attempt_id": ""}],
)
def test_a_receive_that_may_not_be_is_refused(queue: Any, options: dict[str, Any]) -> None:
    with pytest.raises(border.Failed) as refused:
        border.receive(queue, **options)
    assert refused.value.code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("path", "durability", "options"),
    [
        (None, 2, {}),
        (None, 7, {}),
        (None, -1, {"read_only": 1}),
        ("folder", -1, {"read_only": 2}),
        (None, -1, {"virtual_start_ms": 2**62}),
    ],
)
def test_an_engine_that_may_not_be_is_refused(
    path: str | None, durability: int, options: dict[str, Any]
) -> None:
    with pytest.raises(border.Failed) as refused:
        border.engine(path, durability, **options).__enter__()
    assert refused.value.code == "InvalidParameterValue"


def test_a_real_clock_cannot_be_advanced(engine: Any) -> None:
    assert lib.trunkline_advance(engine, SECOND) == lib.TRUNKLINE_UNSUPPORTED_OPERATION


def test_the_last_error_is_that_of_the_calling_thread() -> None:
    lib.trunkline_flush(ffi.NULL)
    seen = []
    other = threading.Thread(target=lambda: seen.append(lib.trunkline_last_error_code()))
    other.start()
    other.join()
    assert [border.text(code) for code in seen] == [""]
    assert border.text(lib.trunkline_last_error_code()) == "MissingParameter"


def test_many_threads_lose_and_double_nothing(queue: Any) -> None:
    senders, receivers, each = 4, 4, 2_000
    all_sent = threading.Event()
    received: list[bytes] = []

    def produce(number: int) -> None:
        for place in range(each):
            border.send(queue, f"{number}-{place}".encode())

    def consume() -> None:
        while True:
            nothing_can_come = all_sent.is_set()
            found = border.receive(queue, max=10, wait_ms=50)
            for message in found:
                border.check(lib.trunkline_delete(queue, message["receipt"].encode()))
                received.append(message["body"])
            if nothing_can_come and not found:
                return

    producing = [threading.Thread(target=produce, args=(number,)) for number in range(senders)]
    consuming = [threading.Thread(target=consume) for _ in range(receivers)]
    for thread in producing + consuming:
        thread.start()
    for thread in producing:
        thread.join()
    all_sent.set()
    for thread in consuming:
        thread.join()
    sent = [f"{number}-{place}".encode() for number in range(senders) for place in range(each)]
    assert Counter(received) == Counter(sent)
    assert border.statistics(queue)["in_flight"] == 0


def test_closing_wakes_the_threads_that_wait() -> None:
    statuses: list[int] = []
    handle = ffi.new("trunkline_engine **")
    border.check(lib.trunkline_open(ffi.NULL, -1, ffi.NULL, handle))
    queue = border.queue(handle[0], "q")
    waiting = border.struct("receive_options", wait_ms=60 * SECOND)

    def wait() -> None:
        messages = ffi.new("trunkline_messages *")
        statuses.append(lib.trunkline_receive(queue, waiting, messages))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    threading.Event().wait(0.2)
    border.check(lib.trunkline_close(handle[0]))
    for thread in threads:
        thread.join(timeout=60)
    assert statuses == [lib.TRUNKLINE_ENGINE_CLOSED] * 4


def test_handles_may_be_freed_while_other_threads_use_them(engine: Any) -> None:
    border.queue(engine, "q")
    handles = [border.find(engine, "q") for _ in range(200)]
    allowed = {lib.TRUNKLINE_OK, lib.TRUNKLINE_INVALID_PARAMETER_VALUE}
    seen: set[int] = set()

    def use() -> None:
        for handle in handles:
            seen.update(lib.trunkline_send(handle, b"a", 1, ffi.NULL, ffi.NULL) for _ in range(20))

    def free() -> None:
        for handle in handles:
            lib.trunkline_queue_free(handle)

    threads = [threading.Thread(target=use) for _ in range(3)] + [threading.Thread(target=free)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= allowed


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_is_told_so_and_does_not_hang(engine: Any, queue: Any) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        status = lib.trunkline_send(queue, b"a", 1, ffi.NULL, ffi.NULL)
        os._exit(0 if status == lib.TRUNKLINE_ENGINE_FORKED else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
