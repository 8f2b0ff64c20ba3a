"""Every bound in one table, to be raised by the embedder."""

from __future__ import annotations

from trunkline._core import aws_limits, check_limits, default_limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import ClassVar, Self

WAIT_MAX_MS = 365 * 86_400_000
"""The longest wait of one call, in milliseconds: a year. AWS's 20 seconds bind only its surface."""


class LimitTable:
    """A table of limits: every name is an attribute, which a keyword changes."""

    __slots__ = ("_table",)

    _defaults: ClassVar[dict[str, int]]
    _check: ClassVar[staticmethod[[dict[str, int]], None]]

    def __init__(self, **changes: int) -> None:
        for name, value in changes.items():
            if name not in self._defaults:
                known = ", ".join(sorted(self._defaults))
                raise TypeError(f"there is no limit named {name}; the limits are {known}")
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"limit {name} must be an int, not {type(value).__name__}")
        self._check(changes)
        self._table = {**self._defaults, **changes}

    def __getattr__(self, name: str) -> int:
        if name == "_table":
            # A copy or an unpickling looks before there is a table.
            raise AttributeError(name)
        try:
            return self._table[name]
        except KeyError:
            raise AttributeError(f"there is no limit named {name}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._table == other._table

    def __hash__(self) -> int:
        return hash(tuple(self._table.items()))

    def __repr__(self) -> str:
        default = self._defaults
        changed = (f"{name}={value}" for name, value in self.items() if value != default[name])
        return f"Limits({', '.join(changed)})"

    def __str__(self) -> str:
        return "\n".join(f"{name} = {value}" for name, value in self.items())

    def items(self) -> Iterator[tuple[str, int]]:
        """The names and values of the table.

        >>> import trunkline
        >>> dict(trunkline.Limits().items())["batch_entries_max"]
        10
        """
        return iter(self._table.items())


class Limits(LimitTable):
    """The limits of one engine, in milliseconds, bytes, characters and counts.

    Every name of the table is an attribute; ``limits.items()`` lists them. The defaults are AWS's
    values, but for the rules that only protect AWS's own operation, such as the minute for which
    the name of a deleted queue is refused: `Limits.aws()` has those too. Give the values that shall
    differ:

    >>> import trunkline
    >>> trunkline.Limits(message_bytes_max=16_000_000).message_bytes_max
    16000000
    >>> trunkline.Limits().delay_max
    900000
    """

    __slots__ = ()

    _defaults: ClassVar[dict[str, int]] = default_limits()
    _check = staticmethod(check_limits)

    @classmethod
    def aws(cls, **changes: int) -> Self:
        """The limits with the rules that only protect AWS's own operation.

        A name of a queue that was deleted is refused for 60 seconds (`QueueDeletedRecently`), and a
        queue may be purged once in 60 seconds (`PurgeQueueInProgress`). Streams take time to change
        and are throttled, and quotas of an account hold: `docs/streams.md`.

        >>> import trunkline
        >>> trunkline.Limits.aws().recreate_interval, trunkline.Limits().recreate_interval
        (60000, 0)
        """
        return cls(**{**aws_limits(), **changes})
