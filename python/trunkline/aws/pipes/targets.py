"""What a pipe sends to its target, and which of the records the target has."""

from __future__ import annotations

import json

from trunkline._dataclasses import dataclass, replace
from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.pipes.http import call_destination
from trunkline.aws.pipes.paths import parsed
from trunkline.aws.pipes.resources import known
from trunkline.aws.pipes.templates import render
from trunkline.aws.targets.kind import Batch, Invocation
from trunkline.aws.targets.table import OF_PIPES
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.arns import Resource
    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.pipes.documents import PipeName
    from trunkline.aws.pipes.templates import Context
    from trunkline.aws.store import Store
    from trunkline.aws.targets.kind import Entry, Failures, PipeTarget


@dataclass(frozen=True, slots=True)
class Target:
    """The target of one pipe, or its enrichment: what entries of the table of targets act on."""

    store: Store
    invoker: ServiceInvoker
    pipe: PipeName
    definition: dict[str, Any]
    context: Context
    role: str = "Target"
    """The member of the definition with its name: `Target` or `Enrichment`."""
    record: Any = None
    """The first record of the batch that is sent."""

    @property
    def resource(self) -> Resource:
        """Its name."""
        return known(self.definition[self.role])

    @property
    def _kind(self) -> PipeTarget:
        kind = OF_PIPES[self.resource.kind].pipe
        assert kind is not None, "the table of pipes has these alone"
        return kind

    @property
    def _parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.definition.get(f"{self.role}Parameters", {})
        return found

    @property
    def own(self) -> dict[str, Any]:
        """The parameters that are for its kind."""
        found: dict[str, Any] = self._parameters.get(self._kind.parameters or "", {})
        return found

    @property
    def core(self) -> CoreEngine:
        """The engine."""
        return self.store.core

    @property
    def pipe_name(self) -> str:
        """The name of the pipe."""
        return self.pipe.name

    @property
    def source_service(self) -> str:
        """The service of the pipe's source."""
        return known(self.definition["Source"]).service

    def now(self) -> float:
        """The engine's time, in seconds since the epoch."""
        return self.context.now()

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """The answer of a service to the pipe; raises Failed."""
        request = Request(service, operation, self.resource.region, params)
        return send(self.invoker, request, self.pipe.account)

    def post(self, body: str) -> str:
        """The answer of the API destination of this name; raises Failed."""
        arn = self.resource.arn
        return call_destination(self.store, self.pipe, arn, self.own, (self.record, body))

    def _texts(self, records: Sequence[Any]) -> list[str]:
        template = self._parameters.get("InputTemplate")
        return [render(template, record, self.context) for record in records]

    def invoke(self, records: Sequence[Any]) -> str:
        """The answer to all records, sent as one array; raises Failed."""
        way = self._kind.way
        assert isinstance(way, Invocation), "the definition was checked"
        sender = replace(self, record=parsed(records[0]))
        return way.invoke(sender, f"[{','.join(map(_as_json, self._texts(records)))}]")

    def send(self, records: Sequence[Any], *, one_by_one: bool = False) -> Failures:
        """Sends records; the answer has why those that the target lacks failed, by their places."""
        way = self._kind.way
        if isinstance(way, Batch):
            return self._send_entries(way, records, 1 if one_by_one else way.most)
        try:
            told = self.invoke(records)
        except Failed as failed:
            return dict.fromkeys(range(len(records)), str(failed))
        return _named_failures(told, records)

    def _send_entries(self, way: Batch, records: Sequence[Any], most: int) -> Failures:
        failures: Failures = {}
        entries: list[tuple[int, Entry]] = []
        for place, (record, text) in enumerate(zip(records, self._texts(records), strict=True)):
            try:
                entries.append((place, way.entry(self, parsed(record), text)))
            except (LookupError, ValueError) as error:
                failures[place] = str(error)
        for start in range(0, len(entries), most):
            failures |= self._put(way.put, entries[start : start + most])
        return failures

    def _put(
        self,
        put: Callable[[Target, list[Entry]], Failures],
        entries: list[tuple[int, Entry]],
    ) -> Failures:
        try:
            failed = put(self, [entry for _, entry in entries])
        except (Failed, TrunklineError) as error:
            if len(entries) == 1:
                return {entries[0][0]: str(error)}
            # One entry may spoil the others: too large a batch, or a value that may not be.
            failures: Failures = {}
            for entry in entries:
                failures |= self._put(put, [entry])
            return failures
        return {entries[number][0]: why for number, why in failed.items()}


def _as_json(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text)
    return text


def _named_failures(told: str, records: Sequence[Any]) -> Failures:
    """The failures that an answer names in ``batchItemFailures``; all for a name that is none."""
    try:
        named = json.loads(told)["batchItemFailures"]
        names = {one["itemIdentifier"] for one in named}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    places = {}
    for place, record in enumerate(records):
        if isinstance(record, dict):
            places[record.get("messageId", record.get("eventID"))] = place
    if not names <= {name for name in places if name}:
        return dict.fromkeys(range(len(records)), "the answer names an item that was not sent")
    return {places[name]: "the target named it in batchItemFailures" for name in names}
