"""Types of workflows: registered, deprecated, deleted."""

from __future__ import annotations

from trunkline.aws.swf.registry import operations
from trunkline.aws.swf.types import WORKFLOWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.swf.types import TypeId


@operations.add("RegisterWorkflowType")
def register_workflow_type(
    call: Call,
    *,
    domain: str,
    name: str,
    version: str,
    description: str | None = None,
    default_task_start_to_close_timeout: str | None = None,
    default_execution_start_to_close_timeout: str | None = None,
    default_task_list: Mapping[str, str] | None = None,
    default_task_priority: str | None = None,
    default_child_policy: str | None = None,
    default_lambda_role: str | None = None,
) -> None:
    """Registers a type."""
    defaults = {
        "defaultTaskStartToCloseTimeout": default_task_start_to_close_timeout,
        "defaultExecutionStartToCloseTimeout": default_execution_start_to_close_timeout,
        "defaultTaskList": default_task_list,
        "defaultTaskPriority": default_task_priority,
        "defaultChildPolicy": default_child_policy,
        "defaultLambdaRole": default_lambda_role,
    }
    WORKFLOWS.register(call, domain, (name, version), description, defaults)


@operations.add("DescribeWorkflowType")
def describe_workflow_type(call: Call, *, domain: str, workflow_type: TypeId) -> dict[str, Any]:
    """A type with its defaults."""
    return WORKFLOWS.describe(call, domain, workflow_type)


@operations.add("DeprecateWorkflowType")
def deprecate_workflow_type(call: Call, *, domain: str, workflow_type: TypeId) -> None:
    """Lets nothing new of a type start."""
    WORKFLOWS.deprecate(call, domain, workflow_type, deprecated=True)


@operations.add("UndeprecateWorkflowType")
def undeprecate_workflow_type(call: Call, *, domain: str, workflow_type: TypeId) -> None:
    """Lets a type be used again."""
    WORKFLOWS.deprecate(call, domain, workflow_type, deprecated=False)


@operations.add("DeleteWorkflowType")
def delete_workflow_type(call: Call, *, domain: str, workflow_type: TypeId) -> None:
    """Deletes a type that is deprecated."""
    WORKFLOWS.delete(call, domain, workflow_type)


@operations.add("ListWorkflowTypes")
def list_workflow_types(
    call: Call,
    *,
    domain: str,
    registration_status: str,
    name: str | None = None,
    next_page_token: str | None = None,
    maximum_page_size: int | None = None,
    reverse_order: bool = False,
) -> dict[str, Any]:
    """The types of a domain, by name and version."""
    pages = (next_page_token, maximum_page_size, reverse_order)
    return WORKFLOWS.list(call, domain, name, registration_status, pages)
