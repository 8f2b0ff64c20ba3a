"""What an entry of the table of targets says: how rules, schedules and pipes reach one kind.

An entry is a :class:`TargetKind` in a module of its own, and a line in ``table.py``.
"""

from __future__ import annotations

from typing import Protocol

from trunkline._dataclasses import dataclass
from trunkline.aws.errors import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.arns import Resource
    from trunkline.aws.events.requests import HttpRequest
    from trunkline.aws.operation import Call

    Definition = Mapping[str, Any]
    """A target in the words of its service: `Arn`, and parameters of its kind."""
    Entry = dict[str, Any]
    Failures = dict[int, str]
    """Why entries failed, by their places."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the events of a rule's target go: to a resource of the engine, over HTTP, or, with
    neither, to a worker that calls the operation of the kind's template."""

    resource: int | None = None
    request: HttpRequest | None = None
    notices: int | None = None
    """The destination that is told when the request needs an access token."""
    unavailable: str | None = None
    """Why nothing can be sent: events go to the dead-letter queue when they are due."""
    key_path: str | None = None
    """For a stream: where in an event its partition key is."""


class Absent(ServiceError):
    """The resource of one target does not exist: that target alone is refused."""

    def __init__(self, what: str) -> None:
        super().__init__("ResourceNotFoundException", f"{what} does not exist.")


@dataclass(frozen=True, slots=True)
class Template:
    """The operation that a schedule's occurrence calls, and a rule's event where the kind has no
    resource of the engine."""

    service: str
    """The name of the service's model."""
    operation: str
    params: Callable[[Resource, Definition, str], dict[str, Any]]
    """The input of the operation, of a target and the text for it."""
    needs: Callable[[Resource], str | None] = lambda _: None
    """The member that a target must have: `KinesisParameters`, or with a dot one of its own."""


class Sender(Protocol):
    """A target or an enrichment of one pipe, as an entry sees it."""

    @property
    def core(self) -> CoreEngine:
        """The engine."""

    @property
    def resource(self) -> Resource:
        """The target's or the enrichment's name."""

    @property
    def own(self) -> dict[str, Any]:
        """The parameters that are for its kind."""

    @property
    def pipe_name(self) -> str:
        """The name of the pipe."""

    @property
    def source_service(self) -> str:
        """The service of the pipe's source."""

    def now(self) -> float:
        """The engine's time, in seconds since the epoch."""

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """The answer of a service to the pipe; raises Failed."""

    def post(self, body: str) -> str:
        """The answer of the API destination of this name; raises Failed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A kind of which a pipe puts entries, one a record."""

    entry: Callable[[Sender, Any, str], Entry]
    """The entry of a record and of its text."""
    put: Callable[[Sender, list[Entry]], Failures]
    """Puts entries; raises Failed if none was taken."""
    most: int
    """How many entries at once."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A kind that a pipe calls with an array of records, as a target or as an enrichment."""

    invoke: Callable[[Sender, str], str]
    """The answer to the text of an array; raises Failed."""


@dataclass(frozen=True, slots=True)
class PipeTarget:
    """How a pipe reaches a kind."""

    way: Batch | Invocation
    parameters: str | None = None
    """The member of TargetParameters that is for the kind."""
    needs: Callable[[Resource], str | None] = lambda _: None
    """The member that these parameters must have."""


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of target. What it lacks cannot be a target there."""

    name: str
    """The service in resource names; of EventBridge, the first part of the resource."""
    rule: Callable[[Call, Resource, Definition], Endpoint] | None = None
    """How a rule reaches it, if not through the operation of its template."""
    call: Callable[[CoreEngine, Resource, Definition, str], object] | None = None
    """Takes the text for a rule's target in this process, in place of an operation; raises
    Failed."""
    template: Template | None = None
    pipe: PipeTarget | None = None
