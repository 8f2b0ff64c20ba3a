"""Threads that run functions: started when one is needed, kept for a while, never waited for.

A function that hangs must not keep the program from ending, so these are daemon threads; those of
``concurrent.futures`` are joined at the end of the program.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Lock, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS = 10.0
"""How long a thread waits for work before it ends."""


class Threads:
    """As many threads as there are tasks at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = Lock()
        self._idle = 0

    def run(self, task: Callable[[], None]) -> None:
        """Has a thread run `task`, which raises nothing."""
        with self._lock:
            is_new = self._idle == 0
            self._idle -= not is_new
        self._tasks.put(task)
        if is_new:
            Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._idle == 0:
                        # A task has been promised to a thread that waits, and this is one.
                        continue
                    self._idle -= 1
                    return
            task()
            del task
            with self._lock:
                self._idle += 1
