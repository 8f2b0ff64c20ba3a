"""One map run: it starts children as items come, and takes their ends."""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress
from threading import Lock
from uuid import NAMESPACE_OID, uuid5

from trunkline._core import StatesProgram
from trunkline.errors import (
    ConflictException,
    EngineUnavailable,
    NotFound,
    UnsupportedOperation,
)
from trunkline.functions.invocation import text_of as text_of_error
from trunkline.machines.map_runs import children, reading, record, writing
from trunkline.machines.map_runs.again import Again
from trunkline.machines.map_runs.request import (
    EXCEEDED,
    EXCEEDED_CAUSE,
    MapRunFailed,
    progress_of,
)
from trunkline.machines.task import Owner, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline._core import MapProgress
    from trunkline.machines.map_runs.children import Child
    from trunkline.machines.map_runs.table import MapRuns

CHILDREN_MAX = 1_000
"""The most durable children of a map run that run at once; express ones are in threads."""

EXPRESS_MAX = 40

CHECKPOINT_CHILDREN = 1_000
"""After so many ends of children it is kept how the run stands. After a crash, that many are
looked up again; express ones run again."""

KEPT_CHILDREN = 10_000
"""How many durable children that ended well can be looked at. The memory of a run is bounded."""


class MapRun:
    """A map run that is not over. One thread at a time drives it."""

    def __init__(self, runs: MapRuns, told: dict[str, Any], kept: dict[str, Any]) -> None:
        self._runs = runs
        self.told = told
        self.arn: str = told["arn"]
        account, region = told["account"], told["region"]
        self.owner: Owner = Owner(account, region, told["machine"], told["execution"])
        self.label: str = f"{self.owner.machine}/{told['label']}"
        states = f"arn:aws:states:{self.owner.region}:{self.owner.account}"
        self._arns = (f"{states}:execution:{self.label}", f"{states}:stateMachine:{self.label}")
        self.kept: dict[str, Any] = kept
        self.progress: MapProgress = progress_of(told)
        self.executions: dict[str, int] = dict(kept["executions"])
        self._turn = Lock()
        self._is_driven = self._is_wanted = False
        self._is_stopped = False
        self.is_over: bool = False
        self._ends: deque[tuple[int, Child | None]] = deque()
        self._open: dict[int, int] = {}
        self._lost: set[int] = set()
        # Children that did not end well since the last checkpoint, with their items.
        self._failed: dict[int, int] = {}
        self.again: Again = runs.records.again(kept)
        self._next = 0
        self._since = 0
        self._forgettable: deque[str] = deque()
        self._inputs: Iterator[tuple[int, str, int]] | None = None
        self._results: Any = None
        self._program: Any = None

    # What happens to it.

    def ended(self, index: int, child: Child | None = None) -> None:
        """A child has ended: `child` is what is told of an express one."""
        self._ends.append((index, child))

    def stop(self) -> None:
        """The state that waits for it does not any more."""
        self._is_stopped = True

    def set_limits(self, **limits: Any) -> None:
        """Changes limits while it runs."""
        with self._turn:
            self.kept |= limits
            self.progress.set_limits(*record.limits_of(self.kept))
            if not self.is_over:
                self._runs.records.put(self.kept)

    def wants_thread(self) -> bool:
        """Something has happened. True if no thread drives it: then one has to."""
        with self._turn:
            self._is_wanted = True
            wanted = not self._is_driven
            self._is_driven = True
            return wanted

    def drive(self) -> None:
        """Goes on until it has to wait; `wants_thread` came before."""
        while True:
            with self._turn:
                if not self._is_wanted or self._runs.is_closed:
                    self._is_driven = False
                    return
                self._is_wanted = False
            try:
                self._go_on()
            except EngineUnavailable:
                with self._turn:
                    self._is_driven = False
                return

    def _go_on(self) -> None:
        if self.is_over:
            return
        try:
            if self._inputs is None:
                self._begin()
            self._work()
        except EngineUnavailable:
            raise
        except MapRunFailed as problem:
            self._fail(problem.error, problem.cause)
        except NotFound as problem:
            # The state machine was removed, or the child executions with it.
            self._fail("States.Runtime", text_of_error(problem))
        except Exception as problem:
            self._fail("States.Runtime", f"{type(problem).__name__}: {text_of_error(problem)}")

    def _work(self) -> None:
        while not self._runs.is_closed:
            while self._ends:
                self._take(*self._ends.popleft())
            if self._is_stopped:
                self._end("ABORTED")
                return
            if self.progress.has_failed:
                raise MapRunFailed(EXCEEDED, EXCEEDED_CAUSE)
            if len(self._open) - len(self._lost) >= self._width():
                return
            given = next(self._inputs, None) if self._inputs is not None else None
            if given is None:
                self.progress.all_read()
                if self.progress.has_failed:
                    raise MapRunFailed(EXCEEDED, EXCEEDED_CAUSE)
                if self.progress.is_done:
                    self._succeed()
                return
            self._offer(*given)

    def _width(self) -> int:
        most = EXPRESS_MAX if self.told["express"] else CHILDREN_MAX
        limit = record.limits_of(self.kept)[0]
        return min(limit or most, most)

    # How it begins, or goes on after a crash.

    def _begin(self) -> None:
        core, told = self._runs.core, self.told
        parent = self._runs.machines.find(self.owner.machine_name)
        if parent is None:
            raise MapRunFailed("States.Runtime", "The state machine was deleted.")
        text, document = parent.program(told["program"])
        account, region = self.owner.account, self.owner.region
        self._machine = self._runs.machines.machine((account, region, self.label))
        self._number = self._machine.add_program(text, False, document)
        document_of = json.loads(document or b"{}")
        self._tells_events = document_of.get("logging", {}).get("level", "OFF") != "OFF"
        self._role = document_of.get("role", "")
        self._program = StatesProgram(text, False)
        self._results = writing.results_of(core, self.owner, told, self.kept.get("results", {}))
        self._restore()
        read = reading.read(core, self.owner, self._program, told)
        self._inputs = ((index, *one) for index, one in enumerate(read))

    def _restore(self) -> None:
        """Takes up what the last checkpoint says."""
        kept = self.kept
        self.progress.set_limits(*record.limits_of(kept))
        self.executions = record.restore(self.progress, kept)
        self._next = kept.get("next", 0)
        self._open = {int(index): items for index, items in kept.get("open", {}).items()}
        # As an earlier version kept them.
        self._failed = {int(index): items for index, items in kept.pop("failed", {}).items()}
        for index in list(self._open):
            if self.told["express"]:
                self._lost.add(index)
                continue
            try:
                if self._machine.status(self._name(index)).status != "RUNNING":
                    self._ends.append((index, None))
            except NotFound:
                self._lost.add(index)

    def _name(self, index: int) -> str:
        return str(uuid5(NAMESPACE_OID, f"{self.arn}/{index}"))

    # Children.

    def _offer(self, index: int, text: str, items: int) -> None:
        """Starts the child for the input of this number, unless it was started before."""
        if index < self._next:
            if index in self._lost:
                self._lost.discard(index)
                self._start(index, text)
            elif self.again.take(index, items):
                self._opened(index, items)
                self._redrive(index, text)
            return
        self._next = index + 1
        self._opened(index, items)
        self._start(index, text)

    def _opened(self, index: int, items: int) -> None:
        self._open[index] = items
        self.progress.read(items)
        self.progress.started(items)
        self.executions["running"] += 1

    def _redrive(self, index: int, text: str) -> None:
        """Has a child go on at what failed; express ones, and those that are gone, start again."""
        if self.told["express"]:
            self._start(index, text)
            return
        name = self._name(index)
        try:
            self._machine.redrive(name)
        except NotFound:
            self._start(index, text)
            return
        except UnsupportedOperation:
            # It goes on already, since before a crash.
            pass
        if self._machine.status(name).status != "RUNNING":
            self._ends.append((index, None))

    def _start(self, index: int, text: str) -> None:
        name = self._name(index)
        identity = {
            "execution_arn": f"{self._arns[0]}:{name}",
            "name": name,
            "role_arn": self._role,
            "machine_arn": self._arns[1],
            "machine_name": self.label,
            "version_arn": None,
            "alias_arn": None,
            "region": self.owner.region,
            "express": self.told["express"],
        }
        if self.told["express"]:
            self._runs.start_express(self, index, text, identity)
            return
        start = {
            "name": name,
            "program": self._number,
            "input": text,
            "identity": identity,
            "document": json.dumps({"map_run": self.arn}).encode(),
            "tells_end": False,
            "tells_events": self._tells_events,
            "parent": f"{children.PARENT}{index}/{self.arn}",
            "scope": self.told["processor"],
            "is_settled": False,
        }
        try:
            execution, _ = self._machine.start(start)
            status = execution.status
        except ConflictException:
            # It was started before a crash, behind the last checkpoint.
            status = self._machine.status(name).status
        if status != "RUNNING":
            self._ends.append((index, None))

    def of_express(self, index: int, text: str, ended: Any) -> Child:
        """What is told of an express child."""
        return children.in_memory(self._arns, self._name(index), text, ended)

    @property
    def program(self) -> StatesProgram:
        """What its children run."""
        return self._program  # type: ignore[no-any-return]

    def _take(self, index: int, child: Child | None) -> None:
        items = self._open.get(index)
        if items is None:
            return
        if child is None:
            child = children.durable(self._machine, self._arns, self._name(index))
            if child is None:
                return
            if child.status == "SUCCEEDED":
                self._forgettable.append(child.name)
        del self._open[index]
        self.progress.ended(items, child.status)
        record.count(self.executions, child.status)
        if child.status != "SUCCEEDED":
            self._failed[index] = items
        self._results.add(index, child)
        self._since += 1
        if self._since >= CHECKPOINT_CHILDREN:
            self._checkpoint()

    def _checkpoint(self) -> None:
        self._since = 0
        with self._turn:
            self._keep_failed()
            # Copies: a change of limits writes them as they stood here.
            self.kept |= {
                "next": self._next,
                "open": dict(self._open),
                "counts": self.progress.counts(),
                "executions": dict(self.executions),
                "results": self._results.keep(),
                "again": self.again.counts(),
            }
            self._runs.records.put(self.kept)
        while len(self._forgettable) > KEPT_CHILDREN:
            self._machine.forget(self._forgettable.popleft())

    def _keep_failed(self) -> None:
        if self._failed:
            self._runs.records.put_failed(self.kept, self._failed)
            self._failed = {}

    # How it ends.

    def _succeed(self) -> None:
        self._end("SUCCEEDED", Report("map-run-succeeded", self._results.finish(True)))

    def _fail(self, error: str, cause: str) -> None:
        if self._results is not None:
            try:
                self._results.finish(False)
            except EngineUnavailable:
                raise
            except MapRunFailed as problem:
                error, cause = problem.error, problem.cause
            except Exception as problem:
                error, cause = writing.WRITER_FAILED, text_of_error(problem)
        self._end("FAILED", Report("map-run-failed", error, cause))

    def _end(self, status: str, report: Report | None = None) -> None:
        """Ends the run, then the Map state by `report`: once that goes on, the run shows its end.

        The document is kept last, so after a crash between the two the run ends once more.
        """
        self.is_over = True
        for items in self._open.values():
            self.progress.ended(items, "ABORTED")
            record.count(self.executions, "ABORTED")
        self._failed |= self._open
        aborted = list(self._open)
        self._open.clear()
        with self._turn:
            counts = {"counts": self.progress.counts(), "executions": self.executions}
            self.kept |= {**counts, "status": status, "stopped": self._runs.core.now()}
            for part in ("open", "again"):
                self.kept.pop(part, None)
            self._keep_for_a_redrive(status)
        if report is not None:
            self._runs.report(self.told["token"], report)
        if self._program is not None and not self.told["express"]:
            for index in aborted:
                with suppress(NotFound):
                    self._machine.stop(self._name(index))
        self._runs.end(self)

    def _keep_for_a_redrive(self, status: str) -> None:
        """What a redrive needs of a run that did not succeed."""
        if status == "SUCCEEDED":
            self._runs.records.remove_failed(self.kept)
            for part in ("next", "results"):
                self.kept.pop(part, None)
            return
        self._keep_failed()
        self._runs.records.put_rest(self.kept, self.again)
        if self._results is not None:
            self.kept["next"] = self._next
            try:
                self.kept["results"] = self._results.keep()
            except EngineUnavailable:
                raise
            except Exception:
                # The place of the results is gone; a redrive writes what comes from then on.
                self.kept.setdefault("results", {})
