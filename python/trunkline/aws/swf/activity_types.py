"""Types of activities: registered, deprecated, deleted."""

from __future__ import annotations

from trunkline.aws.swf.registry import operations
from trunkline.aws.swf.types import ACTIVITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.swf.types import TypeId


@operations.add("RegisterActivityType")
def register_activity_type(
    call: Call,
    *,
    domain: str,
    name: str,
    version: str,
    description: str | None = None,
    default_task_start_to_close_timeout: str | None = None,
    default_task_heartbeat_timeout: str | None = None,
    default_task_list: Mapping[str, str] | None = None,
    default_task_priority: str | None = None,
    default_task_schedule_to_start_timeout: str | None = None,
    default_task_schedule_to_close_timeout: str | None = None,
) -> None:
    """Registers a type."""
    defaults = {
        "defaultTaskStartToCloseTimeout": default_task_start_to_close_timeout,
        "defaultTaskHeartbeatTimeout": default_task_heartbeat_timeout,
        "defaultTaskList": default_task_list,
        "defaultTaskPriority": default_task_priority,
        "defaultTaskScheduleToStartTimeout": default_task_schedule_to_start_timeout,
        "defaultTaskScheduleToCloseTimeout": default_task_schedule_to_close_timeout,
    }
    ACTIVITIES.register(call, domain, (name, version), description, defaults)


@operations.add("DescribeActivityType")
def describe_activity_type(call: Call, *, domain: str, activity_type: TypeId) -> dict[str, Any]:
    """A type with its defaults."""
    return ACTIVITIES.describe(call, domain, activity_type)


@operations.add("DeprecateActivityType")
def deprecate_activity_type(call: Call, *, domain: str, activity_type: TypeId) -> None:
    """Lets nothing new of a type start."""
    ACTIVITIES.deprecate(call, domain, activity_type, deprecated=True)


@operations.add("UndeprecateActivityType")
def undeprecate_activity_type(call: Call, *, domain: str, activity_type: TypeId) -> None:
    """Lets a type be used again."""
    ACTIVITIES.deprecate(call, domain, activity_type, deprecated=False)


@operations.add("DeleteActivityType")
def delete_activity_type(call: Call, *, domain: str, activity_type: TypeId) -> None:
    """Deletes a type that is deprecated."""
    ACTIVITIES.delete(call, domain, activity_type)


@operations.add("ListActivityTypes")
def list_activity_types(
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
    return ACTIVITIES.list(call, domain, name, registration_status, pages)
