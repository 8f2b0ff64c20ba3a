"""The mappings of one engine that run, each with a poller."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from threading import Lock

from trunkline._per_engine import PerEngine
from trunkline.aws import polling
from trunkline.aws.arns import read_resource
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.lambda_.documents import key_of
from trunkline.aws.lambda_.pollers.invoker import Invoker
from trunkline.aws.lambda_.pollers.queue import QueuePoller
from trunkline.aws.lambda_.pollers.stream import StreamPoller
from trunkline.aws.store import Store
from trunkline.errors import EngineUnavailable
from trunkline.functions.names import FunctionName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.polling import Poller

PREFIX = "lambda/mappings/"
"""Where the documents of mappings are."""

END_SECONDS = 5.0
"""How long the end of a mapping is waited for."""

RETRY_SECONDS = 1.0
"""How long a mapping rests after an error that its poller does not know."""

log: logging.Logger = logging.getLogger("trunkline")


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    return _RUNNERS.of(store.core)


def mapping_key(document: dict[str, Any]) -> str:
    """The key of a mapping's document."""
    return f"{PREFIX}{document['region']}/{document['account']}/{document['uuid']}"


class Runner:
    """Starts and stops what reads event sources."""

    def __init__(self, core: CoreEngine) -> None:
        self._store = Store(core)
        self._lock = Lock()
        self._services: ServiceInvoker | None = None
        self._running: dict[str, tuple[asyncio.Event, Poller]] = {}

    def start(self, document: dict[str, Any]) -> None:
        """Lets a mapping run as its document says; an earlier one of its id ends first."""
        self.stop(document["uuid"])
        with self._lock:
            self._begin(document)

    def _begin(self, document: dict[str, Any]) -> None:
        if self._services is None:
            self._services = ServiceInvoker(self._store.core)
        services, stop = self._services, asyncio.Event()
        poller = polling.start(self._store.core, lambda: self._work(document, services, stop))
        self._running[document["uuid"]] = (stop, poller)

    def stop(self, uuid: str) -> None:
        """Has a mapping end once the batches under way are done; waits a while for that."""
        with self._lock:
            running = self._running.pop(uuid, None)
        if running is None:
            return
        stop, poller = running
        poller.tell(stop.set)
        # A function may take longer: its batch is ended, and nothing more is read.
        with suppress(TimeoutError):
            poller.future.result(END_SECONDS)

    async def _work(
        self, document: dict[str, Any], services: ServiceInvoker, stop: asyncio.Event
    ) -> None:
        try:
            await self._poll(document, services, stop)
        finally:
            with self._lock:
                own = self._running.get(document["uuid"])
                if own is not None and own[0] is stop:
                    del self._running[document["uuid"]]

    async def _poll(
        self, document: dict[str, Any], services: ServiceInvoker, stop: asyncio.Event
    ) -> None:
        """Reads the source until it is stopped or the engine is closed; goes on after an error."""
        while not stop.is_set():
            try:
                await self._poller(document, services).run(stop)
            except EngineUnavailable:
                # What was not handled is there at the next opening.
                return
            except Exception:
                log.exception("event source mapping %s: tried again", document["uuid"])
                await asyncio.sleep(RETRY_SECONDS)

    def _is_current(self, document: dict[str, Any]) -> bool:
        """Whether a mapping is as it was begun: another process or a reset may have removed it."""
        kept = self._store.get(mapping_key(document))
        return kept is not None and kept["modified"] == document["modified"]

    def _poller(
        self, document: dict[str, Any], services: ServiceInvoker
    ) -> QueuePoller | StreamPoller:
        source = read_resource(document["source"])
        assert source is not None
        name = FunctionName(document["account"], document["region"], document["function"])
        invoker = Invoker(
            self._store, name, document["qualifier"], lambda: self._is_current(document)
        )
        if source.service == "sqs":
            return QueuePoller(self._store.core, services, source, document["settings"], invoker)
        kept = self._store.get(key_of(name))
        role = f"arn:aws:iam::{name.account}:role/program"
        if kept is not None:
            role = kept["latest"]["config"].get("Role", role)
        return StreamPoller(self._store, source, document, role, invoker)


_RUNNERS = PerEngine(Runner)
