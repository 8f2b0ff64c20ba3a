"""State machines of a server, and their executions."""

from __future__ import annotations

from time import monotonic, sleep

from trunkline.admin.forms import LIMIT_MAX
from trunkline.remote.routes import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOK_SECONDS = 0.1
"""How often a wait for the end of an execution looks at it."""


class RemoteMachine(Remote):
    """A state machine of a server; :meth:`RemoteEngine.machine` makes it."""

    __slots__ = ()

    _kind = "machine"

    def start(self, input: Any = None, *, name: str | None = None) -> RemoteExecution:
        """Start an execution, which is durable when this returns."""
        given = {"machine": self.name, "input": input, **({} if name is None else {"name": name})}
        return RemoteExecution(self, self._transport.owned("start", **given)["name"])

    def execution(self, name: str) -> RemoteExecution:
        """The execution of this name; raises ResourceNotFound if there is none."""
        return RemoteExecution(self, name).refresh()

    def executions(self, status: str | None = None) -> list[RemoteExecution]:
        """The executions, or those with a status, the newest first; 10,000 at most."""
        told = self._transport.owned(
            "executions", machine=self.name, status=status, limit=LIMIT_MAX
        )
        return [RemoteExecution(self, row["name"], row) for row in told["items"]]

    def _ask(self, verb: str, name: str, **more: Any) -> dict[str, Any]:
        return dict(self._transport.owned(verb, machine=self.name, name=name, **more))


class RemoteExecution:
    """An execution of a state machine of a server; :meth:`RemoteMachine.start` makes it.

    While it runs, each look at it asks the server.
    """

    __slots__ = {
        "_machine": "",
        "name": "The name, unique in its state machine.",
        "told": "What the server told last, as plain data; None if it was not asked yet.",
    }

    def __init__(
        self, machine: RemoteMachine, name: str, told: dict[str, Any] | None = None
    ) -> None:
        self._machine = machine
        self.name: str = name
        self.told: dict[str, Any] | None = told

    def refresh(self) -> RemoteExecution:
        """Ask the server again; return the execution."""
        self.told = self._machine._ask("execution", self.name)
        return self

    def _now(self, name: str = "status") -> Any:
        # A row of a list has no more than how the execution stands.
        if self.told is None or self.told["status"] == "RUNNING" or name not in self.told:
            self.refresh()
        return None if self.told is None else self.told[name]

    @property
    def status(self) -> str:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return str(self._now())

    @property
    def input(self) -> Any:
        """The input."""
        return self._now("input")

    @property
    def output(self) -> Any:
        """The output of an execution that ended well; None of any other."""
        return self._now("output")

    @property
    def error(self) -> str | None:
        """The name of the error of an execution that failed."""
        found: str | None = self._now("error")
        return found

    @property
    def cause(self) -> str | None:
        """What happened, if the execution failed."""
        found: str | None = self._now("cause")
        return found

    def history(self) -> list[dict[str, Any]]:
        """The events, the oldest first, as GetExecutionHistory has them."""
        return list(self._now("history"))

    def wait(self, timeout: float | None = None) -> RemoteExecution:
        """Wait until the execution has ended, up to `timeout` seconds; return it."""
        end = None if timeout is None else monotonic() + timeout
        while self.status == "RUNNING" and (end is None or monotonic() < end):
            sleep(LOOK_SECONDS)
        return self

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """End the execution now; one that has ended stays as it is."""
        self._machine._ask("stop", self.name, error=error, cause=cause)
        self.refresh()

    def as_dict(self) -> dict[str, Any]:
        """What the server tells of it, as plain data."""
        self._now("history")
        return dict(self.told or {})

    def __repr__(self) -> str:
        return f"<RemoteExecution {self.name!r} of {self._machine.name!r}>"
