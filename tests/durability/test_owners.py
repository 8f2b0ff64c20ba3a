"""One process owns a folder; a second process and a forked child get an error at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import trunkline

HANG_SECONDS = 60


def in_child(check: Callable[[], bool]) -> bool:
    """Whether `check` holds in a forked child. A child that hangs is killed by its own alarm."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(HANG_SECONDS)
        outcome = 1
        try:
            outcome = 0 if check() else 1
        finally:
            os._exit(outcome)
    _, status = os.waitpid(child, 0)
    assert not os.WIFSIGNALED(status), "the child hung"
    return os.waitstatus_to_exitcode(status) == 0


def refused(verb: Callable[[], object]) -> bool:
    """Whether the verb raises the error that names the fork."""
    try:
        verb()
    except trunkline.TrunklineError as error:
        return error.code == "EngineForked"
    return False


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
def test_every_verb_of_a_forked_child_is_refused(tmp_path: Path, on_disk: bool) -> None:
    engine = trunkline.open(tmp_path / "data") if on_disk else trunkline.open()
    with engine:
        queue = engine.queue("q")
        queue.send("a")
        (message,) = queue.receive()
        engine.queue("source", dead_letter="q", max_receive_count=1)
        task = queue.start_redrive()
        verbs: list[Callable[[], object]] = [
            lambda: queue.send("b"),
            lambda: queue.receive(),
            lambda: queue.receive(wait=600),
            lambda: queue.delete(message.receipt),
            lambda: message.extend(60),
            lambda: queue.statistics(),
            lambda: queue.send_batch(["b"]),
            lambda: engine.queue("other"),
            lambda: engine.flush(),
            lambda: engine.queue("q", delay=0),
            lambda: queue.configure(delay=1),
            lambda: queue.settings(),
            lambda: queue.redrive_tasks(),
            lambda: queue.dead_letter_sources(),
            lambda: task.status,
            lambda: task.cancel(),
            lambda: engine.faults.error("send"),
            lambda: engine.faults.clear(),
            lambda: len(engine.faults),
        ]
        for number, verb in enumerate(verbs):
            assert in_child(lambda verb=verb: refused(verb)), f"verb {number}"
        assert in_child(lambda: (engine.close(), True)[1]), "closing in the child is harmless"
        queue.send("c")
        assert queue.statistics().visible == 1, "the parent goes on"
    if on_disk:
        with trunkline.open(tmp_path / "data") as engine:
            assert [m.text() for m in engine.queue("q").peek()] == ["c"]


def test_a_child_is_refused_even_when_a_lock_was_held_at_the_fork(tmp_path: Path) -> None:
    with trunkline.open(tmp_path / "data", durability="os") as engine:
        queue = engine.queue("q.fifo")
        stop = threading.Event()

        def busy() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                queue.send("x", group="g", dedup_id=f"{threading.get_ident()}-{number}")

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                assert in_child(lambda: refused(lambda: queue.send("y", group="g", dedup_id="y")))
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_child_is_refused_while_another_thread_defines_a_queue() -> None:
    with trunkline.open() as engine:
        queue = engine.queue("q")
        held, go_on = threading.Event(), threading.Event()

        def define() -> None:
            with engine._defining:
                held.set()
                go_on.wait(HANG_SECONDS)

        thread = threading.Thread(target=define)
        thread.start()
        try:
            assert held.wait(HANG_SECONDS)
            assert in_child(lambda: refused(lambda: engine.queue("q")))
            assert in_child(lambda: refused(lambda: queue.configure(delay=1)))
        finally:
            go_on.set()
            thread.join()


def test_a_child_may_open_an_engine_of_its_own() -> None:
    with trunkline.open() as engine:
        engine.queue("q").send("parent")

        def child() -> bool:
            with trunkline.open() as own:
                own.queue("q").send("child")
                return [m.text() for m in own.queue("q").receive()] == ["child"]

        assert in_child(child)


def test_a_second_process_is_told_who_owns_the_folder(tmp_path: Path) -> None:
    program = (
        "import sys, trunkline\n"
        "try: trunkline.open(sys.argv[1])\n"
        "except trunkline.TrunklineError as error: print(error.code, error, flush=True)\n"
    )
    with trunkline.open(tmp_path / "data"):
        second = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            timeout=HANG_SECONDS,
            check=True,
        )
    answer = second.stdout.decode()
    assert answer.startswith("DataFolderInUse ")
    assert str(os.getpid()) in answer


def test_a_folder_that_is_read_is_said_to_be_read(tmp_path: Path) -> None:
    trunkline.open(tmp_path / "data").close()
    with trunkline.open(tmp_path / "data", read_only=True) as reader:
        with pytest.raises(trunkline.DataFolderInUse) as caught:
            trunkline.open(tmp_path / "data")
        assert "is being read" in str(caught.value)
        assert str(os.getpid()) not in str(caught.value).replace(str(tmp_path), "")
        assert trunkline.inspect(tmp_path / "data").queues == [], "readers get along"
        assert reader.queues() == []
    with trunkline.open(tmp_path / "data"), pytest.raises(trunkline.DataFolderInUse):
        trunkline.inspect(tmp_path / "data")


def test_a_second_engine_of_one_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with trunkline.open(tmp_path / "data") as engine:
        with pytest.raises(trunkline.TrunklineError) as caught:
            trunkline.open(tmp_path / "data")
        assert caught.value.code == "DataFolderInUse"
        engine.queue("q").send("a")
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().visible == 1


def test_a_folder_is_free_again_once_its_owner_was_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, trunkline\n"
        "trunkline.open(sys.argv[1]).queue('q').send('a')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "data")], timeout=60, check=False)
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().visible == 1


def test_use_after_close_is_an_error() -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    engine.queue("source", dead_letter="q", max_receive_count=1)
    task = queue.start_redrive()
    engine.close()
    engine.close()
    verbs: list[Callable[[], object]] = [
        lambda: queue.send("a"),
        lambda: queue.settings(),
        lambda: queue.configure(delay=1),
        lambda: queue.redrive_tasks(),
        lambda: queue.dead_letter_sources(),
        lambda: engine.queue("q"),
        lambda: task.moved,
        lambda: task.cancel(),
        lambda: engine.faults.delay("send", 1),
        lambda: engine.faults.clear(),
        lambda: len(engine.faults),
    ]
    for verb in verbs:
        with pytest.raises(trunkline.EngineClosed):
            verb()
    assert repr(task) == "<RedriveTask 1: EngineClosed>"
    assert repr(engine.faults) == "<Faults: EngineClosed>"


def test_use_after_removal_is_an_error() -> None:
    with trunkline.open() as engine:
        queue = engine.queue("q")
        queue.remove()
        verbs: list[Callable[[], object]] = [
            queue.settings,
            queue.redrive_tasks,
            queue.dead_letter_sources,
            lambda: queue.configure(delay=1),
        ]
        for verb in verbs:
            with pytest.raises(trunkline.QueueDoesNotExist):
                verb()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_closed_engine_holds_no_data_however_long_its_queues_live(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    def held() -> set[str]:
        """The files of data that this process has open."""
        links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        names = {os.readlink(link) for link in links}
        return {name for name in names if name.startswith(f"{folder}/segment-")}

    engine = trunkline.open(folder)
    queue, stream = engine.queue("q"), engine.stream("s")
    stream.put("a", key="k")
    reader = stream.reader("r")
    for _ in range(4):
        queue.send_batch([b"x" * 100_000] * 10)
    assert len(held()) > 1
    engine.close()
    # What the next owner of the folder removes must leave the disk.
    assert held() == set()
    for verb in (queue.receive, reader.fetch):
        with pytest.raises(trunkline.EngineClosed):
            verb()
    assert held() == set()


def test_closing_ends_a_receive_that_waits() -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    codes: list[str | None] = []
    started = threading.Event()

    def wait() -> None:
        started.set()
        try:
            queue.receive(wait=600)
        except trunkline.TrunklineError as error:
            codes.append(error.code)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    started.wait()
    engine.close()
    thread.join(HANG_SECONDS)
    assert codes == ["EngineClosed"]


def test_a_removed_lock_file_lets_no_second_owner_in(tmp_path: Path) -> None:
    program = (
        "import sys, trunkline\n"
        "try: trunkline.open(sys.argv[1])\n"
        "except trunkline.TrunklineError as error: print(error.code, error, flush=True)\n"
    )
    with trunkline.open(tmp_path / "data") as engine:
        engine.queue("q").send("first")
        (tmp_path / "data" / "LOCK").unlink()
        second = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            timeout=HANG_SECONDS,
            check=True,
        )
        assert second.stdout.startswith(b"DataFolderInUse ")
        engine.queue("q").send("second")
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().visible == 2


def test_an_owner_whose_folder_was_replaced_stops_with_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with trunkline.open(folder) as engine:
        engine.queue("q").send("first")
    shutil.copytree(folder, tmp_path / "copy")
    engine = trunkline.open(folder)
    queue = engine.queue("q")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    time.sleep(0.1)
    with pytest.raises(trunkline.TrunklineError, match="removed or replaced"):
        queue.send("second")
    with pytest.raises(trunkline.EnginePoisoned):
        queue.send("third")
    with pytest.raises(trunkline.EnginePoisoned):
        engine.close()
    with trunkline.open(folder) as engine:
        assert engine.queue("q").statistics().visible == 1
