"""What deciders and workers answer."""

from __future__ import annotations

import json

from trunkline.aws.swf.lambdas import call_lambdas
from trunkline.aws.swf.names import domains_of
from trunkline.aws.swf.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("RespondDecisionTaskCompleted")
def respond_decision_task_completed(
    call: Call,
    *,
    task_token: str,
    decisions: Sequence[Mapping[str, Any]] = (),
    execution_context: str | None = None,
    task_list: Mapping[str, str] | None = None,
    task_list_schedule_to_start_timeout: str | None = None,
) -> None:
    """Carries out what a decider decided."""
    domain = domains_of(call).respond_decision(
        task_token,
        json.dumps(list(decisions)),
        execution_context,
        None if task_list is None else task_list["name"],
        task_list_schedule_to_start_timeout or None,
    )
    if domain.has_lambdas():
        call_lambdas(call.store, domain)


@operations.add("RespondActivityTaskCompleted")
def respond_activity_task_completed(
    call: Call, *, task_token: str, result: str | None = None
) -> None:
    """An activity task is done."""
    domains_of(call).respond_activity(task_token, "completed", result)


@operations.add("RespondActivityTaskFailed")
def respond_activity_task_failed(
    call: Call, *, task_token: str, reason: str | None = None, details: str | None = None
) -> None:
    """An activity task has failed."""
    domains_of(call).respond_activity(task_token, "failed", reason, details)


@operations.add("RespondActivityTaskCanceled")
def respond_activity_task_canceled(
    call: Call, *, task_token: str, details: str | None = None
) -> None:
    """An activity task was canceled."""
    domains_of(call).respond_activity(task_token, "canceled", details)


@operations.add("RecordActivityTaskHeartbeat")
def record_activity_task_heartbeat(
    call: Call, *, task_token: str, details: str | None = None
) -> dict[str, Any]:
    """A worker is still at an activity task; whether it is asked to cancel."""
    return {"cancelRequested": domains_of(call).heartbeat(task_token, details)}
