"""Verbs of the C ABI beyond the vectors: bytes, attributes, durability, restarts, waiting."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import trunkline

from . import border
from .border import SECOND, ffi, lib


def test_a_body_is_any_bytes() -> None:
    body = bytes(range(256)) * 3
    with border.engine() as engine:
        queue = border.queue(engine, "q")
        border.send(queue, body)
        (message,) = border.receive(queue)
    assert message["body"] == body


def test_a_message_names_itself_as_its_sender_was_told() -> None:
    with border.engine() as engine:
        queue = border.queue(engine, "q.fifo")
        sent = border.send(queue, b"a", group="g", dedup_id="d")
        (message,) = border.receive(queue)
    assert message["message_id"] == border.text(sent.message_id)
    assert message["sequence_number"] == border.text(sent.sequence_number)
    assert len(message["sequence_number"]) == 20
    assert (message["group"], message["dedup_id"]) == ("g", "d")
    assert (message["receive_count"], message["dead_letter_source"]) == (1, None)


def test_a_standard_message_has_no_sequence_number() -> None:
    with border.engine() as engine:
        queue = border.queue(engine, "q")
        assert border.text(border.send(queue, b"a").sequence_number) == ""
        assert border.receive(queue)[0]["sequence_number"] is None


def test_a_seed_makes_ids_repeatable() -> None:
    def first_id(seed: int) -> str | None:
        number = ffi.new("uint64_t *", seed)
        with border.engine(seed=number, virtual_start_ms=0) as engine:
            return border.text(border.send(border.queue(engine, "q"), b"a").message_id)

    assert first_id(7) == first_id(7)
    assert first_id(7) != first_id(8)


def test_c_and_python_share_a_folder_one_after_the_other(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        engine.queue("q", visibility_timeout=5).send("from python", attributes={"kind": "order"})
    with border.engine(str(tmp_path)) as opened:
        queue = border.queue(opened, "q", visibility_ms=5 * SECOND)
        (message,) = border.receive(queue, visibility_ms=0)
        border.check(lib.trunkline_delete(queue, message["receipt"].encode()))
        border.send(queue, b"from c")
    with trunkline.open(tmp_path) as engine:
        (back,) = engine.queue("q").receive(max=10)
    assert (message["body"], back.text()) == (b"from python", "from c")
    assert message["attributes"] == {"kind": ("String", b"order")}


def test_a_folder_that_python_has_open_is_refused(tmp_path: Path) -> None:
    with trunkline.open(tmp_path), pytest.raises(border.Failed) as refused:
        border.engine(str(tmp_path)).__enter__()
    assert refused.value.code == "DataFolderInUse"


def test_python_decides_who_may_send_dead_letters(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        engine.queue("dead", redrive_allow=["mail"])
    with border.engine(str(tmp_path)) as opened:
        border.queue(opened, "mail", dead_letter="dead", max_receive_count=3)
        with pytest.raises(border.Failed, match="does not permit orders"):
            border.queue(opened, "orders", dead_letter="dead", max_receive_count=3)


def test_a_difference_to_an_existing_queue_is_named() -> None:
    with border.engine() as engine:
        border.queue(engine, "q", delay_ms=SECOND)
        border.queue(engine, "q")
        border.queue(engine, "q", delay_ms=SECOND)
        with pytest.raises(border.Failed, match="delay_ms") as refused:
            border.queue(engine, "q", delay_ms=0)
    assert refused.value.status == lib.TRUNKLINE_QUEUE_NAME_EXISTS


def test_a_receive_waits_for_a_message_of_another_thread() -> None:
    with border.engine() as engine:
        queue = border.queue(engine, "q")
        sender = threading.Timer(0.1, border.send, (queue, b"late"))
        sender.start()
        (message,) = border.receive(queue, wait_ms=20 * SECOND)
        sender.join()
    assert message["body"] == b"late"


def test_a_receive_waits_as_long_as_its_queue_says() -> None:
    with border.engine() as engine:
        queue = border.queue(engine, "q", receive_wait_ms=200)
        start = time.monotonic()
        assert border.receive(queue) == []
        assert time.monotonic() - start >= 0.19
        start = time.monotonic()
        assert border.receive(queue, wait_ms=0) == []
        assert time.monotonic() - start < 0.19


def test_a_virtual_clock_ends_a_wait() -> None:
    with border.engine(virtual_start_ms=0) as engine:
        queue = border.queue(engine, "q")
        clock = threading.Timer(0.1, lib.trunkline_advance, (engine, 20 * SECOND))
        clock.start()
        start = time.monotonic()
        assert border.receive(queue, wait_ms=20 * SECOND) == []
        assert time.monotonic() - start < 10
        clock.join()


def test_a_queue_can_be_purged_and_removed() -> None:
    with border.engine() as engine:
        queue = border.queue(engine, "q")
        border.send(queue, b"a")
        border.check(lib.trunkline_purge(queue))
        assert border.statistics(queue)["visible"] == 0
        assert border.statistics(queue)["oldest_age_ms"] == -1
        border.check(lib.trunkline_queue_remove(queue))
        with pytest.raises(border.Failed) as refused:
            border.send(queue, b"a")
    assert refused.value.status == lib.TRUNKLINE_QUEUE_DOES_NOT_EXIST


def test_a_call_can_lower_the_durability_and_not_raise_it(tmp_path: Path) -> None:
    with border.engine(str(tmp_path), lib.TRUNKLINE_DURABILITY_OS) as engine:
        queue = border.queue(engine, "q")
        border.send(queue, b"a", durability=lib.TRUNKLINE_DURABILITY_MEMORY)
        with pytest.raises(border.Failed, match="lower the engine's level"):
            border.send(queue, b"b", durability=lib.TRUNKLINE_DURABILITY_DISK)
        border.check(lib.trunkline_flush(engine))
        assert border.statistics(queue)["visible"] == 1


def test_the_library_has_the_version_of_the_package() -> None:
    assert border.text(lib.trunkline_version()) == trunkline.__version__
