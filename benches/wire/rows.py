"""The rows: which requests go to which server, in turns, and the figures that result."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benches.wire.servers import Server, Unproven

DRAINED = 60_000
"""Messages that one turn of a draining row takes out at most."""
SLOW = {"moto": -1, "ministack": 10_000}
"""Deepest queue that a slow peer is asked to hold; filling any would take moto minutes."""
SLOW_DRAINED = 2_000
"""The same of a slow peer."""
WARM_UP_SECONDS = 8.0
"""For each peer, once."""
SETTLE_SECONDS = 4.0


@dataclass
class Row:
    """One row beside one peer; rates in messages a second, medians of the rounds."""

    name: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    cpu_us: float
    load: float
    goal: float | None = None
    """The least ratio that is expected; `None` where nothing is."""
    left_out: str = ""
    """Why the peer was not measured: it did not do the work of the row."""

    @property
    def verdict(self) -> str:
        """The goal, and whether it is met."""
        if self.goal is None:
            return "-"
        return f"{self.goal:.2f}x {'met' if self.ratio >= self.goal else 'MISSED'}"


def without(name: str, peer: Server, error: Unproven) -> Row:
    """The row beside a peer that did not do its work."""
    return Row(name, peer.name, 0, 0, 0, 0, 0, 0, os.getloadavg()[0], left_out=str(error))


class Load:
    """Runs the load generator."""

    def __init__(self, binary: Path, seconds: float, rounds: int) -> None:
        self.binary = binary
        self.seconds = seconds
        self.rounds = rounds

    def run(self, mode: str, server: Server, *arguments: object) -> tuple[float, float]:
        """Messages a second, and microseconds of the server's processor time a message."""
        before = server.cpu_seconds()
        command = [str(self.binary), mode, server.address, *map(str, arguments)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        found = json.loads(printed)
        spent = server.cpu_seconds() - before
        return found["rate"], spent / max(found["messages"], 1) * 1e6

    def warm_up(self, server: Server) -> None:
        """Long enough for a JVM to compile what it runs often."""
        self.run("send", server, 16, WARM_UP_SECONDS)
        server.renew()

    def flow(self, mode: str, server: Server, connections: int) -> tuple[float, float]:
        """A turn of sends. What was sent is thrown away: no turn finds more than another."""
        figures = self.run(mode, server, connections, self.seconds)
        server.renew()
        return figures

    def drain(self, server: Server, connections: int, depth: int) -> tuple[float, float]:
        """A turn of receives and deletes, with `depth` messages behind those that are taken."""
        taken = DRAINED if server.name not in SLOW else SLOW_DRAINED
        server.renew()
        self.run("fill", server, depth + taken)
        figures = self.run("drain", server, connections, self.seconds * 4, taken)
        server.renew()
        return figures


Turn = Callable[[Server], tuple[float, float]]


def contest(
    name: str, rounds: int, turn: Turn, ours: Server, others: Sequence[Server]
) -> list[Row]:
    """All candidates in turns; who goes first changes each round."""
    load = os.getloadavg()[0]
    rates: dict[str, list[float]] = {server.name: [] for server in (ours, *others)}
    costs: list[float] = []
    order = [ours, *others]
    for number in range(rounds + 1):
        for server in order[number % len(order) :] + order[: number % len(order)]:
            rate, cost = turn(server)
            if number == 0:
                continue  # A warm-up.
            rates[server.name].append(rate)
            if server is ours:
                costs.append(cost)
    return [_row(name, ours.name, other.name, rates, statistics.median(costs), load)
            for other in others]  # fmt: skip


def _row(
    name: str, ours: str, peer: str, rates: dict[str, list[float]], cost: float, load: float
) -> Row:
    ratios = [mine / theirs for mine, theirs in zip(rates[ours], rates[peer], strict=True)]
    return Row(
        name,
        peer,
        statistics.median(rates[ours]),
        statistics.median(rates[peer]),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        cost,
        load,
    )


def show(row: Row) -> str:
    """A row of the table."""
    if row.left_out:
        return f"| {row.name} | | {row.peer} | left out: {row.left_out} | | | | | |"
    return (
        f"| {row.name} | {row.ours:,.0f} | {row.peer} | {row.theirs:,.0f} | {row.ratio:.2f}x | "
        f"{row.low:.2f} to {row.high:.2f} | {row.verdict} | {row.cpu_us:.1f} | {row.load:.1f} |"
    )


def plain(row: Row) -> dict[str, object]:
    """A row for the record."""
    return asdict(row)


def starts(make: Callable[[], Server], times: int) -> tuple[float, float]:
    """Median time to the first answer in milliseconds, and idle memory in MiB."""
    taken, memory = [], []
    for _ in range(times):
        with make() as server:
            taken.append(server.started_in * 1_000)
            time.sleep(0.2)
            memory.append(server.memory_mib())
    return statistics.median(taken), statistics.median(memory)


def held(load: Load, make: Callable[[], Server], messages: int) -> tuple[float, float]:
    """Memory with so many messages of 1 KiB, and what of it they added."""
    with make() as server:
        server.renew()
        before = server.memory_mib()
        load.run("fill", server, messages)
        return server.memory_mib(), server.memory_mib() - before


def idle_polls(load: Load, make: Callable[[], Server], count: int) -> tuple[float, float]:
    """Memory added by so many long polls that wait, and the share of a core they use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count * 2 + 1_000, hard), hard))
    try:
        with make() as server:
            server.renew()
            before = server.memory_mib()
            command = [str(load.binary), "polls", server.address, str(count)]
            seconds = str(SETTLE_SECONDS * 3)
            with subprocess.Popen([*command, seconds], stdout=subprocess.DEVNULL) as polls:
                time.sleep(SETTLE_SECONDS)
                cpu = server.cpu_seconds()
                time.sleep(SETTLE_SECONDS)
                share = (server.cpu_seconds() - cpu) / SETTLE_SECONDS
                added = server.memory_mib() - before
                polls.wait()
            return added, share
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
