"""What replays of event buses and of topics share: moments in time, and the wait for the end."""

from __future__ import annotations

from datetime import datetime
from time import monotonic, sleep

from trunkline._core import milliseconds
from trunkline.errors import InvalidParameterValue
from trunkline.limits import WAIT_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline._types import Seconds

RUNNING = "RUNNING"
"""The status of a replay that has not ended."""

LOOK_SECONDS = 0.02
"""How often a wait for the end of a replay looks at it."""

FOREVER_MS = 2**53
"""A time behind every event and every message."""


def wait(status: Callable[[], str], timeout: Seconds | None) -> str:
    """The status of a replay once it has ended; raises TimeoutError after `timeout` seconds."""
    span = None if timeout is None else milliseconds(timeout, "timeout", 0, WAIT_MAX_MS) / 1_000
    end = None if span is None else monotonic() + span
    while (now := status()) == RUNNING:
        if end is not None and monotonic() >= end:
            raise TimeoutError("The replay has not ended yet; wait again.")
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
