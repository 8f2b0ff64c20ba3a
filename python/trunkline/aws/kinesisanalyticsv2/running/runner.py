"""The applications of one engine at work: a thread for each that runs."""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread

from trunkline._per_engine import PerEngine
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.kinesisanalyticsv2.documents import PREFIX, name_of
from trunkline.aws.kinesisanalyticsv2.running.application import Application
from trunkline.aws.store import Store
from trunkline.errors import EngineUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.kinesisanalyticsv2.documents import Document

POLL_SECONDS = 0.1
"""How often an application looks for records."""

RETRY_SECONDS = 1.0
"""How long an application waits after an error before it begins anew."""

_log = logging.getLogger("trunkline")


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    return _RUNNERS.of(store.core)


def resume(store: Store) -> None:
    """Goes on with the applications that ran when the engine was closed."""
    runner = runner_of(store)
    for document in list(store.every(PREFIX)):
        if document["status"] == "RUNNING":
            runner.start(document)


class Runner:
    """Starts and stops applications."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self._clients: ServiceInvoker | None = None
        self._running: dict[str, _Running] = {}
        self._lock = Lock()
        self._is_closed = False

    def start(self, document: Document, *, is_new: bool = False) -> None:
        """Lets an application run as it is configured now. One that is new begins at the positions
        that were asked for; another one goes on where it stood."""
        key = name_of(document).key
        with self._lock:
            if self._is_closed:
                return
            earlier = self._running.pop(key, None)
            if earlier is not None:
                earlier.stop()
            if self._clients is None:
                self._clients = ServiceInvoker(self._core)
            application = Application(self._core, self._clients, document)
            if is_new:
                application.forget()
            self._running[key] = _Running(application)

    def stop(self, key: str) -> None:
        """Ends an application; what it keeps stays."""
        with self._lock:
            found = self._running.pop(key, None)
        if found is not None:
            found.stop()

    def remove(self, document: Document) -> None:
        """Ends an application for ever."""
        self.stop(name_of(document).key)
        Application(self._core, None, document).remove()

    def work_off(self, key: str) -> None:
        """Has an application work off what is there, within this call."""
        with self._lock:
            found = self._running.get(key)
        if found is not None:
            found.work_off()

    def close(self) -> None:
        """Ends all applications."""
        with self._lock:
            self._is_closed = True
            running, self._running = list(self._running.values()), {}
        for one in running:
            one.stop()


class _Running:
    """An application with its thread."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._ends = Event()
        self._lock = Lock()
        name = f"trunkline-analytics-{application.name}"
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def work_off(self) -> None:
        with self._lock:
            if not self._ends.is_set():
                self._application.process()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._ends.is_set():
                pause = POLL_SECONDS
                try:
                    self.work_off()
                except EngineUnavailable:
                    return
                except Exception:
                    _log.exception("application %s", self._application.name)
                    self._application.close()
                    pause = RETRY_SECONDS
                self._ends.wait(pause)
        finally:
            self._application.close()


_RUNNERS = PerEngine(Runner, Runner.close)
