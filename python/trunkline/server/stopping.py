"""A request to stop, which a signal handler may make at any moment."""

from __future__ import annotations

from _queue import Empty, SimpleQueue


class Stopping:
    """What `threading.Event` is, for signal handlers.

    A handler runs between two instructions of the thread that it interrupts. If that thread is in
    the middle of ``Event.wait`` or ``Event.set``, it holds the lock of the event, and a handler
    that sets the event waits for ever. ``SimpleQueue.put`` holds no lock.

    >>> stopping = Stopping()
    >>> stopping.wait(0)
    False
    >>> stopping.set()
    >>> stopping.wait(), stopping.is_set()
    (True, True)
    """

    def __init__(self) -> None:
        self._is_set = False
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Asks everything that waits to stop; a second call changes nothing."""
        self._is_set = True
        self._tokens.put(None)

    def is_set(self) -> bool:
        """Whether it was asked."""
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is asked, at most `timeout` seconds; whether it was."""
        if not self._is_set:
            try:
                self._tokens.get(timeout=timeout)
            except Empty:
                return self._is_set
            # For the next one that waits.
            self._tokens.put(None)
        return self._is_set
