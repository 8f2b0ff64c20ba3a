"""`kill -9` in the middle of traffic: what was acknowledged is there, what was deleted is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import trunkline

ROUNDS = 8
TRAFFIC = Path(__file__).with_name("traffic.py")
EVERYTHING = 1_000_000


class Account:
    """What the killed processes said, over all rounds."""

    def __init__(self) -> None:
        self.said: dict[str, set[str]] = defaultdict(set)

    def hear(self, output: bytes) -> None:
        for line in output.decode().splitlines():
            mark, _, body = line.partition(" ")
            self.said[mark].add(body)

    def settle(self, present: list[str]) -> None:
        """Compare the account with what a fresh engine shows."""
        found = set(present)
        assert len(found) == len(present), "no message is there twice"
        lost = self.said["S"] - self.said["d"] - found
        assert not lost, f"{len(lost)} acknowledged messages are gone, such as {min(lost)}"
        undead = self.said["D"] & found
        assert not undead, f"{len(undead)} deleted messages are back, such as {min(undead)}"
        invented = found - self.said["s"]
        assert not invented, f"{len(invented)} messages that were not sent, such as {min(invented)}"


def run_and_kill(folder: Path, durability: str, round_: int, lines: int, fifo: bool) -> bytes:
    """Run the traffic until it has said `lines` lines, kill it, return all that it said."""
    command = [sys.executable, str(TRAFFIC), str(folder), durability, str(round_)]
    with subprocess.Popen(command + ["fifo"] * fifo, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = b"".join(process.stdout.readline() for _ in range(lines))
        process.kill()
        output += process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return output


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@pytest.mark.parametrize("durability", ["disk", "os"])
def test_nothing_acknowledged_is_lost_by_a_kill(
    tmp_path: Path, durability: str, fifo: bool
) -> None:
    folder, account = tmp_path / "data", Account()
    name = "work.fifo" if fifo else "work"
    for round_ in range(ROUNDS):
        # Kill early in some rounds, inside the first segment, and late in others.
        account.hear(run_and_kill(folder, durability, round_, 40 + 170 * round_, fifo))
        with trunkline.open(folder) as engine:
            queue = engine.queue(name)
            shown = queue.peek(EVERYTHING, include_in_flight=True)
            account.settle([message.text() for message in shown])
            if fifo:
                assert_order_inside_groups([(m.group, m.text()) for m in shown])
            counted = queue.statistics()
            assert counted.visible + counted.in_flight == len(shown)
    assert len(account.said["S"]) > 100 * ROUNDS / 2, "the traffic did some work"
    assert account.said["D"], "and deleted some of it"


def assert_order_inside_groups(shown: list[tuple[str | None, str]]) -> None:
    groups: dict[str | None, list[int]] = defaultdict(list)
    for group, body in shown:
        groups[group].append(int(body.rpartition("-")[2]))
    for group, numbers in groups.items():
        assert numbers == sorted(numbers), f"group {group} is in the order of its sends"


def test_leases_counts_and_dedup_windows_survive_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, trunkline\n"
        "q = trunkline.open(sys.argv[1]).queue('q.fifo', visibility_timeout=600)\n"
        "first = q.send('a', group='g', dedup_id='a')\n"
        "q.send('b', group='h', dedup_id='b')\n"
        "m, = q.receive()\n"
        "print(m.text(), m.receipt, first.message_id, first.sequence_number, flush=True)\n"
        "q.send('c', group='g', dedup_id='c')\n"  # its sync also covers the lease before it
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    leased, receipt, message_id, sequence_number = process.stdout.decode().split()
    with trunkline.open(tmp_path / "data") as engine:
        queue = engine.queue("q.fifo")
        again = queue.send("a", group="g", dedup_id="a")
        assert (again.message_id, again.sequence_number) == (message_id, sequence_number)
        assert leased == "a"
        assert [m.text() for m in queue.receive(10)] == ["b"], "the group of the lease is blocked"
        queue.delete(receipt)
        (following,) = queue.receive(10)
        assert (following.text(), following.receive_count) == ("c", 1)


def test_a_program_that_never_closes_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, threading, trunkline\n"
        "q = trunkline.open(sys.argv[1], durability='os').queue('q')\n"
        "threading.Thread(target=q.receive, kwargs={'wait': 600}, daemon=True).start()\n"
        "for n in range(100): q.send(str(n), delay=600)\n"
        "raise SystemExit(3)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")], timeout=60, check=False
    )
    assert process.returncode == 3, "a waiting receive does not hold the process"
    with trunkline.open(tmp_path / "data") as engine:
        assert engine.queue("q").statistics().delayed == 100


def test_control_c_ends_a_long_wait_at_once() -> None:
    program = (
        "import signal, trunkline\n"
        "q = trunkline.open().queue('q')\n"
        # What Ctrl-C does, done by a timer when the wait has long begun.
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "try: q.receive(wait=600)\n"
        "except KeyboardInterrupt: raise SystemExit(7)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], timeout=120, check=False)
    assert process.returncode == 7


@pytest.mark.parametrize(
    ("durability", "verb"), [("memory", "send"), ("memory", "receive"), ("disk", "send_nowait")]
)
def test_unawaited_writes_are_written_soon(tmp_path: Path, durability: str, verb: str) -> None:
    # How soon depends on the disk: a machine that is slow gets more time.
    for turn, seconds in enumerate((1, 5, 20)):
        counted = after_an_idle_moment(tmp_path / str(turn), durability, verb, seconds)
        if counted == (1000, 10 if verb == "receive" else 0):
            return
    raise AssertionError(counted)


def after_an_idle_moment(folder: Path, durability: str, verb: str, seconds: int) -> tuple[int, int]:
    """How many messages a program that is killed left, and how many of them in flight."""
    program = (
        "import os, signal, sys, time, trunkline\n"
        "q = trunkline.open(sys.argv[1], durability=sys.argv[2]).queue('q')\n"
        "send = q.send_nowait if sys.argv[3] == 'send_nowait' else q.send\n"
        "last = [send(str(n)) for n in range(1000)][-1]\n"
        "if sys.argv[3] == 'receive': q.receive(10)\n"
        "while sys.argv[3] == 'send_nowait' and not last.done(): time.sleep(0.001)\n"
        # An idle moment: nothing else is sent or waited for.
        "time.sleep(int(sys.argv[4]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, str(folder), durability, verb, str(seconds)],
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    with trunkline.open(folder) as engine:
        counted = engine.queue("q").statistics()
        return counted.visible + counted.in_flight, counted.in_flight


def test_a_snapshot_that_was_cut_short_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    program = (
        "import sys, trunkline\n"
        "engine = trunkline.open(sys.argv[1], durability='os')\n"
        "engine.queue('q').send_batch([b'x' * 1000] * 40_000)\n"
        "print('begins', flush=True)\n"
        "engine.snapshot(sys.argv[2])\n"
        "print('ended', flush=True)\n"
    )
    copy = tmp_path / "copy"
    command = [sys.executable, "-c", program, str(tmp_path / "data"), str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        while not (copy / "segment-00000003").exists():
            assert process.poll() is None
        process.kill()
        ended = process.stdout.read() == b"ended\n"
    if ended:
        with trunkline.open(copy) as engine:
            assert engine.queue("q").statistics().visible == 40_000
        return
    with pytest.raises(trunkline.TrunklineError, match="snapshot that was not finished"):
        trunkline.open(copy)
