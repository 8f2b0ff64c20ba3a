"""What clients do with executions: start, signal, ask to cancel, terminate, describe."""

from __future__ import annotations

import json

from trunkline.aws.swf.names import check_name, find
from trunkline.aws.swf.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("StartWorkflowExecution")
def start_workflow_execution(
    call: Call,
    *,
    domain: str,
    workflow_id: str,
    workflow_type: Mapping[str, str],
    task_list: Mapping[str, str] | None = None,
    task_priority: str | None = None,
    input: str | None = None,
    execution_start_to_close_timeout: str | None = None,
    tag_list: Sequence[str] = (),
    task_start_to_close_timeout: str | None = None,
    child_policy: str | None = None,
    lambda_role: str | None = None,
) -> dict[str, Any]:
    """Starts an execution."""
    check_name(workflow_id, "workflowId")
    request = {
        "workflowId": workflow_id,
        "workflowType": dict(workflow_type),
        "taskList": task_list,
        "taskPriority": task_priority,
        "input": input,
        "executionStartToCloseTimeout": execution_start_to_close_timeout or None,
        "tagList": list(tag_list),
        "taskStartToCloseTimeout": task_start_to_close_timeout or None,
        "childPolicy": child_policy,
        "lambdaRole": lambda_role,
    }
    return {"runId": find(call, domain).start(json.dumps(request))}


@operations.add("SignalWorkflowExecution")
def signal_workflow_execution(
    call: Call,
    *,
    domain: str,
    workflow_id: str,
    signal_name: str,
    run_id: str | None = None,
    input: str | None = None,
) -> None:
    """Signals an execution."""
    find(call, domain).signal(workflow_id, run_id, signal_name, input)


@operations.add("RequestCancelWorkflowExecution")
def request_cancel_workflow_execution(
    call: Call, *, domain: str, workflow_id: str, run_id: str | None = None
) -> None:
    """Asks an execution to cancel; its decider decides."""
    find(call, domain).request_cancel(workflow_id, run_id)


@operations.add("TerminateWorkflowExecution")
def terminate_workflow_execution(
    call: Call,
    *,
    domain: str,
    workflow_id: str,
    run_id: str | None = None,
    reason: str | None = None,
    details: str | None = None,
    child_policy: str | None = None,
) -> None:
    """Terminates an execution, and treats its children as the child policy says."""
    find(call, domain).terminate(workflow_id, run_id, reason, details, child_policy)


@operations.add("DescribeWorkflowExecution")
def describe_workflow_execution(
    call: Call, *, domain: str, execution: Mapping[str, str]
) -> dict[str, Any]:
    """How an execution stands."""
    text = find(call, domain).describe(execution["workflowId"], execution["runId"])
    return dict(json.loads(text))
