"""The verb by which a connection uses the library's own methods: ``trunkline.connect``."""

from __future__ import annotations

from importlib import import_module

from trunkline.admin.forms import check_wait
from trunkline.admin.readers import MEMBERS, Batch
from trunkline.errors import InvalidParameterValue, ResourceNotFound, UnsupportedOperation
from trunkline.remote.nouns import NOUNS
from trunkline.remote.values import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.engine import Engine

WAIT_MAX = 20
"""The longest wait of a call in seconds: a thread of the server waits with it."""

_WAITS = ("wait", "timeout")
_OWNED = {"queue", "topic", "bus", "stream", "machine", "bucket", "function", "api"}
_LISTED = {"queues", "topics", "buses", "streams", "buckets", "delivery_stream"}
_OWNED |= _LISTED | {"delivery_streams"}


def call(
    engine: Engine,
    kind: str,
    verb: str,
    at: list[Any] | None = None,
    values: list[Any] | None = None,
    named: dict[str, Any] | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """What a method or a property of a resource answers; a connection writes such calls."""
    noun = NOUNS.get(kind)
    if noun is None or verb not in (*noun.verbs, *noun.facts):
        raise UnsupportedOperation(f"{verb!r} of {kind!r} does not work over a connection.")
    place = _Place(engine, account, region)
    on = place.find(kind, at or [])
    if kind == "reader" and verb == "close":
        MEMBERS.of(engine._core).drop((at or [])[1])
        return {"value": None}
    if verb in noun.facts:
        return {"value": place.told(getattr(on, verb))}
    given = {name: place.value(one) for name, one in (named or {}).items()}
    for name in _WAITS:
        if given.get(name) is not None:
            check_wait(given[name], WAIT_MAX)
    if kind == "engine" and (account, region) != (None, None):
        given |= place.owner(verb)
    for name in ("target", "dead_letter", "on_success", "on_failure"):
        if isinstance(given.get(name), str) and given[name].startswith("arn:"):
            given[name] = place.of_arn(given[name])
    asked = [place.value(one) for one in values or []]
    asked = [place.of_arn(one) if _is_target(verb, one) else one for one in asked]
    if verb == "delivery_stream":
        _check_no_folder([*asked, *given.values()])
    # A list is an iterator in the process; here a page of it.
    method = on._core.list if (kind, verb) == ("bucket", "list") else getattr(on, verb)
    try:
        result = method(*asked, **given)
    except TypeError as error:
        return {"type_error": str(error)}
    if (kind, verb) == ("stream", "reader"):
        number = MEMBERS.of(engine._core).hold(on.name, result)
        return {"value": {"$noun": "reader", "at": [on.name, number, result.name]}}
    return {"value": place.told(result)}


def _check_no_folder(values: list[Any]) -> None:
    """Refuses a folder: a call must not choose where the server's process writes files."""
    if any(isinstance(one, str) and one.lower().startswith("file:") for one in values):
        raise UnsupportedOperation(
            "A folder is on the server's machine; allow it there with --firehose-folder, and name "
            "it with a client of AWS."
        )


def _is_target(verb: str, value: object) -> bool:
    takes = ("rule", "add_target", "subscribe", "schedule", "route")
    return verb in takes and isinstance(value, str) and value.startswith("arn:")


class _Place:
    """Resources and values of one account and region of an engine."""

    def __init__(self, engine: Engine, account: str | None, region: str | None) -> None:
        self._engine = engine
        self._account = account
        self._region = region

    def owner(self, verb: str) -> dict[str, str | None]:
        """The arguments that name account and region, of a verb of the engine that has them."""
        if verb in _OWNED:
            return {"account": self._account, "region": self._region}
        own = self._engine._owner
        if (self._account or own[0], self._region or own[1]) != own and verb.startswith("schedul"):
            raise UnsupportedOperation(
                f"{verb} over a connection is about the account {own[0]} in {own[1]} alone; use a "
                "client of AWS for others."
            )
        return {}

    def find(self, kind: str, at: list[Any]) -> Any:
        """The resource at an address: the names that lead to it."""
        found = _FINDERS.get(kind)
        if found is None:
            raise InvalidParameterValue(f"There is no kind {kind!r}.")
        try:
            return found(self, *at)
        except TypeError as error:
            raise InvalidParameterValue(f"{at!r} is no address of a {kind}: {error}.") from error

    def _owned(self, kind: str, name: str, **more: Any) -> Any:
        of = getattr(self._engine, kind)
        return of(name, account=self._account, region=self._region, **more)

    def of_arn(self, arn: str) -> Any:
        """The resource that an ARN names."""
        from trunkline.aws.targets.nouns import noun_of

        found = noun_of(arn)
        if found is None:
            raise UnsupportedOperation(
                f"{arn} is no target here; name a queue, a topic, a bus, a stream or a function."
            )
        kind, account, region, name = found
        return _Place(self._engine, account, region).find(kind, [name])

    def value(self, told: Any) -> Any:
        """An argument."""
        try:
            return decode(told, self._made)
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InvalidParameterValue):
                raise
            raise InvalidParameterValue(f"An argument cannot be read: {error}.") from error

    def _made(self, told: dict[str, Any]) -> Any:
        if "$noun" in told:
            place = _Place(self._engine, told.get("account"), told.get("region"))
            return place.find(told["$noun"], told["at"])
        if "$entry" in told:
            from trunkline.queues.messages import SendEntry

            return SendEntry(**{name: self.value(one) for name, one in told["$entry"].items()})
        raise InvalidParameterValue(f"There is no value {next(iter(told))!r}.")

    def told(self, value: Any) -> Any:
        """A result."""
        return encode(value, self._plain)

    def _plain(self, value: Any) -> Any:
        from trunkline._core import PeekedMessage, Record, RecordBatch

        if isinstance(value, Batch):
            return {"$batch": value.number, "records": self._plain(value.records)}
        if isinstance(value, RecordBatch):
            return [self._plain(one) for one in value]
        if isinstance(value, Record):
            return {"$record": value.as_dict()}
        if isinstance(value, PeekedMessage):
            return {"$message": value.as_dict(), "queue": value.queue_name}
        classes = [f"{one.__module__}:{one.__name__}" for one in type(value).__mro__]
        for kind, noun in NOUNS.items():
            if noun.of in classes:
                return self._noun(kind, value)
        names = [name for name in dir(value) if name[0] != "_"]
        members = {name: getattr(value, name) for name in names}
        shown = {name: self.told(one) for name, one in members.items() if not callable(one)}
        return {"$report": type(value).__name__, "text": str(value), "members": shown}

    def _noun(self, kind: str, value: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"$noun": kind, "at": _address(kind, value)}
        for name in ("account", "region"):
            own = getattr(value, name, None) or getattr(getattr(value, "_core", None), name, None)
            told[name] = own if isinstance(own, str) else getattr(self, f"_{name}")
        facts = {}
        for name in NOUNS[kind].facts:
            # A value that names a resource is asked for when it is needed: it may be gone.
            if name not in ("target", "dead_letter", "current_replay"):
                facts[name] = self.told(getattr(value, name))
        return {**told, "facts": facts}

    def execution(self, machine: str, name: str) -> Any:
        """An execution of a state machine."""
        return self.find("machine", [machine]).execution(name)

    def schedule(self, name: str) -> Any:
        """A schedule."""
        for one in self._engine.schedules(name):
            if one.name == name:
                return one
        raise ResourceNotFound(f"There is no schedule {name!r}.")

    def task(self, queue: str, task: int) -> Any:
        """A move of dead letters."""
        from trunkline.queues.redrive import RedriveTask

        of = self.find("queue", [queue])
        return RedriveTask(self._engine, of._core.id, task)

    def api(self, name: str) -> Any:
        """An API, which is found and not created."""
        from trunkline.apis.api import get_or_create

        owner = self._engine._owner
        place = (self._account or owner[0], self._region or owner[1])
        return get_or_create(self._engine, name, *place, create=False)

    def source(self, uuid: str) -> Any:
        """An event source."""
        from trunkline.aws.operation import Call
        from trunkline.aws.store import Store
        from trunkline.functions.source import EventSource

        own = self._engine._owner
        place = (self._account or own[0], self._region or own[1])
        call = Call(Store(self._engine._core), *place, None, "", "")
        return EventSource(self._engine, call, uuid)


def _address(kind: str, value: Any) -> list[Any]:
    """The names that lead to a resource."""
    if kind == "rule" or kind == "archive":
        return [value.bus.name, value.name]
    if kind == "replay":
        return [value.archive.bus.name, value.archive.name, value._id]
    if kind == "subscription":
        return [value.topic.name, value._id]
    if kind == "topic-replay":
        return [value.subscription.topic.name, value.subscription._id]
    if kind == "execution":
        return [value._machine.name, value.name]
    if kind == "redrive-task":
        return [value._engine._core.name_of(value._source)[3], value._task]
    if kind == "event-source":
        return [value.uuid]
    return [value.name]


def _below(module: str, name: str, owner: str, depth: int = 1) -> Callable[..., Any]:
    """Finds what lies below another resource; the class reads the truth when it is asked."""

    def find(place: _Place, *at: Any) -> Any:
        above = place.find(owner, list(at[:depth]))
        return getattr(import_module(module), name)(above, *at[depth:])

    return find


def _named(kind: str, **more: Any) -> Callable[..., Any]:
    return lambda place, name: place._owned(kind, name, **more)


_FINDERS: dict[str, Callable[..., Any]] = {
    "engine": lambda place: place._engine,
    **{kind: _named(kind, create=False) for kind in ("queue", "topic", "bus", "stream")},
    "bucket": lambda place, name: place._engine.bucket(name, create=False),
    "machine": _named("machine"),
    "function": _named("function"),
    "delivery-stream": _named("delivery_stream"),
    "execution": _Place.execution,
    "schedule": _Place.schedule,
    "redrive-task": _Place.task,
    "event-source": _Place.source,
    "api": _Place.api,
    "reader": lambda place, stream, number, _: MEMBERS.of(place._engine._core).find(stream, number),
    "rule": _below("trunkline.buses.rule", "Rule", "bus"),
    "archive": _below("trunkline.buses.archive", "Archive", "bus"),
    "replay": _below("trunkline.buses.archive", "Replay", "archive", 2),
    "subscription": _below("trunkline.topics.subscription", "Subscription", "topic"),
    "topic-replay": lambda place, topic, id: import_module("trunkline.topics.replay").TopicReplay(
        place.find("subscription", [topic, id])
    ),
}
