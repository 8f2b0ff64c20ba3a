"""A function of this program, which is called as AWS Lambda calls it."""

from __future__ import annotations

import json

from trunkline.errors import InvalidParameterValue, function_failed
from trunkline.functions.names import of_destination
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine
    from trunkline.functions.active import ActiveFunction
    from trunkline.functions.invocation import Outcome
    from trunkline.functions.registry import Functions

EVENT_BYTES_MAX = 6_291_456
"""The largest event of an invocation that is waited for: Lambda's bound, 6 MiB."""

QUEUED_BYTES_MAX = 1_048_576
"""The largest event of an asynchronous invocation: Lambda's bound, 1 MiB."""


class Function:
    """A function of an engine; :meth:`Engine.function` makes it. Any thread may call every method.

    It is a target of rules, topics and schedules, too.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> charge = engine.function("charge", lambda event, context: {"paid": event["total"]})
    >>> charge.invoke({"total": 3})
    {'paid': 3}
    """

    __slots__ = ("_core", "_engine", "_functions")

    def __init__(self, engine: Engine, functions: Functions, active: ActiveFunction) -> None:
        self._engine = engine
        self._functions = functions
        self._core = active

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self._core.name.name

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self._core.name.account

    @property
    def region(self) -> str:
        """The region."""
        return self._core.name.region

    @property
    def arn(self) -> str:
        """The ARN, by which targets and state machines name the function."""
        return self._core.name.arn

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules, topics and schedules name the function: its kind and its id."""
        return "outbox", self._core.id

    def invoke(self, event: Any = None) -> Any:
        """Call the function and return what it returns. Both go through JSON, as on AWS.

        Raises FunctionError if the function fails or times out, TooManyRequests if it runs as often
        as its `concurrency` allows, InvalidParameterValue for an event that cannot be written as
        JSON or is larger than 6 MiB.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> function = engine.function("fail", lambda event, context: event["total"])
        >>> function.invoke({})
        Traceback (most recent call last):
        trunkline.errors.FunctionError: KeyError: 'total'
        """
        invocation = self._core.invocation(write(event, EVENT_BYTES_MAX))
        return result_of(self._core.invoke(invocation))

    def invoke_async(self, event: Any = None) -> str:
        """Have the function called later; return the id of the request once it is durable.

        An invocation that fails is tried again after one minute and after two, as often as
        `retries` says and as long as it is not older than `max_age`. Then it goes to `on_failure`
        and to `dead_letter`; without either it is listed by :meth:`failures`.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> done = engine.queue("done")
        >>> function = engine.function("tea", lambda event, context: "ready", on_success=done)
        >>> id = function.invoke_async({"cups": 2})
        >>> done.receive(wait=10)[0].json()["responsePayload"]
        'ready'
        """
        invocation = self._core.invocation(write(event, QUEUED_BYTES_MAX))
        self._functions.enqueue(self._core, invocation)
        return invocation.request_id

    def settings(self) -> dict[str, Any]:
        """What the function was given. Times are seconds; targets are named by kind and name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.function("tea", lambda event, context: None).settings()["timeout"]
        3.0
        """
        definition = self._core.definition
        policy = definition.policy
        return {
            "timeout": definition.timeout / 1_000,
            "concurrency": definition.concurrency,
            "logs": definition.logs,
            "retries": policy.retries,
            "max_age": policy.max_age / 1_000,
            "on_success": self._shown(policy.on_success),
            "on_failure": self._shown(policy.on_failure),
            "dead_letter": self._shown(policy.dead_letter),
        }

    def _shown(self, id: int | None) -> str | None:
        name = None if id is None else self._engine._core.name_of(id)
        if name is None:
            return None
        kind, _, region, short = name
        return f"{kind} {short}" if region else f"function {short.rpartition('/')[2]}"

    def statistics(self) -> dict[str, int]:
        """How the function stands.

        ``running`` invocations; since the engine was opened ``invocations``, ``errors`` (time-outs
        included), ``timeouts`` and ``throttles``; and of asynchronous invocations those that are
        ``due`` or ``leased``, and the ``delivered``, ``retried`` and ``failed`` ones.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> function = engine.function("tea", lambda event, context: None)
        >>> function.invoke()
        >>> function.statistics()["invocations"]
        1
        """
        queued = self._engine._core.outbox().statistics(self._core.id)
        del queued["dead_lettered"]
        return {"running": self._core.slots.used, **self._core.counted(), **queued}

    def failures(self) -> list[dict[str, Any]]:
        """Asynchronous invocations that were given up and sent nowhere: the newest hundred."""
        return self._engine._core.outbox().failures(self._core.id)

    def remove(self) -> None:
        """Remove the function with the asynchronous invocations that wait.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.function("tea", lambda event, context: None).remove()
        >>> engine.functions()
        []
        """
        self._functions.remove(self._core.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Function):
            return NotImplemented
        return (self._engine, self._core.id) == (other._engine, other._core.id)

    def __hash__(self) -> int:
        return hash(self._core.id)

    def __repr__(self) -> str:
        return f"<Function {self.name!r}>"


def find_function(engine: Engine, destination: str) -> Function | None:
    """The function whose asynchronous invocations wait in a destination of this name."""
    name = of_destination(destination)
    functions = functions_of(engine._core)
    active = None if name is None else functions.find(name)
    return None if active is None else Function(engine, functions, active)


def write(event: Any, most: int) -> bytes:
    """An event as JSON.

    >>> write({"cups": 2}, 100)
    b'{"cups": 2}'
    """
    try:
        payload = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidParameterValue(
            f"Value for parameter event is invalid. Reason: It cannot be written as JSON: {error}. "
            "Give a mapping, a list or a plain value."
        ) from error
    if len(payload) > most:
        raise InvalidParameterValue(
            f"Value for parameter event is invalid. Reason: {len(payload)} bytes as JSON; at most "
            f"{most}. Send a reference to what is large."
        )
    return payload


def result_of(outcome: Outcome) -> Any:
    """What a function returned; raises FunctionError if it failed."""
    if outcome.error is None:
        return json.loads(outcome.payload)
    raise function_failed(outcome.error_fields())
