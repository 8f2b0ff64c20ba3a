"""One task of an execution, and what is reported of it."""

from __future__ import annotations

import json

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Perform = Callable[["Task"], "list[Report]"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The execution that a task is of."""

    account: str
    region: str
    machine: str
    execution: str

    @property
    def machine_name(self) -> tuple[str, str, str]:
        """The full name of the state machine."""
        return self.account, self.region, self.machine


@dataclass(frozen=True, slots=True)
class Task:
    """What a Task state asks for."""

    owner: Owner
    resource: str
    """The ARN of what is called."""
    input: str
    """The parameters, a JSON text."""
    token: str
    """By it the end is reported."""
    credentials: str | None = None
    attempt: int = 0
    timeout_seconds: int | None = None
    state: str = ""
    """The name of the Task state, where it is known."""

    @property
    def account(self) -> str:
        """The account whose services it calls: that of the role which it takes on, if any."""
        role = "" if self.credentials is None else str(json.loads(self.credentials)["RoleArn"])
        parts = role.split(":")
        return parts[4] if role.startswith("arn:") and len(parts) > 4 else self.owner.account


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a task.

    The kinds are ``started``, ``submitted``, ``succeeded``, ``failed``, ``schedule-failed``,
    ``start-failed``, ``submit-failed``, ``map-run-succeeded`` and ``map-run-failed``.
    """

    kind: str
    first: str | None = None
    """The output as JSON text, or the name of the error."""
    second: str | None = None
    """The cause of a failure."""


def failed(error: str, cause: str | None, kind: str = "failed") -> Report:
    """A failure."""
    return Report(kind, error, cause)
