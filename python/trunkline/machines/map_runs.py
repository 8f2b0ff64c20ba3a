"""Distributed maps: each item, or batch of items, is the input of a child execution.

The children run in memory. So a crash in the middle of a map run has it run again from its start:
what its children call is called at least once.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from trunkline._core import StatesProgram
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.task import Report
from trunkline.machines.tasks import perform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.machines.memory import Ended
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Owner

CHILDREN_MAX = 40
"""The most children of one map run that run at once in this process."""

EXCEEDED = "States.ExceedToleratedFailureThreshold"


def run_map(runtime: Runtime, owner: Owner, told: dict[str, Any]) -> Report:
    """Runs a map to its end."""
    machine = runtime.machines.find(owner.machine_name)
    if machine is None:
        return Report("map-run-failed", "States.Runtime", "The state machine was deleted.")
    text, _ = machine.program(told["program"])
    program = StatesProgram(text, False)
    if told["reader"] is not None or told["writer"] is not None:
        text = "Item readers and result writers are not built yet: give the items in the input."
        return Report("map-run-failed", "States.Runtime", text)
    items = told["items"]
    inputs = list(batches(entries(items), told["batch"]))
    width = min(told["max_concurrency"] or CHILDREN_MAX, CHILDREN_MAX)
    with ThreadPoolExecutor(width, "trunkline-map") as pool:
        ended = list(pool.map(lambda given: _child(runtime, owner, program, told, given), inputs))
    failed = [one for one in ended if one.status != "SUCCEEDED"]
    if is_exceeded(len(failed), len(ended), told):
        cause = "The specified tolerated failure threshold was exceeded"
        return Report("map-run-failed", EXCEEDED, cause)
    outputs = ",".join(one.output or "null" for one in ended if one.status == "SUCCEEDED")
    return Report("map-run-succeeded", f"[{outputs}]")


def entries(items: Any) -> list[Any]:
    """The items of an array; of an object, its members as ``Key`` and ``Value``."""
    if isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    return list(items)


def batches(items: list[Any], batch: dict[str, Any] | None) -> Iterator[Any]:
    """The inputs of the children.

    >>> list(batches([1, 2, 3], {"max_items": 2, "max_bytes": 0, "input": None}))
    [{'Items': [1, 2]}, {'Items': [3]}]
    """
    if batch is None:
        yield from items
        return
    taken: list[Any] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        is_full = batch["max_items"] and len(taken) >= batch["max_items"]
        is_long = batch["max_bytes"] and taken and size + length > batch["max_bytes"]
        if is_full or is_long:
            yield _batched(taken, batch["input"])
            taken, size = [], 0
        taken.append(item)
        size += length
    if taken:
        yield _batched(taken, batch["input"])


def _batched(items: list[Any], given: Any) -> dict[str, Any]:
    return {"Items": items} if given is None else {"BatchInput": given, "Items": items}


def is_exceeded(failed: int, total: int, told: dict[str, Any]) -> bool:
    """Whether more failed than is tolerated."""
    if failed == 0:
        return False
    by_count = failed > told["tolerated_failure_count"]
    by_share = failed * 100 > told["tolerated_failure_percentage"] * total
    return bool(by_count and by_share)


def _child(
    runtime: Runtime, owner: Owner, program: StatesProgram, told: dict[str, Any], given: Any
) -> Ended:
    name = str(uuid4())
    arn = f"arn:aws:states:{owner.region}:{owner.account}"
    machine = f"{owner.machine}/{told['label']}"
    identity = {
        "execution_arn": f"{arn}:execution:{machine}:{name}",
        "name": name,
        "role_arn": "",
        "machine_arn": f"{arn}:stateMachine:{machine}",
        "machine_name": machine,
        "version_arn": None,
        "alias_arn": None,
        "region": owner.region,
        "express": told["express"],
    }
    setting = Setting(
        identity,
        owner,
        lambda task: perform(runtime, task),
        Clock(runtime.core.now),
        scope=told["processor"],
        prefix=f"{name}-",
        map_run=lambda of, inner: run_map(runtime, of, {**inner, "program": told["program"]}),
    )
    return MemoryRun(program, setting).run(json.dumps(given))
