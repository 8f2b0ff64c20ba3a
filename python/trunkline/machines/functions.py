"""Functions as tasks: those that a machine was given, and those of the engine."""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from concurrent.futures import ThreadPoolExecutor

from trunkline._core import StatesProgram
from trunkline.errors import TooManyRequests
from trunkline.functions.invocation import text_of
from trunkline.functions.names import read_arn
from trunkline.functions.registry import functions_of
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.functions.invocation import Outcome

    OwnFunctions = dict[str, Callable[..., Any]]


def name_in(resource: str) -> str:
    """The name of the function in an ARN, without a version or an alias; or a plain name.

    >>> name_in("arn:aws:lambda:us-east-1:000000000000:function:charge:live")
    'charge'
    """
    rest = resource.partition(":function:")[2] or resource
    return rest.partition(":")[0]


def call_own(function: Callable[..., Any], payload: str) -> tuple[str, dict[str, Any] | None]:
    """The result of a function of a machine as JSON text, or how it failed, as Lambda tells it."""
    try:
        result = function(json.loads(payload))
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
        return json.dumps(result, ensure_ascii=False, separators=(",", ":")), None
    # SystemExit too: the thread works for all executions.
    except BaseException as error:
        return "null", _told(error, error.__traceback__ and error.__traceback__.tb_next)


def _told(error: BaseException, frames: TracebackType | None) -> dict[str, Any]:
    trace = traceback.format_list(traceback.extract_tb(frames))
    return {"errorMessage": text_of(error), "errorType": type(error).__name__, "stackTrace": trace}


def settle(
    resource: str, result: object, error: BaseException | None
) -> tuple[str, str | None, str | None]:
    """What is reported of a call that an execution in memory made on its own thread.

    Its result is of no plain type, or there is an exception.
    """
    if error is None and inspect.isawaitable(result):
        # The caller's thread may run a loop of its own.
        with ThreadPoolExecutor(1, "trunkline-machine") as pool:
            return pool.submit(settle_here, resource, result, None).result()
    return settle_here(resource, result, error)


def settle_here(
    resource: str, result: object, error: BaseException | None
) -> tuple[str, str | None, str | None]:
    """The same for a call on a thread that runs no event loop."""
    if error is not None:
        report = of_failure(_told(error, error.__traceback__))
    else:
        text, told = call_own(lambda _: result, "null")
        report = Report("succeeded", text) if told is None else of_failure(told)
    report = checked(resource, report)
    return report.kind, report.first, report.second


def checked(resource: str, report: Report) -> Report:
    """The report, or a failure where its result is no JSON: the execution would refuse it."""
    if report.kind not in ("succeeded", "submitted"):
        return report
    try:
        reason = StatesProgram.malformed(report.first or "")
    except UnicodeEncodeError as error:
        reason = str(error)
    if reason is None:
        return report
    return failed("Runtime.MarshalError", f"The result of {resource} is no JSON: {reason}")


async def _awaited(result: Any) -> Any:
    return await result


def invoke(core: CoreEngine, own: OwnFunctions, arn: str, payload: str) -> Report:
    """Calls the function that a Task state names by its ARN."""
    function = own.get(name_in(arn))
    if function is not None:
        text, told = call_own(function, payload)
        return Report("succeeded", text) if told is None else of_failure(told)
    outcome = outcome_of(core, arn, payload)
    if isinstance(outcome, Report):
        return outcome
    text = outcome.payload.decode("utf-8", "replace")
    if outcome.error is None:
        return Report("succeeded", text)
    return of_failure(outcome.error_fields())


def of_failure(told: Mapping[str, Any]) -> Report:
    """The report of a function that failed: the type of its error is the error's name."""
    error = str(told.get("errorType", "Lambda.Unknown"))
    return failed(error, json.dumps(told, separators=(",", ":")))


def outcome_of(core: CoreEngine, arn: str, payload: str) -> Outcome | Report:
    """What came of calling a function of the engine; a report if it could not be called."""
    read = read_arn(arn)
    function = None if read is None else functions_of(core).find(read[0])
    if read is None or function is None:
        return failed("Lambda.ResourceNotFoundException", not_found(arn))
    try:
        return function.invoke(function.invocation(payload.encode()))
    except TooManyRequests as error:
        return failed("Lambda.TooManyRequestsException", str(error))


def is_function(core: CoreEngine, arn: str) -> bool:
    """Whether the engine has the function of an ARN."""
    read = read_arn(arn)
    return read is not None and functions_of(core).find(read[0]) is not None


def not_found(arn: str) -> str:
    """Lambda's words for a function that there is not."""
    read = read_arn(arn)
    name = arn if read is None or read[1] is not None else f"{arn}:$LATEST"
    return f"Function not found: {name}"
