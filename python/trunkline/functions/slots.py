"""How many invocations of a function run at once."""

from __future__ import annotations

from collections import deque
from threading import Event, Lock


class Slots:
    """A bound of what runs at once. A caller that waits comes before one that only tries."""

    def __init__(self, most: int) -> None:
        self._lock = Lock()
        self._most = most
        self._used = 0
        self._waiting: deque[Event] = deque()

    @property
    def used(self) -> int:
        """How many run."""
        return self._used

    def resize(self, most: int) -> None:
        """Changes the bound; what runs goes on."""
        with self._lock:
            self._most = most
            self._hand_out()

    def try_take(self) -> bool:
        """Takes a slot that is free and that no call waits for."""
        with self._lock:
            if self._used >= self._most or self._waiting:
                return False
            self._used += 1
            return True

    def take(self, seconds: float) -> bool:
        """Takes a slot; waits so long for one."""
        with self._lock:
            if self._used < self._most and not self._waiting:
                self._used += 1
                return True
            turn = Event()
            self._waiting.append(turn)
        if turn.wait(seconds):
            return True
        with self._lock:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def give_back(self) -> None:
        """Lets another one run."""
        with self._lock:
            self._used -= 1
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._used < self._most:
            self._used += 1
            self._waiting.popleft().set()
