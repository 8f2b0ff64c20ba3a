"""Targets of rules: what a caller may name, and what the core is told of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from trunkline import validation
from trunkline._core import TargetSettings, milliseconds
from trunkline._targets import queue_id, retry_fields, target_id
from trunkline.buses.events import write
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._resource_types import EventTarget
    from trunkline._types import RetryPolicy
    from trunkline.engine import Engine
    from trunkline.queues.queue import Queue

RETRIES_MAX = 185
"""How often a delivery is tried again at most: EventBridge's bound."""

AGE_MS_MAX = 86_400_000
"""How old a delivery may be at most when it is tried again: EventBridge's bound, a day."""

AGE_MS_MIN = 60_000
"""The smallest such age: EventBridge's bound, a minute."""

LEASE_MS = 300_000
"""How long a handler has an event before it counts as failed."""

TARGET_ID = "main"
"""The id of the target that a rule is created with."""


def settings(
    engine: Engine,
    target: EventTarget,
    id: str,
    *,
    input: Any,
    input_path: str | Mapping[str, str] | None,
    input_template: str | None,
    dead_letter: Queue | None,
    retry: RetryPolicy | None,
    group: str | None,
    partition_key_path: str | None,
) -> TargetSettings:
    """The target as the core takes it."""
    resource = target_id(engine, target)
    url = target if isinstance(target, str) else None
    if url is not None and not url.startswith(("https://", "http://")):
        raise InvalidParameterValue(
            f"Value {url[:128]!r} for parameter target is invalid. Reason: A text is a URL that "
            "starts with https:// or http://; name a queue by itself: engine.queue(name)."
        )
    if resource is None and url is None:
        _check_handler(target)
    is_named = isinstance(input_path, str)
    if [input is not None, is_named, input_template is not None].count(True) > 1:
        raise InvalidParameterValue(
            "Only one of input, input_path and input_template may be given. Reason: Each says what "
            "the target gets; with input_template, input_path maps names to paths."
        )
    paths = None
    if input_path is not None and not is_named:
        if input_template is None:
            raise InvalidParameterValue(
                "Value for parameter input_path is invalid. Reason: A mapping of names to paths "
                "belongs to input_template; give a path as str, or a template."
            )
        paths = _paths(input_path)
    retries, age = _retry(retry)
    return TargetSettings(
        id,
        resource=resource,
        url=url,
        lease=LEASE_MS,
        input=_constant(input),
        input_path=input_path if is_named else None,  # type: ignore[arg-type]
        input_paths=paths,
        input_template=input_template,
        dead_letter=None if dead_letter is None else queue_id(engine, dead_letter, "dead_letter"),
        retries_max=retries,
        age_max=age,
        group=group,
        partition_key_path=partition_key_path,
    )


def handler_of(engine: Engine, target: EventTarget) -> Callable[[Any], object] | None:
    """The function that gets the events, if the target is one."""
    is_function = callable(target) and target_id(engine, target) is None
    return target if is_function else None  # type: ignore[return-value]


def _paths(input_path: Any) -> list[tuple[str, str]]:
    if not isinstance(input_path, Mapping):
        raise TypeError(
            "input_path must be a path as str, or with input_template a mapping of names to "
            f"paths, not {type(input_path).__name__}"
        )
    return list(input_path.items())


def _check_handler(target: object) -> None:
    if not callable(target):
        kind = type(target).__name__
        raise TypeError(
            "target must be a Queue, a Topic, a Bus, a Stream, a StateMachine, a Function, a "
            f"function or a URL, not {kind}"
        )
    if inspect.iscoroutinefunction(target):
        raise TypeError(
            "target is a coroutine function, which needs an event loop; give it to the rule of "
            "an aio engine, or give a plain function"
        )


def _constant(input: Any) -> str | None:
    if input is None:
        return None
    if not isinstance(input, bytes):
        return write(input, "input")
    try:
        return input.decode()
    except UnicodeDecodeError:
        raise InvalidParameterValue(
            "Value for parameter input is invalid. Reason: The bytes are no UTF-8. Give JSON as "
            "UTF-8, or a value that is written as JSON."
        ) from None


def _retry(retry: RetryPolicy | None) -> tuple[int, int]:
    retries, age = retry_fields(retry)
    retries = RETRIES_MAX if retries is None else retries
    validation.count(retries, "max_attempts", 0, RETRIES_MAX)
    if age is None:
        return retries, AGE_MS_MAX
    return retries, milliseconds(age, "max_age", AGE_MS_MIN, AGE_MS_MAX)
