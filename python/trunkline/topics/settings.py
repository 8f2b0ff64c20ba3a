"""What a caller says of a subscription, and what the core is told of it."""

from __future__ import annotations

import inspect
import json

from trunkline import validation
from trunkline._core import SubscriptionSettings, milliseconds
from trunkline._targets import retry_fields, target_id
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._resource_types import TopicTarget
    from trunkline._types import FilterScope, RetryPolicy, TopicDedupScope
    from trunkline.engine import Engine

TIMEOUT_MS = 15_000
"""Time for one attempt at a URL: SNS's."""

RETRIES_MAX = 100
"""How often a delivery to a URL is tried again at most: SNS's bound."""

AGE_MS_MAX = 3_600_000
"""How old a delivery to a URL may be at most when it is tried again: SNS's bound, an hour."""


LEASE_MS = 300_000
"""How long a function has a message before it counts as failed."""


def settings(
    resource: int | None,
    url: str | None,
    *,
    filter: str | Mapping[str, Any] | None,
    filter_scope: FilterScope,
    raw: bool,
    dead_letter: int | None,
    retry: RetryPolicy | None,
    name: str | None,
) -> SubscriptionSettings:
    """The subscription as the core takes it; that of a function has no resource and no URL."""
    validation.flag(raw, "raw")
    if not isinstance(filter_scope, str):
        raise TypeError(f"filter_scope must be a str, not {type(filter_scope).__name__}")
    if filter_scope not in ("attributes", "body"):
        raise InvalidParameterValue(
            f"Value {filter_scope[:128]!r} for parameter filter_scope is invalid. Reason: Must be "
            "'attributes' or 'body'."
        )
    if retry is not None and resource is not None:
        raise InvalidParameterValue(
            "Value for parameter retry is invalid. Reason: A queue, a stream or a bus takes a "
            "message at once; only a delivery to a URL or a function is tried again."
        )
    retries, age = _retry(retry)
    return SubscriptionSettings(
        resource=resource,
        url=url,
        timeout=LEASE_MS if url is None else TIMEOUT_MS,
        raw=raw,
        filter=filter_text(filter),
        filters_body=filter_scope == "body",
        dead_letter=dead_letter,
        retries_max=retries,
        age_max=age,
        endpoint=url or "",
        name=name,
    )


def filter_text(filter: str | Mapping[str, Any] | None) -> str | None:
    """A filter policy as JSON.

    >>> filter_text({"state": ["paid"]}), filter_text(None)
    ('{"state": ["paid"]}', None)
    """
    if filter is None or isinstance(filter, str):
        return filter
    try:
        return json.dumps(filter, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidParameterValue(
            f"Value for parameter filter is invalid. Reason: It cannot be written as JSON: {error}."
        ) from error


def by_group(scope: TopicDedupScope | None) -> bool | None:
    """Whether a deduplication id counts in its group.

    >>> by_group("group"), by_group("topic"), by_group(None)
    (True, False, None)
    """
    if scope is None:
        return None
    if not isinstance(scope, str):
        raise TypeError(f"dedup_scope must be a str, not {type(scope).__name__}")
    if scope not in ("topic", "group"):
        raise InvalidParameterValue(
            f"Value {scope[:128]!r} for parameter dedup_scope is invalid. Reason: Must be 'topic' "
            "or 'group'."
        )
    return scope == "group"


def _retry(retry: RetryPolicy | None) -> tuple[int | None, int | None]:
    retries, age = retry_fields(retry)
    if retries is not None:
        validation.count(retries, "max_attempts", 0, RETRIES_MAX)
    return retries, None if age is None else milliseconds(age, "max_age", 1, AGE_MS_MAX)


def target_of(engine: Engine, target: TopicTarget) -> tuple[int | None, str | None]:
    """The id of a queue, a stream or a bus, or a URL; neither of a function."""
    if isinstance(target, str):
        if not target.startswith(("https://", "http://")):
            raise InvalidParameterValue(
                f"Value {target[:128]!r} for parameter target is invalid. Reason: A text is a URL "
                "that starts with https:// or http://; name a queue by itself: engine.queue(name)."
            )
        return None, target
    if not callable(target):
        id = target_id(engine, target)
        if id is None:
            kind = type(target).__name__
            raise TypeError(
                "target must be a Queue, a Stream, a Bus, a StateMachine, a Function, a function, "
                f"or a URL, not {kind}"
            )
        return id, None
    if inspect.iscoroutinefunction(target):
        raise TypeError(
            "target is a coroutine function, which needs an event loop; subscribe it to the topic "
            "of an aio engine, or give a plain function"
        )
    return None, None


def names_function(target: object) -> bool:
    """Whether a target is a :class:`Function`, which gets what SNS sends to AWS Lambda."""
    return hasattr(type(getattr(target, "sync", target)), "invoke_async")


def names_machine(target: object) -> bool:
    """Whether a target is a :class:`StateMachine`, which gets the message alone."""
    return hasattr(type(getattr(target, "sync", target)), "executions")


def check_takes(kind: str, *, fifo: bool) -> None:
    """Raises for a FIFO topic, which no function and no state machine can be subscribed to.

    >>> check_takes("Function", fifo=False)
    """
    if fifo:
        raise InvalidParameterValue(
            f"Value for parameter target is invalid. Reason: A FIFO topic keeps order, which a "
            f"{kind} does not. Subscribe a FIFO queue, and let a function read that."
        )


def name_of(function: object) -> str:
    """The name that the subscription of a function has if it is given none.

    >>> name_of(json.dumps)
    'json.dumps'
    """
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if not name:
        raise InvalidParameterValue(
            f"The target, a {type(function).__name__}, has no name by which its subscription is "
            "found again. Give name=."
        )
    return f"{module}.{name}" if module else name
