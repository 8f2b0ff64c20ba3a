"""Executions in memory: express ones, the children of maps, and those of tests.

A run takes the effects of its program one by one. A function that is all that the execution waits
for is called on the thread of the run. Other tasks run in threads of their own, and what they
report comes back through a queue; timers wait in a heap until their time has come.
"""

from __future__ import annotations

import heapq
import itertools
import queue
from concurrent.futures import ThreadPoolExecutor

from trunkline._core import StatesRun
from trunkline._dataclasses import dataclass, field
from trunkline.errors import EngineClosed
from trunkline.machines.map_runs.request import as_delivered
from trunkline.machines.task import Owner, Report, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import StatesProgram

    Perform = Callable[[Task], Iterable[Report]]
    Inline = tuple[CoreEngine, dict[str, Callable[..., Any]], Callable[..., Any]]

LOOK_SECONDS = 0.05
"""How often a run looks at a clock that others move."""

THREADS_MAX = 40
"""The most tasks of one run at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    status: str
    output: str | None
    """The output as JSON text, of a run whose input was one."""
    error: str | None
    cause: str | None
    events: list[str]
    """The history as JSON texts, in order, where it is told."""
    started: float
    stopped: float


@dataclass(slots=True)
class Clock:
    """The time of a run, in seconds."""

    now: Callable[[], float]
    skips: bool = False
    """Time passes at once when nothing but a timer is awaited: a virtual clock of its own."""
    skipped: float = 0.0

    def read(self) -> float:
        """The time now."""
        return self.now() + self.skipped


@dataclass(slots=True)
class Setting:
    """What a run is given beside its program."""

    identity: dict[str, Any]
    owner: Owner
    perform: Perform
    clock: Clock
    map_run: Callable[[Owner, dict[str, Any]], Report] | None = None
    seed: int = 0
    prefix: str = "task-"
    scope: int | None = None
    on_event: Callable[[str], object] = field(default=lambda _: None)
    in_order: bool = False
    """Tasks are carried out one by one, without threads: a run is the same each time."""
    inline: Inline | None = None
    """The engine and the functions that the run may call on its own thread, and `settle`."""
    tells_events: bool = True


class MemoryRun:
    """One execution in memory."""

    def __init__(self, program: StatesProgram, setting: Setting) -> None:
        self._setting = setting
        self._run = StatesRun(
            program,
            setting.identity,
            seed=setting.seed,
            prefix=setting.prefix,
            scope=setting.scope,
            inline=setting.inline,
            tells_events=setting.tells_events,
        )
        self._reports: queue.SimpleQueue[tuple[int, Report]] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, int]] = []
        self._gone: set[int] = set()
        self._order = itertools.count()
        self._open: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._events: list[str] = []
        self._end: dict[str, Any] | None = None

    def run(self, input: str) -> Ended:
        """Runs to the end; `input` is a JSON text."""
        started = self._setting.clock.read()
        self._step("start", first=input)
        return self._until_end(started, lambda: self._run.output_text)

    def call(self, input: Any, limit: int) -> Ended | None:
        """Runs to the end, with an object of the types that `json.loads` gives.

        None, and nothing is done, for any other, and for one of more than `limit` bytes of JSON.
        """
        started = self._setting.clock.read()
        effects = self._run.start(input, limit, round(started * 1_000))
        if effects is None:
            return None
        for effect in effects:
            self._carry_out(effect)
        return self._until_end(started, lambda: None)

    @property
    def output(self) -> Any:
        """The output, if the run ended well."""
        return self._run.output()

    def _until_end(self, started: float, output: Callable[[], str | None]) -> Ended:
        try:
            while self._end is None:
                self._wait()
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
        end = self._end
        stopped = self._setting.clock.read()
        return Ended(
            end["status"],
            output(),
            end.get("error"),
            end.get("cause"),
            self._events,
            started,
            stopped,
        )

    def _wait(self) -> None:
        """Until the next report or timer, which it takes."""
        clock = self._setting.clock
        while self._timers and self._timers[0][2] in self._gone:
            heapq.heappop(self._timers)
        due = self._timers[0] if self._timers else None
        if due is not None and due[0] <= clock.read():
            heapq.heappop(self._timers)
            self._step("timer", id=due[2])
            return
        if due is not None and clock.skips and not self._open:
            clock.skipped += due[0] - clock.read()
            return
        if due is None and not self._open:
            raise RuntimeError("the execution waits for nothing, which no execution does")
        left = LOOK_SECONDS if due is None else min(LOOK_SECONDS, due[0] - clock.read())
        try:
            id, report = self._reports.get(timeout=None if due is None else max(left, 0.0))
        except queue.Empty:
            return
        if report.kind == "closed":
            raise EngineClosed("The engine was closed while an execution ran in memory.")
        if report.kind == "over":
            self._open.discard(id)
            return
        self._step(report.kind, id=id, first=report.first, second=report.second)

    def deliver(self, id: int, report: Report) -> None:
        """Reports something of a task from outside, such as by its token."""
        self._reports.put((id, report))

    def close(self) -> None:
        """Ends the run without an end: :meth:`run` raises EngineClosed."""
        self._run.close()
        self._reports.put((0, Report("closed")))

    def _step(
        self, kind: str, *, id: int = 0, first: str | None = None, second: str | None = None
    ) -> None:
        now = round(self._setting.clock.read() * 1_000)
        for effect in self._run.step(kind, now, id=id, first=first, second=second):
            self._carry_out(effect)

    def _carry_out(self, effect: dict[str, Any]) -> None:
        kind = effect["kind"]
        if kind == "event":
            self._events.append(effect["event"])
            self._setting.on_event(effect["event"])
        elif kind == "timer":
            heapq.heappush(self._timers, (effect["at"] / 1_000, next(self._order), effect["id"]))
        elif kind == "cancel-timer":
            self._gone.add(effect["id"])
        elif kind == "task":
            self._begin(effect["id"], lambda: self._setting.perform(self._task(effect)))
        elif kind == "map-run":
            self._begin(effect["id"], lambda: [self._map_run(effect)])
        elif kind == "finish":
            self._end = effect

    def _map_run(self, effect: dict[str, Any]) -> Report:
        if self._setting.map_run is None:
            text = "A distributed map cannot run here."
            return Report("map-run-failed", "States.Runtime", text)
        return self._setting.map_run(self._setting.owner, as_delivered(effect))

    def _begin(self, id: int, perform: Callable[[], Iterable[Report]]) -> None:
        if self._setting.in_order:
            self._open.add(id)
            self._perform(id, perform)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS_MAX, "trunkline-machine")
        self._open.add(id)
        self._pool.submit(self._perform, id, perform)

    def _perform(self, id: int, perform: Callable[[], Iterable[Report]]) -> None:
        try:
            for report in perform():
                self._reports.put((id, report))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self._reports.put((id, Report("failed", "States.Runtime", text)))
        finally:
            self._reports.put((id, Report("over")))

    def _task(self, effect: dict[str, Any]) -> Task:
        token = effect["token"] or f"{self._setting.prefix}{effect['id']}"
        return Task(
            self._setting.owner,
            effect["resource"],
            effect["input"],
            token,
            effect["credentials"],
            effect["attempt"],
            effect["timeout_seconds"],
            effect["state"],
        )
