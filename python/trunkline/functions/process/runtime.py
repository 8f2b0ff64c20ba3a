"""Runs the versions of one function in processes, which are kept warm and used again."""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from trunkline.functions.invocation import failure
from trunkline.functions.process.environment import (
    INIT_SECONDS,
    Code,
    Environment,
    UnsupportedRuntimeError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from trunkline.functions.invocation import Invocation, Outcome
    from trunkline.functions.threads import Threads

    class KeptCode(Protocol):
        """The versions of one function, as the engine keeps them."""

        def unpack(self, version: str, folder: Path) -> Code:
            """Puts the code of a version into a folder."""

        def version_of(self, qualifier: str | None) -> str | None:
            """The version that a version or an alias stands for; None if there is none."""


IDLE_SECONDS = 300.0
"""How long a process waits for work before it is ended."""

END_SECONDS = 5.0
"""How long the end of an invocation and of its process may take."""


class ProcessRuntime:
    """The processes of one function."""

    grace: float = INIT_SECONDS + END_SECONDS
    is_kept = True

    def __init__(self, threads: Threads, kept: KeptCode) -> None:
        self._threads = threads
        self._kept = kept
        self._lock = Lock()
        self._codes: dict[str, Code] = {}
        self._idle: dict[str, list[Environment]] = {}
        self._all: set[Environment] = set()
        self._folder: Path | None = None
        self._begun = 0
        """Invocations that are under way: they need the unpacked code."""
        self._is_closed = False

    def version_of(self, qualifier: str | None) -> str | None:
        """The version that a call by a version or an alias runs; None if there is none."""
        return self._kept.version_of(qualifier)

    def start(self, invocation: Invocation) -> Future[Outcome]:
        """Begins an invocation."""
        future: Future[Outcome] = Future()

        def task() -> None:
            try:
                future.set_result(self._run(invocation))
            except BaseException as error:
                future.set_exception(error)

        self._threads.run(task)
        return future

    def _run(self, invocation: Invocation) -> Outcome:
        with self._lock:
            self._begun += 1
        try:
            return self._invoke(invocation)
        finally:
            with self._lock:
                self._begun -= 1
            self._clear()

    def _invoke(self, invocation: Invocation) -> Outcome:
        try:
            environment = self._take(invocation)
        except UnsupportedRuntimeError as error:
            return failure("Runtime.InvalidRuntime", str(error))
        except OSError as error:
            return failure("Runtime.InvalidEntrypoint", f"{type(error).__name__}: {error}")
        outcome, is_usable = environment.invoke(invocation)
        with self._lock:
            is_usable = is_usable and not self._is_closed
            if is_usable:
                self._idle.setdefault(invocation.version, []).append(environment)
            else:
                self._all.discard(environment)
        if not is_usable:
            environment.kill()
        return outcome

    def _clear(self) -> None:
        """Removes the unpacked code once nothing runs it any more."""
        with self._lock:
            if not self._is_closed or self._all or self._begun:
                return
            # An invocation that was about to begin when this was closed unpacks the code anew.
            folder, self._folder = self._folder, None
            self._codes.clear()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _take(self, invocation: Invocation) -> Environment:
        """A process that waits, the one that was used last; or a new one."""
        with self._lock:
            self._end_idle()
            waiting = self._idle.get(invocation.version, [])
            while waiting:
                environment = waiting.pop()
                if environment.is_alive():
                    return environment
                self._all.discard(environment)
            code = self._code(invocation.version)
        environment = Environment(code, invocation)
        with self._lock:
            self._all.add(environment)
        return environment

    def _code(self, version: str) -> Code:
        code = self._codes.get(version)
        if code is None:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="trunkline-function-"))
            folder = self._folder / version.lstrip("$")
            folder.mkdir()
            try:
                code = self._codes[version] = self._kept.unpack(version, folder)
            except Exception as error:
                # The archive may be damaged in many ways. The next invocation tries it anew.
                shutil.rmtree(folder, ignore_errors=True)
                raise OSError(f"the code cannot be unpacked: {error}") from error
        return code

    def _end_idle(self) -> None:
        until = time.monotonic() - IDLE_SECONDS
        for waiting in self._idle.values():
            for environment in [one for one in waiting if one.used_at < until]:
                waiting.remove(environment)
                self._all.discard(environment)
                environment.kill()

    def abandon(self, invocation: Invocation, future: Future[Outcome]) -> None:
        """The process of an invocation ends it by itself when its time is over."""

    def close(self) -> None:
        """Ends processes: those that wait at once, the others with their invocations."""
        with self._lock:
            self._is_closed = True
            waiting = [one for idle in self._idle.values() for one in idle]
            self._idle.clear()
            self._all.difference_update(waiting)
        for environment in waiting:
            environment.kill()
        self._clear()

    def kill(self) -> None:
        """Ends all processes at once: the engine is closed."""
        self.close()
        with self._lock:
            left, self._all = self._all, set()
        for environment in left:
            environment.kill()
        self._clear()
