"""The map runs of an engine: those that run, and what is told of all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import RLock

from trunkline.errors import EngineUnavailable
from trunkline.machines.map_runs import children, record
from trunkline.machines.map_runs.run import EXPRESS_MAX, MapRun
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.task import Report
from trunkline.machines.tasks import perform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Machines
    from trunkline.machines.runtime import Runtime

DRIVERS = 4
"""Threads that start children and take their ends. None of them waits for a child."""


class StillEnding(Exception):
    """A map run that is to go on has not ended yet."""


class MapRuns:
    """What carries out the map runs of one engine."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.core: CoreEngine = runtime.core
        self.machines: Machines = runtime.machines
        self.records: record.Records = record.Records(runtime.core)
        self.is_closed: bool = False
        self._lock = RLock()
        self._running: dict[str, MapRun] = {}
        self._drivers: ThreadPoolExecutor | None = None
        self._express: ThreadPoolExecutor | None = None

    def resume(self) -> None:
        """Goes on with the runs that an earlier opening of the engine left."""
        now = self.core.now()
        for told in list(self.records.requests()):
            kept = self.records.get(told["arn"]) or record.begin(told, now)
            self._drive(self._add(told, kept))
        for kept in list(self.records.every()):
            stopped = kept["stopped"]
            if stopped is not None and stopped + record.KEPT_SECONDS < now:
                self.records.remove(kept)

    def close(self) -> None:
        """Starts nothing any more; what is under way goes on when the engine is opened again."""
        with self._lock:
            self.is_closed = True
            pools = (self._drivers, self._express)
        for pool in pools:
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)

    def start(self, told: dict[str, Any]) -> None:
        """A map run is asked for. When this returns the engine keeps it."""
        kept = self.records.get(told["arn"])
        redrives = int(told.get("redrives", 0))
        if kept is not None and redrives > kept.get("redrives", 0):
            with self._lock:
                if told["arn"] in self._running:
                    # The end of the run before is on its way; this is asked again.
                    raise StillEnding(told["arn"])
            if "failed" in kept:
                # As an earlier version kept them.
                self.records.put_failed(kept, kept.pop("failed"))
            kept = record.redriven(kept, redrives, self.core.now())
            kept["again"] = self.records.again(kept).counts()
        elif kept is None:
            kept = record.begin(told, self.core.now())
        else:
            kept = None
        if kept is not None:
            self.records.put_request(told)
            self.records.put(kept)
            run = self._add(told, kept)
            # It may have been stopped before this knew of it.
            if not self._runtime.report(told["token"], Report("heartbeat")):
                run.stop()
            self._drive(run)

    def _add(self, told: dict[str, Any], kept: dict[str, Any]) -> MapRun:
        with self._lock:
            run = self._running.get(told["arn"])
            if run is None:
                run = self._running[told["arn"]] = MapRun(self, told, kept)
            return run

    def _drive(self, run: MapRun) -> None:
        with self._lock:
            # A turn for each end of a child would wait in memory behind a run that is slower.
            if self.is_closed or not run.wants_thread():
                return
            if self._drivers is None:
                self._drivers = ThreadPoolExecutor(DRIVERS, "trunkline-map")
            self._drivers.submit(run.drive)

    def stop(self, token: str) -> None:
        """The state that waits for a run does not wait any more."""
        for run in self.running():
            if run.told["token"] == token:
                run.stop()
                self._drive(run)

    def child_ended(self, parent: str) -> None:
        """A durable child has ended."""
        index, _, arn = parent.removeprefix(children.PARENT).partition("/")
        with self._lock:
            run = self._running.get(arn)
        # Without one the run is over, or is looked up when it goes on.
        if run is not None:
            run.ended(int(index))
            self._drive(run)

    def start_express(self, run: MapRun, index: int, text: str, identity: dict[str, Any]) -> None:
        """Runs an express child in memory."""
        with self._lock:
            if self.is_closed:
                return
            if self._express is None:
                self._express = ThreadPoolExecutor(EXPRESS_MAX, "trunkline-map-child")
            self._express.submit(self._run_express, run, index, text, identity)

    def _run_express(self, run: MapRun, index: int, text: str, identity: dict[str, Any]) -> None:
        setting = Setting(
            identity,
            run.owner,
            lambda task: perform(self._runtime, task),
            Clock(self.core.now),
            seed=index,
            scope=run.told["processor"],
            prefix=f"{identity['name']}-",
            inline=self._runtime.inline(run.owner.machine_name),
            tells_events=False,
        )
        try:
            with self._runtime.running(MemoryRun(run.program, setting)) as memory:
                ended = memory.run(text)
        except EngineUnavailable:
            return
        run.ended(index, run.of_express(index, text, ended))
        self._drive(run)

    def report(self, token: str, report: Report) -> None:
        """Tells the Map state how its run ended."""
        self._runtime.report(token, report)

    def end(self, run: MapRun) -> None:
        """A run is over."""
        self.records.put(run.kept)
        self.records.remove_request(run.arn)
        with self._lock:
            self._running.pop(run.arn, None)

    # What is told.

    def running(self) -> list[MapRun]:
        """The runs that are not over."""
        with self._lock:
            return list(self._running.values())

    def find(self, arn: str) -> dict[str, Any] | None:
        """How a run stands now."""
        with self._lock:
            run = self._running.get(arn)
        if run is None:
            return self.records.get(arn)
        return {
            **run.kept,
            "again": run.again.counts(),
            "counts": run.progress.counts(),
            "executions": dict(run.executions),
        }

    def of_execution(self, machine_arn: str, execution: str) -> list[dict[str, Any]]:
        """The runs of an execution, the newest first."""
        kept = self.records.runs(machine_arn)
        found = [self.find(one["arn"]) or one for one in kept if one["execution"] == execution]
        return sorted(found, key=lambda kept: (-kept["started"], kept["arn"]))

    def update(self, arn: str, **limits: Any) -> bool:
        """Changes limits of a run; False if it is over."""
        with self._lock:
            run = self._running.get(arn)
        if run is None:
            return False
        run.set_limits(**limits)
        self._drive(run)
        return True
