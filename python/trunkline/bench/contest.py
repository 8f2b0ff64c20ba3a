"""A contest: candidates that do the same work in turns, and what came out."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

Run = Callable[[], float]
"""Does the work of one round; the seconds that one message took, or its bytes on disk."""

Unit = Literal["ns", "B"]
"""Of what a figure shows: nanoseconds or bytes of a message."""

Candidate = Callable[[], AbstractContextManager[Run]]
"""Sets a candidate up; leaving the context cleans up."""

OURS = "trunkline"


class NotInstalled(Exception):
    """A peer that this machine does not have; it names what has to be installed."""


@dataclass(frozen=True)
class Contest:
    """One row of the budget: our candidate, its peers, and what is expected against each."""

    name: str
    title: str
    payload: str
    durability: str
    candidates: dict[str, Candidate]
    # How many times as fast as the peer we mean to be, at least.
    at_least: dict[str, float] = field(default_factory=dict)
    unit: Unit = "ns"


@dataclass(frozen=True)
class Figure:
    """Our candidate against one peer."""

    contest: str
    title: str
    payload: str
    durability: str
    peer: str
    ours: float
    theirs: float
    unit: Unit
    ratio: float
    ratio_low: float
    ratio_high: float
    at_least: float | None

    @property
    def met(self) -> bool | None:
        """Whether the expectation is met, where there is one."""
        return None if self.at_least is None else self.ratio >= self.at_least


@contextmanager
def goal(seconds: float) -> Iterator[Run]:
    """A candidate that takes what is allowed: a goal that depends on no peer."""
    yield lambda: seconds


def run(contest: Contest, rounds: int) -> tuple[list[Figure], list[str]]:
    """Hold the contest; our figures against every peer, and the peers that are missing."""
    with ExitStack() as stack:
        ready: dict[str, Run] = {}
        missing = []
        for name, candidate in contest.candidates.items():
            try:
                ready[name] = stack.enter_context(candidate())
            except NotInstalled as what:
                if name == OURS:
                    return [], [f"{contest.name}: {what}"]
                missing.append(f"{name}: {what}" if str(what) not in name else name)
        times = _take_turns(ready, rounds)
    return [_figure(contest, peer, times) for peer in ready if peer != OURS], missing


def _take_turns(ready: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in ready}
    for run_once in ready.values():
        run_once()  # warm up: caches, first pages, first files
    for round_ in range(rounds):
        # Each contestant goes first once: the first of a round meets a cooler machine.
        for name in _rotated(list(ready), round_):
            gc.collect()
            times[name].append(ready[name]())
    return times


def _rotated(names: list[str], by: int) -> Iterator[str]:
    for position in range(len(names)):
        yield names[(position + by) % len(names)]


def _figure(contest: Contest, peer: str, times: dict[str, list[float]]) -> Figure:
    scale = 1e9 if contest.unit == "ns" else 1.0
    ratios = [theirs / ours for ours, theirs in zip(times[OURS], times[peer], strict=True)]
    return Figure(
        contest=contest.name,
        title=contest.title,
        payload=contest.payload,
        durability=contest.durability,
        peer=peer,
        ours=statistics.median(times[OURS]) * scale,
        theirs=statistics.median(times[peer]) * scale,
        unit=contest.unit,
        ratio=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        at_least=contest.at_least.get(peer),
    )
