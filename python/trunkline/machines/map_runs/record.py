"""The documents of map runs: what one was asked for while it runs, and how it stands."""

from __future__ import annotations

import json

from trunkline._core import WireStore
from trunkline.machines.map_runs.again import Again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import MapProgress

_REQUESTS = "states-map-requests/"
_RUNS = "states-map-runs/"
_FAILED = "states-map-failed/"

PAGE = 100

KEPT_SECONDS = 90 * 86_400.0
"""How long an ended run can be looked at, as its execution."""

_STATUSES = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}


def begin(told: dict[str, Any], now: float) -> dict[str, Any]:
    """How a run stands that begins."""
    counts = ("pending", "running", "total", *_STATUSES.values())
    return {
        "arn": told["arn"],
        "execution": told["execution"],
        "machine": told["machine"],
        "label": told["label"],
        "account": told["account"],
        "region": told["region"],
        "status": "RUNNING",
        "started": now,
        "stopped": None,
        "redrives": 0,
        "redriven": None,
        "max_concurrency": told["max_concurrency"],
        "tolerated_count": told["tolerated_failure_count"],
        "tolerated_percentage": told["tolerated_failure_percentage"],
        "counts": dict.fromkeys(counts, 0),
        "executions": dict.fromkeys(counts, 0),
    }


def redriven(kept: dict[str, Any], redrives: int, now: float) -> dict[str, Any]:
    """How an ended run stands when it goes on with the children that did not end well."""
    unsuccessful = [name for name in _STATUSES.values() if name != "succeeded"]
    results = dict(kept.get("results", {}))
    if "files" in results:
        # What failed is told anew.
        results["files"] = {**results["files"], "FAILED": []}
    changed = {
        "status": "RUNNING",
        "stopped": None,
        "redrives": redrives,
        "redriven": now,
        # Parts that were gone through stay until all are forgotten.
        "again_from": kept.get("failed_from", 0),
        "failed_from": kept.get("failed_parts", 0),
        "results": results,
    }
    for part in ("counts", "executions"):
        changed[part] = {**kept[part], **dict.fromkeys(unsuccessful, 0)}
    return kept | changed


def limits_of(kept: dict[str, Any]) -> tuple[int, int, float]:
    """Concurrency, and the failures that are tolerated by number and in percent."""
    percentage = float(kept["tolerated_percentage"])
    return kept["max_concurrency"], kept["tolerated_count"], percentage


def count(executions: dict[str, int], status: str) -> None:
    """A child execution that ran has ended."""
    executions["running"] -= 1
    executions[_STATUSES[status]] += 1


def restore(progress: MapProgress, kept: dict[str, Any]) -> dict[str, int]:
    """Counts again what was counted before the engine was opened; the child executions."""
    counts = kept["counts"]
    executions = dict.fromkeys(kept["executions"], 0)
    for status, name in _STATUSES.items():
        if counts[name]:
            progress.read(counts[name])
            progress.started(counts[name])
            progress.ended(counts[name], status)
            executions[name] = kept["executions"][name]
    for items in kept.get("open", {}).values():
        progress.read(items)
        progress.started(items)
        executions["running"] += 1
    return executions


def _failed_key(kept: dict[str, Any], number: int) -> str:
    return f"{_FAILED}{kept['arn']}/{number}"


class Records:
    """The documents of the map runs of an engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._store = WireStore(core)

    def put_request(self, told: dict[str, Any]) -> None:
        """Keeps what a run was asked for."""
        self._put(_REQUESTS + told["arn"], told)

    def remove_request(self, arn: str) -> None:
        """Forgets it once the run is over."""
        self._store.put_document(_REQUESTS + arn, None)

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests of the runs that are not over."""
        return self._page(_REQUESTS)

    def put(self, kept: dict[str, Any]) -> None:
        """Keeps how a run stands."""
        self._put(_RUNS + kept["arn"], kept)

    def get(self, arn: str) -> dict[str, Any] | None:
        """How a run stands, or stood at its last checkpoint."""
        data = self._store.document(_RUNS + arn)
        return None if data is None else dict(json.loads(data))

    def remove(self, kept: dict[str, Any]) -> None:
        """Forgets a run."""
        self.remove_failed(kept)
        self._store.put_document(_RUNS + kept["arn"], None)

    def put_failed(self, kept: dict[str, Any], failed: Mapping[Any, int]) -> None:
        """Keeps children that did not end well since the last checkpoint, beside the others.

        It counts once `kept` is put: a part that a crash left alone is written anew.
        """
        number = kept.get("failed_parts", 0)
        self._put(_failed_key(kept, number), failed)
        kept["failed_parts"] = number + 1

    def failed(self, kept: dict[str, Any]) -> Iterator[dict[str, int]]:
        """The children that did not end well since the last redrive, with their items, in parts."""
        return self._parts(kept, kept.get("failed_from", 0), kept.get("failed_parts", 0))

    def again(self, kept: dict[str, Any]) -> Again:
        """Those that did not end well before it, and have not gone on yet."""
        told = kept.get("again", {})
        again = Again(told.get("behind", 0))
        if "behind" not in told:
            # As an earlier version kept them.
            again.add(told)
        for part in self._parts(kept, kept.get("again_from", 0), kept.get("failed_from", 0)):
            again.add(part)
        return again

    def put_rest(self, kept: dict[str, Any], again: Again) -> None:
        """Keeps those that have not gone on yet as children that did not end well."""
        for part in self._parts(kept, kept.get("again_from", 0), kept.get("failed_from", 0)):
            rest = {index: items for index, items in part.items() if again.has(int(index))}
            if rest:
                self.put_failed(kept, rest)

    def _parts(self, kept: dict[str, Any], first: int, end: int) -> Iterator[dict[str, int]]:
        for number in range(first, end):
            data = self._store.document(_failed_key(kept, number))
            yield {} if data is None else json.loads(data)

    def remove_failed(self, kept: dict[str, Any]) -> None:
        """Forgets them."""
        for part in ("again_from", "failed_from"):
            kept.pop(part, None)
        for number in range(kept.pop("failed_parts", 0)):
            self._store.put_document(_failed_key(kept, number), None)

    def runs(self, machine_arn: str) -> Iterator[dict[str, Any]]:
        """The runs of a state machine."""
        return self._page(f"{_RUNS}{machine_arn.replace(':stateMachine:', ':mapRun:')}/")

    def every(self) -> Iterator[dict[str, Any]]:
        """All runs."""
        return self._page(_RUNS)

    def _put(self, key: str, value: Mapping[Any, Any]) -> None:
        self._store.put_document(key, json.dumps(value, separators=(",", ":")).encode())

    def _page(self, prefix: str) -> Iterator[dict[str, Any]]:
        after = None
        while found := self._store.page(prefix, after, PAGE):
            for _, data in found:
                yield json.loads(data)
            after = found[-1][0]
