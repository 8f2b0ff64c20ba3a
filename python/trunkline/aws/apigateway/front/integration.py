"""What an integration is asked, and what it answers."""

from __future__ import annotations

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.message import Headers


@dataclass(slots=True)
class IntegrationRequest:
    """The request to an integration, after all mappings."""

    method: str
    uri: str
    headers: dict[str, str]
    """Names in lower case."""
    query: dict[str, list[str]]
    body: bytes
    timeout: float
    """Seconds."""


@dataclass(slots=True)
class IntegrationAnswer:
    """What an integration answered."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    error: str | None = None
    """The message of a function that failed; selection patterns of functions look at it."""

    @property
    def selector(self) -> str:
        """What selection patterns look at."""
        return str(self.status) if self.error is None else self.error


def status_of(value: Any) -> int:
    """The status of an answer that has a body; raises ValueError for what is none.

    >>> status_of("404")
    404
    """
    try:
        status = int(value)
    except (TypeError, OverflowError):
        raise ValueError(f"{value!r} is no number") from None
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of an answer")
    return status
