"""`kill -9` in the middle of traffic over topics, buses, streams and schedules: nothing that was
acknowledged is lost, nothing is in some targets only, and order stays."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import trunkline

from . import noun_traffic

ROUNDS = 20
LINES = 120
KINDS = ("topic", "topic.fifo", "bus", "stream")
DONE = 3
"""So many of each kind are acknowledged before a kill."""
PROGRAM = Path(noun_traffic.__file__)
EVERYTHING = 1_000_000


def run_and_kill(folder: Path, durability: str, round_: int) -> list[str]:
    """Run the traffic until it has said enough, kill it, return all that it said."""
    command = [sys.executable, str(PROGRAM), str(folder), durability, str(round_)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said: list[str] = []
        done = Counter[str]()
        # Threads are not scheduled alike, so each kind is waited for.
        while len(said) < LINES or any(done[kind] < DONE for kind in KINDS):
            said.append(process.stdout.readline().decode())
            assert said[-1], "the traffic ended by itself"
            mark, kind, _ = said[-1].split(" ")
            done[kind] += mark == "S"
        process.kill()
        said += process.stdout.read().decode().splitlines()
    assert process.returncode == -signal.SIGKILL
    return [line.rstrip("\n") for line in said]


def bodies(engine: trunkline.Engine, queue: str) -> list[str]:
    peeked = engine.queue(queue, create=False).peek(EVERYTHING)
    return [message.text() for message in peeked]


def number(body: str) -> tuple[int, int]:
    round_, _, count = body.partition("-")
    return int(round_), int(count)


def check(kind: str, said: dict[str, set[str]], found: list[str]) -> None:
    assert len(said[f"S {kind}"]) > ROUNDS, f"{kind}: the traffic did some work"
    assert len(set(found)) == len(found), f"{kind}: nothing is there twice"
    lost = said[f"S {kind}"] - set(found)
    assert not lost, f"{kind}: {len(lost)} that were acknowledged are gone, such as {min(lost)}"
    invented = set(found) - said[f"s {kind}"]
    assert not invented, f"{kind}: {min(invented)} was never sent"


def test_twenty_kills_lose_nothing_and_tear_no_fan_out_apart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said: dict[str, set[str]] = defaultdict(set)
    for round_ in range(ROUNDS):
        for line in run_and_kill(folder, "disk" if round_ % 2 else "os", round_):
            mark, kind, body = line.split(" ")
            said[f"{mark} {kind}"].add(body)
    now = noun_traffic.START + ROUNDS * noun_traffic.ROUND_SECONDS
    with trunkline.open(folder, clock=trunkline.VirtualClock(now)) as engine:
        for kind, suffix in (("topic", ""), ("topic", ".fifo")):
            first, *others = [bodies(engine, f"topic-{name}{suffix}") for name in "abc"]
            check(kind + suffix, said, first)
            assert all(set(other) == set(first) for other in others), "a publish is in some only"
            by_group = defaultdict(list)
            for body in first if suffix else []:
                by_group[number(body)[1] % noun_traffic.KEYS].append(number(body))
            assert all(group == sorted(group) for group in by_group.values()), "FIFO order"
        puts = [[text.split('"')[3] for text in bodies(engine, f"bus-{name}")] for name in "abc"]
        check("bus", said, puts[0])
        assert all(set(other) == set(puts[0]) for other in puts), "a put is in some targets only"
        archive = engine.bus("bus").archive("all")
        assert archive.events == len(puts[0]), "and as often in the archive"
        records = list(engine.stream("stream").read(max=10_000, wait=0))
        check("stream", said, [bytes(record.data).decode() for record in records])
        by_key = defaultdict(list)
        for record in records:
            by_key[record.key].append(number(bytes(record.data).decode()))
        assert all(key == sorted(key) for key in by_key.values()), "order by key"
        ticks = bodies(engine, "ticks")
        assert len(ticks) > ROUNDS
        assert ticks == sorted(set(ticks)), "each occurrence once, and in order"
        (schedule,) = engine.schedules()
        assert schedule.statistics().delivered == len(ticks), "and counted"
