"""Targets of rules: what a caller may name, and what the core is told of it."""

from __future__ import annotations

import inspect

from trunkline import validation
from trunkline._core import TargetSettings, milliseconds
from trunkline.buses.events import write
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._types import EventTarget, RetryPolicy
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
    target: EventTarget,
    *,
    input: Any,
    input_path: str | Mapping[str, str] | None,
    input_template: str | None,
    dead_letter: Queue | None,
    retry: RetryPolicy | None,
    group: str | None,
) -> TargetSettings:
    """The target as the core takes it."""
    resource = _resource(target)
    url = target if isinstance(target, str) else None
    if url is not None and not url.startswith(("https://", "http://")):
        raise InvalidParameterValue(
            f"Value {url!r} for parameter target is invalid. Reason: A text is a URL that starts "
            "with https:// or http://; name a queue by itself: engine.queue(name)."
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
        paths = list(input_path.items())  # type: ignore[union-attr]
    retries, age = _retry(retry)
    return TargetSettings(
        TARGET_ID,
        resource=resource,
        url=url,
        lease=LEASE_MS,
        input=_constant(input),
        input_path=input_path if is_named else None,  # type: ignore[arg-type]
        input_paths=paths,
        input_template=input_template,
        dead_letter=None if dead_letter is None else _queue(dead_letter),
        retries_max=retries,
        age_max=age,
        group=group,
    )


def handler_of(target: EventTarget) -> Callable[[Any], object] | None:
    """The function that gets the events, if the target is one."""
    is_function = callable(target) and _resource(target) is None
    return target if is_function else None  # type: ignore[return-value]


def _resource(target: object) -> int | None:
    """The id of a resource of this engine."""
    target = getattr(target, "sync", target)
    core = getattr(target, "_core", None)
    id = getattr(core, "id", None)
    return id if isinstance(id, int) else None


def _queue(dead_letter: Queue) -> int:
    id = _resource(dead_letter)
    if id is None:
        kind = type(dead_letter).__name__
        raise TypeError(f"dead_letter must be a Queue, not {kind}")
    return id


def _check_handler(target: object) -> None:
    if not callable(target):
        kind = type(target).__name__
        raise TypeError(f"target must be a Queue, a Bus, a function or a URL, not {kind}")
    if inspect.iscoroutinefunction(target):
        raise TypeError(
            "target is a coroutine function, which needs an event loop; give it to the rule of "
            "an aio engine, or give a plain function"
        )


def _constant(input: Any) -> str | None:
    if input is None:
        return None
    return input.decode() if isinstance(input, bytes) else write(input, "input")


def _retry(retry: RetryPolicy | None) -> tuple[int, int]:
    if retry is None:
        return RETRIES_MAX, AGE_MS_MAX
    unknown = set(retry) - {"max_attempts", "max_age"}
    if unknown:
        raise InvalidParameterValue(
            f"Value {sorted(unknown)[0]!r} in parameter retry is invalid. Reason: It takes "
            "max_attempts and max_age."
        )
    retries = validation.count(
        retry.get("max_attempts", RETRIES_MAX), "max_attempts", 0, RETRIES_MAX
    )
    age = retry.get("max_age")
    if age is None:
        return retries, AGE_MS_MAX
    return retries, milliseconds(age, "max_age", AGE_MS_MIN, AGE_MS_MAX)
