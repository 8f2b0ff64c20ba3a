"""What a map run was asked for, in the forms in which the parts of a map run take it."""

from __future__ import annotations

import json

from trunkline._core import MapInputs, MapProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import StatesProgram

READER_FAILED = "States.ItemReaderFailed"

EXCEEDED = "States.ExceedToleratedFailureThreshold"
EXCEEDED_CAUSE = "The specified tolerated failure threshold was exceeded"


class MapRunFailed(Exception):
    """A map run fails as a whole."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def text_of(value: Any) -> str:
    """A value as JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def made(problem: ValueError) -> MapRunFailed:
    """The failure that the core tells of items that cannot be read or selected."""
    if len(problem.args) == 2:
        error, cause = problem.args
        return MapRunFailed(error or "States.Runtime", cause or "")
    return MapRunFailed(READER_FAILED, str(problem))


def inputs_of(
    program: StatesProgram, told: dict[str, Any], config: dict[str, Any] | None = None
) -> MapInputs:
    """What makes the inputs of the children; `config` is that of a reader of objects."""
    seen, batch = told["selection"], told["batch"]
    if seen is not None:
        parts = (text_of(seen[part]) for part in ("input", "context", "variables"))
        seen = (seen["state"], list(parts))
    if batch is not None:
        given = None if batch["input"] is None else text_of(batch["input"])
        batch = (batch["max_items"], batch["max_bytes"], given)
    text = None if config is None else text_of(config)
    try:
        return MapInputs(program, config=text, selection=seen, batch=batch)
    except ValueError as problem:
        raise made(problem) from None


def progress_of(told: dict[str, Any]) -> MapProgress:
    """The counts and limits of a map run that starts."""
    return MapProgress(
        told["max_concurrency"],
        told["tolerated_failure_count"],
        float(told["tolerated_failure_percentage"]),
    )


def arguments_of(part: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an item reader or a result writer, in either query language."""
    return dict(part.get("Parameters") or part.get("Arguments") or {})


def as_delivered(effect: dict[str, Any]) -> dict[str, Any]:
    """A map run of an effect in the form in which the core delivers one."""
    told = dict(effect)
    for name in ("items", "reader", "input", "writer"):
        if told[name] is not None:
            told[name] = json.loads(told[name])
    if told["selection"] is not None:
        state, texts = told["selection"]
        names = ("input", "context", "variables")
        parts = {name: json.loads(text) for name, text in zip(names, texts, strict=True)}
        told["selection"] = {"state": state, **parts}
    batch = told["batch"]
    if batch == ():
        told["batch"] = None
    elif batch is not None:
        most, size, given = batch
        given = None if given is None else json.loads(given)
        told["batch"] = {"max_items": most, "max_bytes": size, "input": given}
    return told
