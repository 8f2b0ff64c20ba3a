"""What rules, subscriptions and schedules are told of targets, dead-letter queues and retries."""

from __future__ import annotations

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine


def resource_id(engine: object, target: object, field: str) -> int | None:
    """The id of a resource of `engine`; None of what is no resource.

    Ids are those of one engine: the id of another engine's queue would name a wrong resource.
    """
    resource: Any = getattr(target, "sync", target)
    id = getattr(getattr(resource, "_core", None), "id", None)
    if not isinstance(id, int) or getattr(resource, "_engine", None) is None:
        return None
    _check_owner(engine, resource, field)
    return id


def _check_owner(engine: object, resource: Any, field: str) -> None:
    # A state machine knows the engine's core alone.
    if resource._engine not in (engine, getattr(engine, "_core", None)):
        raise InvalidParameterValue(
            f"Value {resource!r} for parameter {field} is invalid. Reason: It belongs to another "
            "engine. Name a resource of this engine."
        )


def target_id(engine: object, target: object) -> int | None:
    """The id by which the core delivers to a target of `engine`; None of what is no target."""
    from trunkline.queues.queue import Queue

    plain: Any = getattr(target, "sync", target)
    if isinstance(plain, Queue):
        return resource_id(engine, plain, "target")
    # Looked for in the class: asking a state machine makes its destination.
    if not hasattr(type(plain), "_as_target"):
        return None
    _check_owner(engine, plain, "target")
    id: int = plain._as_target[1]
    return id


def address_of(core: CoreEngine, target: Mapping[str, Any]) -> str:
    """The address of a target for people: that of a function or a state machine by its name."""
    from trunkline.functions.names import of_destination as function_of
    from trunkline.machines.destination import of_destination as machine_of

    _, account, _, destination = core.name_of(target["resource"]) or ("", "", "", "")
    function = function_of(destination) if account == "outbox" else None
    if function is not None:
        return f"function {function.name} of account {function.account} in {function.region}"
    machine = machine_of(destination) if account == "outbox" else None
    if machine is not None:
        return f"state machine {machine[2]} of account {machine[0]} in {machine[1]}"
    address: str = target["address"]
    return address


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
