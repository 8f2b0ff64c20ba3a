"""The kinds of APIs, and how a request finds its own.

A kind is a module with one function, and a line in `KINDS`::

    def invoke(apis: Apis, request: ApiRequest) -> ApiResponse | None: ...

It looks for the API ``request.api`` in its documents. If the API is none of its kind, it returns
None and the next kind is asked. Otherwise it does everything else: finds the stage at the
beginning of ``request.path``, the route and the integration, and returns the answer, errors
included; what it raises becomes a 500. It may block for as long as the integration may take (29
seconds); it runs on a thread of its own pool.

`Apis` gives it the engine's documents (``apis.store``), calls of every served service by name
(``apis.clients.invoke("sqs", "SendMessage", {...}, account=..., region=...)``), and a place for
what it remembers between requests (``apis.memory``: token buckets, cached policies).
``apis.read(key, compile)`` compiles a document once and again only when it changed.
"""

from __future__ import annotations

import json
from importlib import import_module
from threading import Lock

from trunkline._dataclasses import dataclass
from trunkline.aws.execute_api.domains import LABEL, found_by_domain
from trunkline.aws.execute_api.message import ApiRequest, ApiResponse, as_sent
from trunkline.aws.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.invoker import ServiceInvoker

    T = TypeVar("T")
    Accepted = tuple[str, str, str, str]
    """Of an accepted connection: API, stage, account, and what each event of it is told."""

KINDS = (
    "trunkline.aws.lambda_.url_requests",
    "trunkline.aws.apigateway.invoking",
    "trunkline.aws.apigatewayv2.invoking",
)
"""The modules of the kinds, in the order in which they are asked."""

SOCKETS = "trunkline.aws.apigatewayv2.sockets.serving"
"""The module of the one kind that speaks WebSocket."""

COMPILED_MAX = 1_000
"""How many compiled documents are remembered."""


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """What happened on a WebSocket."""

    api: str
    stage: str
    connection: str
    """The id of the connection."""
    state: str
    """What was told when the connection was accepted."""
    connected_at: int
    """In milliseconds."""
    request_id: str
    message: str | None
    """What the client sent."""
    ended: tuple[int, str] | None
    """The close code and the reason, of a connection that has ended."""


class Apis:
    """What the kinds of APIs work with. There is one for each dispatcher."""

    def __init__(self, core: CoreEngine) -> None:
        self.core = core
        self.store: Store = Store(core)
        self.memory: dict[str, Any] = {}
        """What a kind remembers between requests, by its own name."""
        self.lock: Lock = Lock()
        self._clients: ServiceInvoker | None = None
        self._compiled: dict[str, tuple[bytes, Any]] = {}

    @property
    def clients(self) -> ServiceInvoker:
        """Calls of all services by name; made when they are first needed."""
        with self.lock:
            if self._clients is None:
                # By its name: the clients use the control plane, which has the APIs.
                self._clients = import_module("trunkline.aws.invoker").ServiceInvoker(self.core)
            clients: ServiceInvoker = self._clients
            return clients

    def read(self, key: str, compile: Callable[[dict[str, Any]], T]) -> T | None:
        """What `compile` makes of the document under `key`; it is made anew when that changed."""
        data = self.store.raw(key)
        if data is None:
            self._compiled.pop(key, None)
            return None
        kept = self._compiled.get(key)
        if kept is not None and kept[0] == data:
            found: T = kept[1]
            return found
        made = compile(dict(json.loads(data)))
        with self.lock:
            while len(self._compiled) >= COMPILED_MAX:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = (data, made)
        return made

    def reset(self) -> None:
        """Forgets everything: the engine was reset."""
        with self.lock:
            self.memory.clear()
            self._compiled.clear()


def invoke(apis: Apis, about: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answers a request to an API, as the server sends it."""
    request = _addressed(apis, about)
    return as_sent(_no_such_api() if request is None else _answered(apis, request))


def _addressed(apis: Apis, about: dict[str, Any]) -> ApiRequest | None:
    """The request with the API that it is for; None for a path of a domain name that has none."""
    request = ApiRequest(**about)
    return found_by_domain(apis, request) if request.api.startswith(LABEL) else request


def _answered(apis: Apis, request: ApiRequest) -> ApiResponse:
    for name in KINDS:
        response: ApiResponse | None = import_module(name).invoke(apis, request)
        if response is not None:
            return response
    return _no_such_api()


def connect(
    apis: Apis, about: dict[str, Any], connection: str, now: int
) -> tuple[int, list[tuple[str, str]], bytes, Accepted | None]:
    """Answers a client that wants to open a WebSocket. An API that speaks none answers as it does
    every request."""
    serving, request = import_module(SOCKETS), _addressed(apis, about)
    if request is None:
        return (*as_sent(_no_such_api()), None)
    if not serving.is_served(apis, request.api):
        return (*as_sent(_answered(apis, request)), None)
    response, accepted = serving.connect(apis, request, connection, now)
    return (*as_sent(response), accepted)


def socket_event(apis: Apis, about: dict[str, Any]) -> list[str]:
    """Handles what happened on a WebSocket; what its client gets."""
    replies: list[str] = import_module(SOCKETS).happened(apis, SocketEvent(**about))
    return replies


def _no_such_api() -> ApiResponse:
    # What CloudFront answers for a host of no API.
    headers = [("content-type", "application/json"), ("x-amzn-errortype", "ForbiddenException")]
    return ApiResponse(403, headers, b'{"message":"Forbidden"}')
