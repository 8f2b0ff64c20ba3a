"""The package in a process: import time, exit, commands, copies, faults."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time

import pytest

import trunkline
from trunkline.cli import main

KEPT = 10


def python(code: str, *arguments: str, status: int = 0) -> str:
    """Run a program; what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_importing_is_light_and_starts_no_thread():
    heavy = python(
        "import sys, os; before = set(sys.modules)\n"
        "import trunkline\n"
        "engine = trunkline.open(); engine.queue('q').send('a')\n"
        "tasks = '/proc/self/task'\n"
        "assert not os.path.isdir(tasks) or len(os.listdir(tasks)) == 1\n"
        "print(*sorted(set(sys.modules) - before))"
    ).split()
    for module in (
        "asyncio",
        "argparse",
        "json",
        "threading",
        "logging",
        "re",
        "typing",
        "inspect",
    ):
        assert module not in heavy


def test_importing_takes_no_longer_than_its_budget():
    def seconds(code: str) -> float:
        """Processor time, which waiting for a turn or for the disk does not add to."""
        return float(python(f"{code}\nimport time; print(time.process_time())"))

    extra = min(seconds("import trunkline") for _ in range(7)) - min(seconds("") for _ in range(7))
    # The budget is 30 ms on a machine of its own; this one may be shared.
    assert extra < 0.15


def test_parts_that_are_imported_late_are_there():
    assert python("import trunkline; print(trunkline.aio.open().__class__.__name__)") == "Engine\n"
    assert python("import trunkline; print(trunkline.Worker.__name__)") == "Worker\n"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        trunkline.nothing  # noqa: B018


def test_a_program_that_forgets_to_close_loses_nothing(tmp_path):
    program = (
        "import sys, trunkline\n"
        "engine = trunkline.open(sys.argv[1])\n"
        "queue = engine.queue('q')\n"
        "tickets = [queue.send_nowait(str(n)) for n in range(100)]\n"
    )
    assert python(program, str(tmp_path / "data")) == ""
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().visible == 100


@pytest.mark.parametrize("keeps", ["engine", "queue", "message", "result", "iterator", "nothing"])
def test_the_end_of_a_program_is_silent_whatever_is_still_held(tmp_path, keeps):
    program = (
        "import sys, threading, trunkline\n"
        "engine = trunkline.open(sys.argv[1])\n"
        "queue = engine.queue('q'); result = queue.send('a')\n"
        "message = queue.receive()[0]; iterator = iter(queue.receive())\n"
        "held = {'engine': engine, 'queue': queue, 'message': message, 'result': result,\n"
        "        'iterator': iterator}.get(sys.argv[2])\n"
        "del engine, queue, message, result, iterator\n"
        "threading.Thread(target=lambda: trunkline.open().queue('w').receive(wait=30),\n"
        "                 daemon=True).start()\n"
    )
    assert python(program, str(tmp_path / "data"), keeps) == ""


@pytest.mark.parametrize(
    "call",
    [
        # These go from Rust to Python and back.
        "queue.send('a', attributes={'kind': 'b'})",
        "trunkline.aws.client('sqs', engine=engine).list_queues()",
    ],
)
def test_a_thread_that_ends_inside_a_call_does_not_end_the_process(call):
    pytest.importorskip("boto3")
    program = (
        "import threading, time, trunkline, trunkline.aws\n"
        "engine = trunkline.open(); queue = engine.queue('q')\n"
        "def work():\n"
        f"    while True: {call}\n"
        "for _ in range(3): threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    for _ in range(3):
        assert python(program) == ""


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_threads_that_still_work_do_not_disturb_the_end(tmp_path, place):
    program = (
        "import sys, threading, time, trunkline\n"
        "path = sys.argv[1] if sys.argv[2] == 'disk' else None\n"
        "engine = trunkline.open(path)\n"
        "queue, empty = engine.queue('q'), engine.queue('empty')\n"
        "def work():\n"
        "    while True:\n"
        "        queue.send('a')\n"
        "        for message in queue.receive(wait=0.0005): message.delete()\n"
        "def wait():\n"
        "    while True: empty.receive(wait=0.0005)\n"
        "for job in (work, wait) * 3: threading.Thread(target=job, daemon=True).start()\n"
        "time.sleep(0.02)\n"
    )
    for turn in range(5):
        assert python(program, str(tmp_path / str(turn)), place) == ""


def test_a_forked_child_is_told_and_ends_in_peace(tmp_path):
    program = (
        "import os, sys, trunkline\n"
        "engine = trunkline.open(sys.argv[1]); queue = engine.queue('q'); queue.send('a')\n"
        "(message,) = queue.receive()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    for verb in (lambda: queue.send('b'), queue.receive, message.delete, engine.flush,\n"
        "                 queue.statistics, lambda: engine.queue('r'),\n"
        "                 lambda: queue.receive(wait=9)):\n"
        "        try:\n"
        "            verb()\n"
        "        except trunkline.EngineForked:\n"
        "            continue\n"
        "        sys.exit(1)\n"
        "    engine.close()\n"
        "    trunkline.open().queue('own').send('works')\n"
        "    sys.exit(0)\n"
        "status = os.waitpid(child, 0)[1]\n"
        "message.delete()\n"
        "print(status, queue.statistics().total)\n"
    )
    assert python(program, str(tmp_path / "data")) == "0 0\n"


def test_inspect_shows_accounts_and_regions_where_there_are_several(tmp_path, capsys):
    folder = str(tmp_path / "data")
    with trunkline.open(folder) as engine:
        engine.queue("orders").send("x" * 3_000)
    assert main(["inspect", folder]) == 0
    told = capsys.readouterr().out
    assert told.startswith("opened once; ")
    assert "1 segment of" in told
    assert "region" not in told
    with trunkline.open(folder) as engine:
        engine.queue("orders", region="eu-west-1")
    assert main(["inspect", folder]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "standard" in line]
    assert sorted(row[2] for row in rows) == ["eu-west-1", "us-east-1"]
    assert main(["inspect", "--json", folder]) == 0
    assert json.loads(capsys.readouterr().out) == trunkline.inspect(folder).as_dict() | {
        "segments": [list(segment) for segment in trunkline.inspect(folder).segments]
    }


def test_inspect_and_verify_show_a_folder(tmp_path, capsys):
    folder = str(tmp_path / "data")
    with trunkline.open(folder) as engine:
        engine.queue("orders.fifo").send("a", group="g", dedup_id="d")
        engine.queue("plain", delay=60).send("b")
    report = trunkline.inspect(folder)
    shown = {queue.name: (queue.fifo, queue.messages, queue.delayed) for queue in report.queues}
    assert shown == {"orders.fifo": (True, 1, 0), "plain": (False, 1, 1)}
    assert main(["inspect", folder]) == 0
    out = capsys.readouterr().out
    assert "orders.fifo" in out
    assert "standard" in out
    assert main(["verify", folder]) == 0
    assert capsys.readouterr().out.startswith("ok: ")


def test_a_command_that_fails_says_why_in_one_line(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("trunkline: DataFolderUnusable: ")
    assert err.count("\n") == 1


def test_the_version_is_one_everywhere(capsys):
    for command in ([sys.executable, "-m", "trunkline", "--version"],):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout == f"trunkline {trunkline.__version__}\n"
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"trunkline {trunkline.__version__}\n"


def test_injected_faults_strike_where_and_as_often_as_they_say():
    with trunkline.open() as engine:
        queue, other = engine.queue("q"), engine.queue("other")
        engine.faults.error("send", "broken", queue="q", after=1, times=1)
        queue.send("passes")
        with pytest.raises(trunkline.InjectedFault, match="broken"):
            queue.send("struck")
        other.send("spared")
        queue.send("passes again")
        engine.faults.delay("receive", 0.1, times=1)
        start = time.monotonic()
        assert len(queue.receive(max=10)) == 2
        assert time.monotonic() - start > 0.09
        engine.faults.duplicate(queue="other", times=1)
        assert other.receive()[0].body == other.receive()[0].body == b"spared"
        assert len(engine.faults) == 0
        engine.faults.error("delete")
        assert repr(engine.faults) == "<Faults: error on delete>"
        engine.faults.clear()
        assert repr(engine.faults) == "<Faults: none>"
        with pytest.raises(trunkline.InvalidParameterValue, match="verb"):
            engine.faults.error("think")


def test_an_injected_crash_ends_the_process_at_once(tmp_path):
    program = (
        "import sys, trunkline\n"
        "engine = trunkline.open(sys.argv[1]); queue = engine.queue('q')\n"
        "engine.faults.crash('send', after=2)\n"
        "for n in range(5): queue.send(str(n)); print(n, flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode < 0
    assert done.stdout == "0\n1\n"
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().visible == 2


def test_a_snapshot_and_a_fork_are_copies(tmp_path):
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        queue = engine.queue("q")
        queue.send("a")
        copy = engine.fork()
        engine.snapshot(tmp_path / "copy")
        queue.purge()
        assert copy.queue("q").statistics().visible == 1
        assert copy.clock is not clock
        copy.queue("q").send("later", delay=60)
        copy.clock.advance(60)
        assert copy.queue("q").statistics().visible == 2
        copy.close()
    # On the same clock: by the system's, years have passed and the message has expired.
    with trunkline.open(tmp_path / "copy", clock=clock) as kept:
        assert kept.queue("q").statistics().visible == 1


def test_a_snapshot_under_traffic_shows_one_moment(tmp_path):
    """One thread sends numbers, one deletes them in order: a copy has no gap between its ends."""
    with trunkline.open(tmp_path / "data", durability="os") as engine:
        queue = engine.queue("q.fifo")
        stop = threading.Event()

        def send_one(number):
            queue.send(str(number), group="g", dedup_id=str(number))

        sent = threading.Semaphore(0)

        def send():
            for number in itertools.count(KEPT):
                if stop.is_set():
                    return
                send_one(number)
                sent.release()

        def delete():
            while not stop.is_set():
                # Never all of them: every copy has two ends.
                if queue.statistics().visible < KEPT:
                    continue
                for message in queue.receive():
                    message.delete()

        for number in range(KEPT):
            send_one(number)

        threads = [threading.Thread(target=job) for job in (send, delete)]
        for thread in threads:
            thread.start()
        try:
            for number in range(5):
                # Something new for each copy, whatever was sent while the last one was made.
                while sent.acquire(blocking=False):
                    pass
                assert sent.acquire(timeout=30)
                engine.snapshot(tmp_path / str(number))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    newest = []
    for number in range(5):
        with trunkline.open(tmp_path / str(number)) as copy:
            shown = copy.queue("q.fifo").peek(1_000_000, include_in_flight=True)
            numbers = [int(message.text()) for message in shown]
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            newest.append(numbers[-1])
    assert newest == sorted(set(newest)), "each copy is later than the one before"


def test_a_body_that_has_no_memory_is_an_exception_and_the_process_goes_on():
    script = """
import resource, trunkline
queue = trunkline.open(limits=trunkline.Limits(message_bytes_max=400_000_000)).queue("q")
body = b"x" * 200_000_000
with open("/proc/self/statm") as pages:
    used = int(pages.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000,) * 2)
for send in (lambda: queue.send(body), lambda: queue.send_batch([body])):
    try:
        send()
    except MemoryError as error:
        print("no memory" in str(error))
print(queue.statistics().total, queue.send("small").duplicate)
"""
    assert python(script) == "True\nTrue\n0 False\n"
