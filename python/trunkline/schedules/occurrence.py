"""One occurrence of a schedule, as a function of this program gets it."""

from __future__ import annotations

import json
from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import LeasedDelivery


class Occurrence:
    """One occurrence of a schedule: what the function of the schedule is called with.

    >>> import trunkline
    >>> clock = trunkline.VirtualClock()
    >>> engine = trunkline.open(clock=clock)
    >>> def handle(occurrence):
    ...     print(occurrence.schedule, occurrence.scheduled_at, occurrence.json())
    >>> schedule = engine.schedule("tick", "at(2023-11-15T00:00:00)", handle, input={"n": 1})
    >>> clock.advance(7_200)
    tick 2023-11-15 00:00:00+00:00 {'n': 1}
    """

    __slots__ = {
        "attempt": "Which call for this occurrence this is, from one.",
        "execution_id": "The occurrence's id: the same at each attempt.",
        "input": "The input of the schedule as text; None if it has none.",
        "schedule": "The name of the schedule.",
        "scheduled_at": "The moment of the timetable, in UTC; it is called then or later.",
    }

    attempt: int
    execution_id: str
    input: str | None
    schedule: str
    scheduled_at: datetime

    def __init__(self, delivery: LeasedDelivery) -> None:
        told = json.loads(delivery.body)
        self.attempt = delivery.attempt
        self.execution_id = told["execution_id"]
        self.input = told["input"]
        self.schedule = told["schedule"]
        # datetime.fromisoformat of Python 3.10 does not know the Z.
        self.scheduled_at = datetime.fromisoformat(told["scheduled_at"].replace("Z", "+00:00"))

    def json(self) -> Any:
        """The input read as JSON.

        Raises InvalidParameterValue if it is none.
        """
        from trunkline.errors import InvalidParameterValue

        try:
            return json.loads(self.input or "")
        except ValueError as error:
            raise InvalidParameterValue(
                f"The input of the schedule {self.schedule!r} is not JSON: {error}. Use .input."
            ) from error

    def __repr__(self) -> str:
        return f"<Occurrence of {self.schedule!r} at {self.scheduled_at.isoformat()}>"


def input_for_functions(schedule: str, text: str | None) -> str:
    """What the engine keeps as the input of a schedule whose target is a function.

    >>> input_for_functions("tick", "a")[:40]
    '{"schedule": "tick", "scheduled_at": "<a'
    """
    return json.dumps(
        {
            "schedule": schedule,
            "scheduled_at": "<aws.scheduler.scheduled-time>",
            "execution_id": "<aws.scheduler.execution-id>",
            "input": text,
        }
    )
