"""What replays of event buses and of topics share: what they tell, and moments in time."""

from __future__ import annotations

from datetime import datetime
from time import monotonic, sleep

from trunkline._core import milliseconds
from trunkline.errors import InvalidParameterValue
from trunkline.limits import WAIT_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._types import Seconds

RUNNING = "RUNNING"
"""The status of a replay that has not ended."""

LOOK_SECONDS = 0.02
"""How often a wait for the end of a replay looks at it."""

FOREVER_MS = 2**53
"""A time behind every event and every message."""


def wait(status: Callable[[], str], timeout: Seconds | None, what: str = "replay") -> str:
    """The status of a replay, or of another move of messages, once it has ended.

    Raises TimeoutError after `timeout` seconds.
    """
    span = None if timeout is None else milliseconds(timeout, "timeout", 0, WAIT_MAX_MS) / 1_000
    end = None if span is None else monotonic() + span
    while (now := status()) == RUNNING:
        if end is not None and monotonic() >= end:
            raise TimeoutError(f"The {what} has not ended yet; wait again.")
        sleep(LOOK_SECONDS)
    return now


def moment(time: datetime | float, field: str) -> int:
    """A time in milliseconds since the epoch.

    >>> moment(1.5, "start")
    1500
    """
    if isinstance(time, datetime):
        if time.tzinfo is None:
            raise InvalidParameterValue(
                f"Value {time} for parameter {field} is invalid. Reason: The datetime has no time "
                "zone; give it one, such as datetime.UTC."
            )
        time = time.timestamp()
    return milliseconds(time, field, 0, FOREVER_MS)


class ReplayState:
    """What a replay tells of itself."""

    __slots__ = ()

    def _read(self) -> dict[str, Any]:
        """What the engine says of the replay."""
        raise NotImplementedError

    @property
    def status(self) -> str:
        """``RUNNING``, ``COMPLETED``, ``FAILED`` or, of an event bus, ``CANCELLED``."""
        status: str = self._read()["status"]
        return status

    @property
    def replayed(self) -> int:
        """How many events or messages were replayed so far."""
        replayed: int = self._read()["replayed"]
        return replayed

    @property
    def failure(self) -> str | None:
        """Why the replay failed; None if it did not."""
        failure: str | None = self._read()["failure"]
        return failure

    def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the replay has ended; raise TimeoutError after `timeout` seconds.

        A replay that FAILED says why in `failure`. A virtual clock has to be moved on meanwhile.
        """
        return wait(lambda: self.status, timeout)
