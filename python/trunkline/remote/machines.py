"""State machines of a server, and their executions."""

from __future__ import annotations

from time import monotonic, sleep

from trunkline.remote.noun import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOK_SECONDS = 0.1
"""How often a wait for the end of an execution looks at it."""


class RemoteMachine(Remote, kind="machine"):
    """A state machine of a server; :meth:`RemoteEngine.machine` makes it."""

    __slots__ = ()


class RemoteExecution(Remote, kind="execution"):
    """An execution of a state machine of a server; :meth:`RemoteMachine.start` makes it."""

    __slots__ = ()

    def wait(self, timeout: float | None = None) -> RemoteExecution:
        """Wait until the execution has ended, up to `timeout` seconds; return it."""
        end = None if timeout is None else monotonic() + timeout
        while self._ask("status") == "RUNNING" and (end is None or monotonic() < end):
            sleep(LOOK_SECONDS)
        return self

    def as_dict(self) -> dict[str, Any]:
        """What the server tells of it, as plain data."""
        told = self.refresh()._facts or {}
        return {"name": self.name, **told, "history": self._ask("history")}

    def __repr__(self) -> str:
        return f"<RemoteExecution {self.name!r} of {self._at[0]!r}>"
