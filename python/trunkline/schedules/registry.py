"""The schedules of one engine: created, found, compared and removed."""

from __future__ import annotations

import inspect
from threading import Lock

from trunkline._core import RetryTable
from trunkline._outbox import Destination, Outbox
from trunkline._targets import queue_id, target_id
from trunkline.errors import ConflictException, NotFound, ValidationException
from trunkline.schedules import definition
from trunkline.schedules.occurrence import Occurrence
from trunkline.schedules.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import Schedule as CoreSchedule
    from trunkline._core import Schedules as CoreSchedules
    from trunkline._handlers import Handlers

GROUP = "default"
"""The group of schedules that name none."""

LEASE_SECONDS = 3_600.0
"""How long a function may take for one occurrence: then it has failed, and is called again."""


class Schedules:
    """The schedules of one engine."""

    __slots__ = ("_core", "_handlers", "_lock", "_outbox", "_owner")

    def __init__(
        self, core: CoreSchedules, outbox: Outbox, handlers: Handlers, owner: tuple[str, str]
    ) -> None:
        self._core = core
        self._outbox = outbox
        self._handlers = handlers
        # Account and region.
        self._owner = owner
        self._lock = Lock()

    def get_or_create(
        self, engine: object, name: str, target: Any, given: dict[str, Any]
    ) -> Schedule:
        """The schedule of this name, which is created, or exists and has the same definition.

        `engine` is whose queues may be targets; `given` is the definition in the core's units,
        without the target.
        """
        full_name = (*self._owner, f"{GROUP}/{name}")
        with self._lock:
            kind, url, reference = self._target(engine, name, target, given["dead_letter"])
            wanted = {
                **given,
                "input": definition.stored_input(name, kind, given["input"]),
                "document": definition.document(kind, url),
                "enabled": True,
                "delete_after_completion": False,
            }
            core = self._core.find(full_name)
            if core is not None:
                self._compare(name, core, wanted, reference)
            else:
                core = self._create(full_name, wanted, reference)
            if kind == "function":
                self._call(name, target)
        return Schedule(self, core)

    def list(self, prefix: str) -> list[Schedule]:
        """The schedules whose name starts with `prefix`, sorted by name."""
        found = self._core.list(*self._owner, f"{GROUP}/{prefix}")
        return [Schedule(self, core) for core in found]

    def remove(self, core: CoreSchedule) -> None:
        """Remove a schedule with its function or endpoint."""
        name = core.name.partition("/")[2]
        with self._lock:
            core.remove()
            destination = self._outbox.find(_destination_name(name))
            if destination is not None:
                destination.remove()
        self._handlers.stop(_handler_key(name))

    def _target(
        self, engine: object, name: str, target: Any, dead_letter: Any
    ) -> tuple[str, str | None, tuple[str, int | None]]:
        """The sort of a target, its URL, and how the core names it; a destination may come yet."""
        from trunkline.queues.queue import Queue

        queue = getattr(target, "sync", target)
        if isinstance(queue, Queue):
            return "queue", None, ("queue", queue_id(engine, queue, "target"))
        id = target_id(engine, queue)
        if id is not None:
            kind: str = queue._as_target[0]
            return kind, None, ("outbox" if kind == "machine" else kind, id)
        destination = self._outbox.find(_destination_name(name))
        reference = ("outbox", None if destination is None else destination.id)
        if isinstance(target, str):
            if not target.startswith(("http://", "https://")):
                raise ValidationException(
                    f"target: {target[:128]!r} is no URL. Give a Queue, a function, or a URL that "
                    "begins with http:// or https://."
                )
            return "url", target, reference
        if callable(target) and not isinstance(target, type):
            return "function", None, reference
        raise TypeError(
            "target must be a Queue, a Topic, a Bus, a Stream, a StateMachine, a Function, a "
            f"function or an http(s) URL, not {type(target).__name__}"
        )

    def _create(
        self,
        full_name: tuple[str, str, str],
        wanted: dict[str, Any],
        reference: tuple[str, int | None],
    ) -> CoreSchedule:
        if definition.kind_of(wanted) not in ("url", "function"):
            return self._core.create(full_name, {**wanted, "target": reference})
        name = full_name[2].partition("/")[2]
        left = self._outbox.find(_destination_name(name))
        if left is not None:
            # The program ended between the two halves of a removal.
            left.remove()
        destination = self._destination(name, wanted)
        try:
            return self._core.create(full_name, {**wanted, "target": ("outbox", destination.id)})
        except BaseException:
            destination.remove()
            raise

    def _destination(self, name: str, wanted: dict[str, Any]) -> Destination:
        """The endpoint or the function of a schedule, retried as EventBridge does."""
        retry = RetryTable.named("event-bridge")
        own = _destination_name(name)
        url = definition.url_of(wanted["document"])
        if url is None:
            return self._outbox.handler(own, lease=LEASE_SECONDS, retry=retry)
        headers = {"content-type": "application/json; charset=utf-8"}
        return self._outbox.http(own, url, headers=headers, retry=retry)

    def _compare(
        self,
        name: str,
        existing: CoreSchedule,
        wanted: dict[str, Any],
        reference: tuple[str, int | None],
    ) -> None:
        """Raises ConflictException if an existing schedule has another definition."""
        core: dict[str, Any] = dict(existing.definition())
        kind, id = reference
        target = None if id is None else self._core.target_name((kind, id))
        dead_letter = wanted["dead_letter"]
        if dead_letter is not None:
            dead_letter = self._core.target_name(("queue", dead_letter))
        own = {**wanted, "target": target, "dead_letter": dead_letter}
        ignored = ("enabled", "document")
        differing = [field for field in core if field not in ignored and core[field] != own[field]]
        if core["document"] != own["document"] and "target" not in differing:
            differing.append("target")
        if differing:
            raise ConflictException(
                f"Schedule {name} already exists, with a different value for "
                f"{', '.join(sorted(differing))}. Change it with configure(), or remove() it first."
            )

    def _call(self, name: str, function: Callable[[Occurrence], object]) -> None:
        """Have a thread call `function` with each occurrence, instead of an earlier function."""
        destination = self._outbox.find(_destination_name(name))
        if destination is None:
            raise NotFound(f"The function of the schedule {name!r} was removed.")
        self._handlers.start(_handler_key(name), destination.id, function, Occurrence)


def check_function(target: Any) -> None:
    """Refuse coroutine functions, which nothing would await.

    >>> async def handle(occurrence): ...
    >>> check_function(handle)
    Traceback (most recent call last):
    TypeError: target is a coroutine function; use trunkline.aio, whose engines await it
    """
    if inspect.iscoroutinefunction(target):
        raise TypeError("target is a coroutine function; use trunkline.aio, whose engines await it")


def _handler_key(schedule: str) -> tuple[str, str]:
    return ("schedule", schedule)


def _destination_name(schedule: str) -> str:
    return f"schedule:{GROUP}/{schedule}"
