"""The mappings of one engine that run: tasks of one event loop, in a thread of their own."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from threading import Lock, Thread

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
    from asyncio import AbstractEventLoop
    from typing import Any

_lock = Lock()
_runners: dict[int, Runner] = {}
"""The runners that have mappings at work, by the identity of the engine, which each keeps."""

PREFIX = "lambda/mappings/"
"""Where the documents of mappings are."""

END_SECONDS = 5.0
"""How long the end of a mapping is waited for."""

RETRY_SECONDS = 1.0
"""How long a mapping rests after an error that its poller does not know."""

log: logging.Logger = logging.getLogger("trunkline")


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    with _lock:
        return _runners.setdefault(id(store.core), Runner(store))


def mapping_key(document: dict[str, Any]) -> str:
    """The key of a mapping's document."""
    return f"{PREFIX}{document['region']}/{document['account']}/{document['uuid']}"


class Runner:
    """Starts and stops what reads event sources."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._services: ServiceInvoker | None = None
        self._lock = Lock()
        self._loop: AbstractEventLoop | None = None
        self._running: dict[str, tuple[asyncio.Event, Future[None]]] = {}

    def start(self, document: dict[str, Any]) -> None:
        """Lets a mapping run as its document says; an earlier one of its id ends first."""
        self.stop(document["uuid"])
        with _lock:
            # The last mapping to stop has taken this one out.
            current = _runners.setdefault(id(self._store.core), self)
            if current is self:
                self._begin(document)
                return
        current.start(document)

    def _begin(self, document: dict[str, Any]) -> None:
        with self._lock:
            if self._services is None:
                self._services = ServiceInvoker(self._store.core)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                name = "trunkline-event-sources"
                Thread(target=_run, args=(self._loop,), name=name, daemon=True).start()
            stop = asyncio.Event()
            work = self._work(document, self._services, stop)
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._running[document["uuid"]] = (stop, future)

    def stop(self, uuid: str) -> None:
        """Has a mapping end once the batches under way are done; waits a while for that."""
        with self._lock:
            running = self._running.pop(uuid, None)
            loop = self._loop
        if running is None or loop is None:
            return
        stop, future = running
        loop.call_soon_threadsafe(stop.set)
        try:
            future.result(END_SECONDS)
        except TimeoutError:
            # A function that takes long: its batch is ended, and nothing more is read.
            return
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        """Ends the thread once no mapping runs; the next one begins anew."""
        with _lock, self._lock:
            if self._running or self._loop is None:
                return
            loop, self._loop = self._loop, None
            if _runners.get(id(self._store.core)) is self:
                del _runners[id(self._store.core)]
        loop.call_soon_threadsafe(loop.stop)

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
            self._end_if_idle()

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


def _run(loop: AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
