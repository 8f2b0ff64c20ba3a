"""What rules, subscriptions and schedules are told of targets, dead-letter queues and retries."""

from __future__ import annotations

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def resource_id(engine: object, target: object, field: str) -> int | None:
    """The id of a resource of `engine`; None of what is no resource.

    Ids are those of one engine: the id of another engine's queue would name a wrong resource.
    """
    resource: Any = getattr(target, "sync", target)
    id = getattr(getattr(resource, "_core", None), "id", None)
    owner = getattr(resource, "_engine", None)
    if not isinstance(id, int) or owner is None:
        return None
    if owner is not engine:
        raise InvalidParameterValue(
            f"Value {target!r} for parameter {field} is invalid. Reason: It belongs to another "
            "engine. Name a resource of this engine."
        )
    return id


def target_id(engine: object, target: object) -> int | None:
    """The id of a queue, a stream, a topic or a bus of `engine`; None of what is no target."""
    from trunkline.queues.queue import Queue

    plain = getattr(target, "sync", target)
    if isinstance(plain, Queue) or hasattr(plain, "_as_target"):
        return resource_id(engine, plain, "target")
    return None


def queue_id(engine: object, queue: object, field: str, wanted: str = "a Queue") -> int:
    """The id of a queue of `engine`."""
    from trunkline.queues.queue import Queue

    plain = getattr(queue, "sync", queue)
    id = resource_id(engine, queue, field) if isinstance(plain, Queue) else None
    if id is None:
        raise TypeError(f"{field} must be {wanted}, not {type(queue).__name__}")
    return id


def retry_fields(retry: Any) -> tuple[Any, Any]:
    """The two fields of a retry policy, unchecked; None for one that is absent.

    >>> retry_fields({"max_attempts": 3}), retry_fields(None)
    ((3, None), (None, None))
    """
    if retry is None:
        return None, None
    if not isinstance(retry, dict):
        raise TypeError(
            f"retry must be a dict of max_attempts and max_age, not {type(retry).__name__}"
        )
    unknown = [name for name in retry if name not in ("max_attempts", "max_age")]
    if unknown:
        raise InvalidParameterValue(
            f"Value {unknown[0]!r} in parameter retry is invalid. Reason: It takes max_attempts "
            "and max_age."
        )
    return retry.get("max_attempts"), retry.get("max_age")
