"""Map runs: listed, described, changed while they run."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.errors import no_such_execution
from trunkline.aws.stepfunctions.names import Arn, arn_of
from trunkline.aws.stepfunctions.pages import page
from trunkline.aws.stepfunctions.registry import operations
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.machines.map_runs.table import MapRuns


def _runs(call: Call) -> MapRuns:
    runs: MapRuns = runtime_of(call.store.core).map_runs
    return runs


def _find(call: Call, text: str) -> dict[str, Any]:
    Arn.parse(text, "mapRun")
    found = _runs(call).find(text)
    if found is None:
        raise ServiceError("ResourceNotFound", f"Resource not found: '{text}'")
    return found


def children_of(call: Call, text: str) -> Arn:
    """The state machine that the children of a map run are executions of."""
    kept = _find(call, text)
    return Arn.parse(_machine_arn(kept), "stateMachine")


def _machine_arn(kept: dict[str, Any]) -> str:
    label = f"{kept['machine']}/{kept['label']}"
    return arn_of(kept["account"], kept["region"], "stateMachine", label)


def _execution_arn(kept: dict[str, Any]) -> str:
    names = (kept["machine"], kept["execution"])
    return arn_of(kept["account"], kept["region"], "execution", *names)


@operations.add("ListMapRuns")
def list_map_runs(
    call: Call,
    *,
    execution_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The map runs of an execution, the newest first."""
    arn = Arn.parse(execution_arn, "execution")
    machine = runtime_of(call.store.core).machines.find((arn.account, arn.region, arn.name))
    try:
        if machine is None or arn.qualifier is None:
            raise no_such_execution(execution_arn)
        machine.status(arn.qualifier)
    except NotFound:
        raise no_such_execution(execution_arn) from None
    found = _runs(call).of_execution(arn.unqualified, arn.qualifier)
    shown, rest = page(found, lambda kept: str(kept["arn"]), max_results, next_token)
    return {"mapRuns": [_listed(kept) for kept in shown], **rest}


def _listed(kept: dict[str, Any]) -> dict[str, Any]:
    told = {
        "executionArn": _execution_arn(kept),
        "mapRunArn": kept["arn"],
        "stateMachineArn": _machine_arn(kept),
        "startDate": kept["started"],
    }
    if kept["stopped"] is not None:
        told["stopDate"] = kept["stopped"]
    return told


@operations.add("DescribeMapRun")
def describe_map_run(call: Call, *, map_run_arn: str) -> dict[str, Any]:
    """How a map run stands."""
    kept = _find(call, map_run_arn)
    told = {
        "mapRunArn": kept["arn"],
        "executionArn": _execution_arn(kept),
        "status": kept["status"],
        "startDate": kept["started"],
        "maxConcurrency": kept["max_concurrency"],
        "toleratedFailurePercentage": float(kept["tolerated_percentage"]),
        "toleratedFailureCount": kept["tolerated_count"],
        "itemCounts": _counts(kept["counts"]),
        "executionCounts": _counts(kept["executions"]),
        "redriveCount": kept.get("redrives", 0),
    }
    if kept.get("redriven") is not None:
        told["redriveDate"] = kept["redriven"]
        for part in ("itemCounts", "executionCounts"):
            told[part]["pendingRedrive"] = _pending(kept, part)
    if kept["stopped"] is not None:
        told["stopDate"] = kept["stopped"]
    return told


def _pending(kept: dict[str, Any], part: str) -> int:
    """Items, or children, that did not end well before a redrive and have not gone on yet."""
    again = kept.get("again", {})
    return int(again.get("items" if part == "itemCounts" else "children", 0))


def _counts(counts: dict[str, int]) -> dict[str, int]:
    parts = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")
    told = {part: counts[part] for part in parts}
    written = told["succeeded"] + told["failed"] + told["timedOut"]
    return {**told, "total": sum(told.values()), "resultsWritten": written}


@operations.add("UpdateMapRun", writes=True)
def update_map_run(
    call: Call,
    *,
    map_run_arn: str,
    max_concurrency: int | None = None,
    tolerated_failure_percentage: float | None = None,
    tolerated_failure_count: int | None = None,
) -> None:
    """Changes the limits of a map run; they hold at once."""
    _find(call, map_run_arn)
    given = {
        "max_concurrency": max_concurrency,
        "tolerated_percentage": tolerated_failure_percentage,
        "tolerated_count": tolerated_failure_count,
    }
    limits = {name: value for name, value in given.items() if value is not None}
    if not _runs(call).update(map_run_arn, **limits):
        text = f"Map Run is not in a state that can be updated: '{map_run_arn}'"
        raise ServiceError("ValidationException", text)
