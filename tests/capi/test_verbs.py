"""Verbs of the C ABI beyond the vectors: bytes, attributes, durability, restarts, waiting."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

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
        queue = border.find(opened, "q")
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


def test_a_queue_is_created_once_and_found_from_then_on() -> None:
    with border.engine() as engine:
        with pytest.raises(border.Failed, match="create it with trunkline_queue_create") as missing:
            border.find(engine, "q")
        border.send(border.queue(engine, "q", delay_ms=0), b"a")
        with pytest.raises(border.Failed, match="already exists") as refused:
            border.queue(engine, "q", delay_ms=0)
        assert border.statistics(border.find(engine, "q"))["visible"] == 1
    assert missing.value.status == lib.TRUNKLINE_QUEUE_DOES_NOT_EXIST
    assert refused.value.status == lib.TRUNKLINE_QUEUE_NAME_EXISTS


def configure(queue: Any, **options: Any) -> None:
    border.check(lib.trunkline_queue_configure(queue, border.struct("queue_options", **options)))


def test_configuring_changes_the_options_that_are_set_and_no_others() -> None:
    with border.engine(virtual_start_ms=0) as engine:
        border.queue(engine, "dead")
        queue = border.queue(engine, "q", delay_ms=SECOND, dead_letter="dead", max_receive_count=1)
        configure(queue, delay_ms=0)
        border.send(queue, b"a")
        assert len(border.receive(queue, visibility_ms=0)) == 1
        assert border.receive(queue) == []
        assert border.statistics(border.find(engine, "dead"))["visible"] == 1
        configure(queue, dead_letter="")
        border.send(queue, b"b")
        assert len(border.receive(queue, visibility_ms=0)) == 1
        assert len(border.receive(queue, visibility_ms=0)) == 1
        for wrong in ({"delay_ms": 901 * SECOND}, {"dedup_scope": 1}, {"max_receive_count": 3}):
            with pytest.raises(border.Failed):
                configure(queue, **wrong)


def test_the_names_of_queues_follow_the_rules_of_the_package() -> None:
    with border.engine() as engine, trunkline.open() as package:
        for name in ("", "a b", "a.b", "x" * 81, ".fifo"):
            with pytest.raises(border.Failed) as refused:
                border.queue(engine, name)
            with pytest.raises(trunkline.InvalidParameterValue) as raised:
                package.queue(name)
            assert refused.value.message == str(raised.value)


def test_an_older_header_opens_an_engine_without_what_it_does_not_know(tmp_path: Path) -> None:
    options = border.struct("open_options")
    options.size = ffi.offsetof("trunkline_open_options", "durable_receives")
    handle = ffi.new("trunkline_engine **")
    border.check(lib.trunkline_open(str(tmp_path).encode(), -1, options, handle))
    border.check(lib.trunkline_close(handle[0]))
    with border.engine(str(tmp_path), durable_receives=1) as engine:
        queue = border.queue(engine, "q")
        border.send(queue, b"a")
        assert [message["body"] for message in border.receive(queue)] == [b"a"]


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
    with border.engine() as engine:
        queue = border.queue(engine, "q", receive_wait_ms=20 * SECOND)
        start = time.monotonic()
        assert border.receive(queue, wait_ms=0) == []
        assert time.monotonic() - start < 18


def test_a_virtual_clock_ends_a_wait() -> None:
    with border.engine(virtual_start_ms=0) as engine:
        queue = border.queue(engine, "q")
        ended = threading.Event()

        def advance() -> None:
            # The wait counts from where the clock is when it begins.
            while not ended.wait(0.1):
                lib.trunkline_advance(engine, 20 * SECOND)

        clock = threading.Thread(target=advance)
        clock.start()
        start = time.monotonic()
        try:
            assert border.receive(queue, wait_ms=20 * SECOND) == []
        finally:
            ended.set()
            clock.join()
        assert time.monotonic() - start < 18


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
