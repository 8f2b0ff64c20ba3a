"""Watches a folder: looks at it again and again, and delivers each file once.

What was delivered is noted in the engine, in the step of the message: so a file is delivered once,
whenever the program ends and however it does.
"""

from __future__ import annotations

import json
import logging
import os
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import quote

from trunkline._core import WireStore
from trunkline._per_engine import PerEngine
from trunkline.errors import EngineUnavailable, TrunklineError
from trunkline.folders.delivery import Delivery, FileChangedError, UndeliverableError
from trunkline.folders.scan import device_of, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.engine import Engine
    from trunkline.folders.scan import FoundFile

LOOK_SECONDS = 0.05
"""How often a thread looks at a virtual clock, which others move."""

PAGE_NOTES = 1_000
"""How many notes are read at once."""


class FolderWatch:
    """A folder that is watched; :meth:`Engine.watch_folder` makes it. A context manager.

    >>> import pathlib, tempfile, trunkline
    >>> folder, engine = tempfile.TemporaryDirectory(), trunkline.open()
    >>> queue = engine.queue("files")
    >>> watch = engine.watch_folder(folder.name, queue, settle=0, interval=0.01)
    >>> written = pathlib.Path(folder.name, "a.csv").write_text("1,2")
    >>> queue.receive(wait=10)[0].json()["path"]
    'a.csv'
    >>> watch.close()
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        path: Path,
        delivery: Delivery,
        *,
        pattern: str,
        recursive: bool,
        times: tuple[float, float],
    ) -> None:
        self.name = name
        """The name, by which the engine notes what was delivered."""
        self.path = path
        """The folder."""
        self._core = engine._core
        self._store = WireStore(engine._core)
        self._delivery = delivery
        self._pattern, self._recursive = pattern, recursive
        self._interval, self._settle = times
        self._prefix = f"folders/{quote(name, safe='')}/"
        self._delivered: set[str] = set()
        self._since: dict[str, float] = {}
        """Since when files that are not delivered yet are as they are, by their identity."""
        self._refused: set[str] = set()
        """The files of which was logged that the target never takes them."""
        self._warned = ""
        """The warning of the last look that delivered nothing."""
        self._polling = Lock()
        self._stopping = Event()

    def start(self) -> None:
        """Looks at the folder from now on, in the place of an earlier watch of this name."""
        _WATCHES.of(self._core).add(self)
        self._delivered = self._read_notes()
        Thread(target=self._run, name="trunkline-watch", daemon=True).start()

    def poll(self) -> int:
        """Look at the folder now; how many files were delivered.

        A file that could not be delivered is tried again later, before those behind it.
        """
        with self._polling:
            if self._stopping.is_set():
                return 0
            try:
                device = f"{os.stat(self.path).st_dev:x}"
                found = {file.identity: file for file in self._scan()}
            except OSError:
                # A folder that is not there for a while: nothing is forgotten.
                return 0
            delivered = self._deliver(self._settled(found))
            self._forget(found, device)
            return delivered

    def _scan(self) -> list[FoundFile]:
        return list(scan(self.path, self._recursive))

    def _settled(self, found: dict[str, FoundFile]) -> list[FoundFile]:
        """The new files that were long enough as they are, the oldest first."""
        now = self._core.now()
        waiting = {
            one: file
            for one, file in found.items()
            if one not in self._delivered
            and fnmatchcase(file.path.rpartition("/")[2], self._pattern)
        }
        self._since = {one: self._since.get(one, now) for one in waiting}
        self._refused &= waiting.keys()
        settled = [file for one, file in waiting.items() if now - self._since[one] >= self._settle]
        return sorted(settled, key=lambda file: (file.mtime_ns, file.path))

    def _deliver(self, files: list[FoundFile]) -> int:
        delivered = 0
        for file in files:
            note = json.dumps({"path": file.path, "at": self._core.now()}).encode()
            try:
                self._delivery.deliver(file, self._prefix + file.identity, note)
            except (FileChangedError, FileNotFoundError):
                continue
            except UndeliverableError as error:
                if file.identity not in self._refused:
                    self._refused.add(file.identity)
                    logging.getLogger("trunkline").warning("%s was not delivered", error)
                continue
            except EngineUnavailable:
                raise
            except (TrunklineError, OSError) as error:
                # Those behind it wait, so that they stay in order.
                self._warn(f"{file.path} was not delivered: {error}")
                break
            self._warned = ""
            self._delivered.add(file.identity)
            delivered += 1
        return delivered

    def _warn(self, text: str) -> None:
        """Logs what a look found, once for as long as each look finds the same."""
        if text != self._warned:
            self._warned = text
            logging.getLogger("trunkline").warning("%s", text)

    def _forget(self, found: dict[str, FoundFile], device: str) -> None:
        """Forgets files that have gone; of a device that is not there none has."""
        gone = [one for one in self._delivered if one not in found and device_of(one) == device]
        for one in gone:
            self._store.put_document(self._prefix + one, None)
            self._delivered.discard(one)

    def _read_notes(self) -> set[str]:
        found: set[str] = set()
        after = None
        while True:
            page = self._store.page(self._prefix, after, PAGE_NOTES)
            found.update(key.removeprefix(self._prefix) for key, _ in page)
            if len(page) < PAGE_NOTES:
                return found
            after = page[-1][0]

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.poll()
                self._wait()
        except EngineUnavailable:
            return

    def _wait(self) -> None:
        """Until the next look is due by the engine's clock."""
        due = self._core.now() + self._interval
        while (left := due - self._core.now()) > 0:
            if self._stopping.wait(min(left, LOOK_SECONDS)):
                return

    def close(self) -> None:
        """Watch no more. What was delivered stays noted, so a later watch goes on behind it."""
        _WATCHES.of(self._core).discard(self)
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        # A look that is under way ends first: two of one name would deliver twice.
        with self._polling:
            return

    def remove(self) -> None:
        """Watch no more, and forget what was delivered: a later watch delivers it again."""
        self.close()
        for one in self._read_notes():
            self._store.put_document(self._prefix + one, None)
        self._delivered.clear()

    def __enter__(self) -> FolderWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FolderWatch {self.name!r}>"


class _Watches:
    """The watches of one engine at work, by their names."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watches: dict[str, FolderWatch] = {}

    def add(self, watch: FolderWatch) -> None:
        """Lets a watch take the place of an earlier one of its name."""
        with self._lock:
            earlier = self._watches.get(watch.name)
            self._watches[watch.name] = watch
        if earlier is not None:
            earlier._stop()

    def discard(self, watch: FolderWatch) -> None:
        """Forgets a watch, unless a later one has its name."""
        with self._lock:
            if self._watches.get(watch.name) is watch:
                del self._watches[watch.name]

    def end(self) -> None:
        """Watches no folder any more."""
        for watch in list(self._watches.values()):
            watch._stop()


_WATCHES = PerEngine(lambda _: _Watches(), _Watches.end)
