"""The control plane behind the wire: finds the operation, calls it, sees to durability."""

from __future__ import annotations

from _thread import allocate_lock

from trunkline._per_engine import PerEngine
from trunkline.aws.errors import ServiceError
from trunkline.aws.store import Store
from trunkline.errors import EngineUnavailable, StorageFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.execute_api.kinds import Accepted, Apis
    from trunkline.aws.services import Service


SET_UP: PerEngine[list[Callable[[], object]]] = PerEngine(lambda _: [])
"""What sets things up in an engine when its server begins."""


class Control:
    """What the core calls for everything that is not on the data plane.

    It imports what a call needs at that call, so that a server listens at once.
    """

    def __init__(
        self,
        core: CoreEngine,
        services: Iterable[Service],
        operate: Callable[[str, bytes], bytes] | None = None,
    ) -> None:
        self._operate = operate
        self._services = {service.name: service for service in services}
        self._stores = {name: Store(core) for name in self._services}
        self._core = core
        self._counts_calls = core.limits()["account_quotas_percent"] > 0
        self._apis: Apis | None = None
        self._lock = allocate_lock()

    def resume(self) -> None:
        """Lets what works in the background go on with what an earlier opening left."""
        for name, service in self._services.items():
            service.resume(self._stores[name])

    def call(
        self, service: str, operation: str, about: dict[str, Any], given: dict[str, Any]
    ) -> dict[str, Any]:
        """Carries out one operation; the answer is durable when this returns."""
        from trunkline.aws.operation import Call, snake_case

        found = self._services[service].operations().get(operation)
        if found is None:
            raise ServiceError(
                "NotImplemented", f"{operation} of {service} is not implemented here.", 501
            )
        store = self._stores[service]
        call = Call(store=store, **about)
        arguments = {snake_case(name): value for name, value in given.items() if value is not None}
        unknown = found.unknown(arguments)
        if unknown is not None:
            text = f"{unknown} of {operation} of {service} is not implemented here; leave it out."
            raise ServiceError("NotImplemented", text, 501)
        if self._counts_calls:
            from trunkline.aws.quotas import take

            take(call, service, operation)
        try:
            output = found.function(call, **arguments)
            if found.writes:
                store.flush()
        except (EngineUnavailable, StorageFull) as error:
            # As on the data plane: no fault of the caller's, who may try again.
            text = f"{error.code}: {error}"
            raise ServiceError("ServiceUnavailable", text, 503) from error
        return output or {}

    def invoke_api(self, about: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answers a request to an API of API Gateway."""
        from trunkline.aws.execute_api.kinds import invoke

        return invoke(self._served(), about)

    def compile_stage(self, api: str, kind: str, documents: list[bytes]) -> bytes | None:
        """What the core serves of a stage without Python; None for nothing."""
        from trunkline.aws.execute_api.compiling import compile_stage

        return compile_stage(api, kind, documents)

    def connect(
        self, about: dict[str, Any], connection: str, now: int
    ) -> tuple[int, list[tuple[str, str]], bytes, Accepted | None]:
        """Answers a client that wants to connect to an API by WebSocket."""
        from trunkline.aws.execute_api.kinds import connect

        return connect(self._served(), about, connection, now)

    def socket_event(self, about: dict[str, Any]) -> list[str]:
        """Handles what happened on a WebSocket; what its client gets."""
        from trunkline.aws.execute_api.kinds import socket_event

        return socket_event(self._served(), about)

    def _served(self) -> Apis:
        """What the kinds of APIs work with; made when it is first needed."""
        from trunkline.aws.execute_api.kinds import Apis

        with self._lock:
            if self._apis is None:
                self._apis = Apis(self._core)
            return self._apis

    def operate(self, verb: str, body: bytes) -> bytes:
        """Carries out a verb of the operator: JSON in, JSON out."""
        if self._operate is None:
            raise ServiceError("NotFound", f"There is no verb {verb!r} here.", 404)
        try:
            return self._operate(verb, body)
        except (EngineUnavailable, StorageFull) as error:
            raise ServiceError(error.code, str(error), 503) from error

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """The content type and the bytes of a file of the console."""
        from trunkline.console import asset

        return asset(name)

    def model(self, service: str) -> bytes:
        """The model of `service`, as JSON."""
        from trunkline.aws.models import read_model, unconstrained

        return unconstrained(read_model(service), self._services[service].unchecked)

    def reset(self, init: bool) -> None:
        """Everything was removed; with `init` it is set up again as it was in the beginning."""
        for store in self._stores.values():
            store.reset()
        with self._lock:
            if self._apis is not None:
                self._apis.reset()
        if init:
            for again in SET_UP.of(self._core):
                again()
