"""What lets a function have the messages of a queue or the records of a stream."""

from __future__ import annotations

import json

from trunkline.aws.errors import ProgramErrors
from trunkline.aws.lambda_ import mappings
from trunkline.aws.lambda_.pollers import runner
from trunkline.aws.operation import Call
from trunkline.aws.store import Store
from trunkline.errors import InvalidParameterValue, ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine
    from trunkline.functions.function import Function


class EventSource:
    """An event source of a function; :meth:`Engine.event_source` makes it.

    It is one of Lambda's event source mappings, so clients of Lambda see it, too.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> orders = engine.queue("orders")
    >>> tea = engine.function("tea", lambda event, context: None)
    >>> source = engine.event_source(orders, tea, batch_size=5)
    >>> source.settings()["BatchSize"], source.enabled
    (5, True)
    """

    __slots__ = ("_call", "_engine", "_uuid")

    def __init__(self, engine: Engine, call: Call, uuid: str) -> None:
        self._engine = engine
        self._call = call
        self._uuid = uuid

    @property
    def uuid(self) -> str:
        """The id, by which clients of Lambda name it."""
        return self._uuid

    @property
    def enabled(self) -> bool:
        """Whether it is read."""
        state: str = self._read()["State"]
        return state == "Enabled"

    def settings(self) -> dict[str, Any]:
        """What it was given, by the names that Lambda has."""
        return self._read()

    def disable(self) -> None:
        """Read no more until :meth:`enable`. What waits stays where it is."""
        with ProgramErrors(InvalidParameterValue):
            mappings.update_event_source_mapping(self._call, uuid=self._uuid, enabled=False)

    def enable(self) -> None:
        """Read on."""
        with ProgramErrors(InvalidParameterValue):
            mappings.update_event_source_mapping(self._call, uuid=self._uuid, enabled=True)

    def remove(self) -> None:
        """Remove it, with how far it read a stream; messages of a queue stay there."""
        with ProgramErrors(InvalidParameterValue):
            mappings.delete_event_source_mapping(self._call, uuid=self._uuid)

    def _read(self) -> dict[str, Any]:
        document = self._call.store.get(mappings.key_of(self._call, self._uuid))
        if document is None:
            raise ResourceNotFound("The event source was removed.")
        return mappings.told(document)

    def __repr__(self) -> str:
        return f"<EventSource {self._uuid}>"


def attach(
    engine: Engine, source: object, function: Function, settings: dict[str, Any]
) -> EventSource:
    """The event source of these two, which is made, or changed to what it is to be now."""
    from trunkline.functions.function import Function as Named

    if not isinstance(function, Named):
        raise TypeError(
            f"function must be what engine.function() returns, not {type(function).__name__}"
        )
    call = Call(Store(engine._core), function.account, function.region, None, "", "")
    arn = _arn_of(engine, source)
    given = {name: value for name, value in settings.items() if value is not None}
    filters = given.pop("filters", None)
    if filters is not None:
        patterns = [{"Pattern": _pattern(one)} for one in filters]
        given["filter_criteria"] = {"Filters": patterns}
    with ProgramErrors(InvalidParameterValue):
        found = next(
            (
                document
                for document in call.store.every(runner.PREFIX)
                if (document["source"], document["function"]) == (arn, function.name)
                and (document["account"], document["region"]) == (call.account, call.region)
            ),
            None,
        )
        if found is not None:
            given.pop("starting_position", None)
            given.pop("starting_position_timestamp", None)
            mappings.update_event_source_mapping(call, uuid=found["uuid"], **given)
            return EventSource(engine, call, found["uuid"])
        made = mappings.create_event_source_mapping(
            call, function_name=function.arn, event_source_arn=arn, **given
        )
    return EventSource(engine, call, (made or {})["UUID"])


def _pattern(given: object) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _arn_of(engine: Engine, source: Any) -> str:
    from trunkline.aws.arns import partition
    from trunkline.queues.queue import Queue
    from trunkline.streams.stream import Stream

    plain = getattr(source, "sync", source)
    if isinstance(plain, Queue):
        service, name = "sqs", plain.name
    elif isinstance(plain, Stream):
        service, name = "kinesis", f"stream/{plain.name}"
    else:
        raise TypeError(f"source must be a Queue or a Stream, not {type(source).__name__}")
    _, account, region, _ = engine._core.name_of(plain._core.id) or ("", "", "", "")
    return f"arn:{partition(region)}:{service}:{region}:{account}:{name}"
