"""Which executions there are, open and closed, and how many tasks wait."""

from __future__ import annotations

import json
from math import isfinite

from trunkline.aws.swf.errors import invalid
from trunkline.aws.swf.names import find
from trunkline.aws.swf.pages import decode, encode, size_of
from trunkline.aws.swf.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call

    Given = Mapping[str, Any] | None


def _exclusive(**filters: Given) -> None:
    given = [name for name, value in filters.items() if value is not None]
    if len(given) > 1:
        named = ", ".join(given)
        raise invalid(
            f"Cannot specify more than one exclusive filters in the same query: [{named}]"
        )


def _milliseconds(seconds: float) -> int:
    if not isfinite(seconds):
        raise invalid("A date of a time filter is no time")
    return max(round(seconds * 1_000), 0)


def _filter(
    time: Mapping[str, float],
    *,
    is_open: bool,
    by_close: bool = False,
    execution: Given = None,
    type: Given = None,
    tag: Given = None,
    close_status: Given = None,
    reverse: bool = False,
) -> str:
    latest = time.get("latestDate")
    oldest = _milliseconds(time["oldestDate"])
    if latest is not None and _milliseconds(latest) < oldest:
        raise invalid("latestDate must not be before oldestDate")
    return json.dumps(
        {
            "open": is_open,
            "byClose": by_close,
            "oldest": oldest,
            "latest": None if latest is None else _milliseconds(latest),
            "workflowId": execution and execution["workflowId"],
            "typeName": type and type["name"],
            "typeVersion": type and type.get("version"),
            "tag": tag and tag["tag"],
            "closeStatus": close_status and close_status["status"],
            "reverse": reverse,
        }
    )


def _open_filter(
    start_time: Mapping[str, float], execution: Given, type: Given, tag: Given, *, reverse: bool
) -> str:
    _exclusive(executionFilter=execution, typeFilter=type, tagFilter=tag)
    return _filter(
        start_time, is_open=True, execution=execution, type=type, tag=tag, reverse=reverse
    )


def _closed_filter(
    times: tuple[Given, Given],
    execution: Given,
    type: Given,
    tag: Given,
    close_status: Given,
    *,
    reverse: bool,
) -> str:
    _exclusive(
        executionFilter=execution, typeFilter=type, tagFilter=tag, closeStatusFilter=close_status
    )
    start, close = times
    if start is not None and close is not None:
        raise invalid("Cannot specify both a startTimeFilter and a closeTimeFilter")
    time = start if close is None else close
    if time is None:
        raise invalid("Must specify time filter")
    return _filter(
        time,
        is_open=False,
        by_close=close is not None,
        execution=execution,
        type=type,
        tag=tag,
        close_status=close_status,
        reverse=reverse,
    )


def _list(call: Call, domain: str, filter: str, token: str | None, size: int | None) -> Any:
    after = decode(token, (int, int))
    if after is not None and not (0 <= after[0] < 1 << 60 and 0 <= after[1] < 1 << 32):
        raise invalid("Invalid token")
    place = None if after is None else (after[0], after[1])
    infos, rest = find(call, domain).executions(filter, place, size_of(size))
    found = {"executionInfos": [json.loads(info) for info in infos]}
    return found if rest is None else {**found, "nextPageToken": encode(list(rest))}


@operations.add("ListOpenWorkflowExecutions")
def list_open_workflow_executions(
    call: Call,
    *,
    domain: str,
    start_time_filter: Mapping[str, float],
    type_filter: Given = None,
    tag_filter: Given = None,
    execution_filter: Given = None,
    next_page_token: str | None = None,
    maximum_page_size: int | None = None,
    reverse_order: bool = False,
) -> dict[str, Any]:
    """The executions that run, the newest first."""
    filter = _open_filter(
        start_time_filter, execution_filter, type_filter, tag_filter, reverse=reverse_order
    )
    return dict(_list(call, domain, filter, next_page_token, maximum_page_size))


@operations.add("ListClosedWorkflowExecutions")
def list_closed_workflow_executions(
    call: Call,
    *,
    domain: str,
    start_time_filter: Given = None,
    close_time_filter: Given = None,
    execution_filter: Given = None,
    close_status_filter: Given = None,
    type_filter: Given = None,
    tag_filter: Given = None,
    next_page_token: str | None = None,
    maximum_page_size: int | None = None,
    reverse_order: bool = False,
) -> dict[str, Any]:
    """The executions that have ended, the newest first: by their start, or by their end."""
    filter = _closed_filter(
        (start_time_filter, close_time_filter),
        execution_filter,
        type_filter,
        tag_filter,
        close_status_filter,
        reverse=reverse_order,
    )
    return dict(_list(call, domain, filter, next_page_token, maximum_page_size))


@operations.add("CountOpenWorkflowExecutions")
def count_open_workflow_executions(
    call: Call,
    *,
    domain: str,
    start_time_filter: Mapping[str, float],
    type_filter: Given = None,
    tag_filter: Given = None,
    execution_filter: Given = None,
) -> dict[str, Any]:
    """How many executions run."""
    filter = _open_filter(
        start_time_filter, execution_filter, type_filter, tag_filter, reverse=False
    )
    return {"count": find(call, domain).count(filter), "truncated": False}


@operations.add("CountClosedWorkflowExecutions")
def count_closed_workflow_executions(
    call: Call,
    *,
    domain: str,
    start_time_filter: Given = None,
    close_time_filter: Given = None,
    execution_filter: Given = None,
    type_filter: Given = None,
    tag_filter: Given = None,
    close_status_filter: Given = None,
) -> dict[str, Any]:
    """How many executions have ended."""
    filter = _closed_filter(
        (start_time_filter, close_time_filter),
        execution_filter,
        type_filter,
        tag_filter,
        close_status_filter,
        reverse=False,
    )
    return {"count": find(call, domain).count(filter), "truncated": False}


@operations.add("CountPendingDecisionTasks")
def count_pending_decision_tasks(
    call: Call, *, domain: str, task_list: Mapping[str, str]
) -> dict[str, Any]:
    """How many decision tasks wait in a list."""
    return {"count": find(call, domain).pending(True, task_list["name"]), "truncated": False}


@operations.add("CountPendingActivityTasks")
def count_pending_activity_tasks(
    call: Call, *, domain: str, task_list: Mapping[str, str]
) -> dict[str, Any]:
    """How many activity tasks wait in a list."""
    return {"count": find(call, domain).pending(False, task_list["name"]), "truncated": False}
