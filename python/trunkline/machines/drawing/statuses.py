"""What an execution did: how each state stands, and which way it took, from its history."""

from __future__ import annotations

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SUCCEEDED, FAILED, CAUGHT = "succeeded", "failed", "caught"
RUNNING, ABORTED, TIMED_OUT = "running", "aborted", "timed out"

_ENDS = {"ExecutionFailed": FAILED, "ExecutionAborted": ABORTED, "ExecutionTimedOut": TIMED_OUT}


@dataclass(slots=True)
class Path:
    """How the states of an execution stand, by name; and the ways from state to state."""

    statuses: dict[str, str] = field(default_factory=dict)
    taken: set[tuple[str, str]] = field(default_factory=set)


def path_of(history: Iterable[dict[str, Any]]) -> Path:
    """The path of a history, whose events are as GetExecutionHistory has them.

    >>> entered = {"id": 2, "previousEventId": 0, "type": "PassStateEntered"}
    >>> path_of([entered | {"stateEnteredEventDetails": {"name": "A"}}]).statuses
    {'A': 'running'}
    """
    return _Walk().walk(history)


class _Walk:
    def __init__(self) -> None:
        self._path = Path()
        self._names: dict[int, str] = {}
        """The state that each event is of."""
        self._exits: dict[int, str] = {}
        self._failing: set[str] = set()

    def walk(self, history: Iterable[dict[str, Any]]) -> Path:
        """Takes all events."""
        for event in history:
            self._take(event)
        return self._path

    def _take(self, event: dict[str, Any]) -> None:
        kind, before = str(event["type"]), int(event["previousEventId"])
        number, statuses = int(event["id"]), self._path.statuses
        entered, exited = (event.get(f"state{part}EventDetails") for part in ("Entered", "Exited"))
        if entered is not None:
            name = self._names[number] = str(entered["name"])
            if before in self._exits:
                self._path.taken.add((self._exits[before], name))
            self._failing.discard(name)
            statuses[name] = RUNNING
            return
        if exited is not None:
            name = self._exits[number] = self._names[number] = str(exited["name"])
            statuses[name] = CAUGHT if name in self._failing else SUCCEEDED
            return
        if kind in _ENDS:
            self._end(_ENDS[kind], before)
            return
        owner = self._names.get(before)
        if owner is not None:
            self._names[number] = owner
            if kind.endswith(("Failed", "TimedOut")):
                self._failing.add(owner)
            elif kind.endswith("Succeeded"):
                self._failing.discard(owner)

    def _end(self, status: str, before: int) -> None:
        statuses = self._path.statuses
        for name, found in statuses.items():
            if found == RUNNING:
                is_cause = name in self._failing or name == self._names.get(before)
                statuses[name] = status if is_cause or status != FAILED else ABORTED
