"""What a function is: its options, checked and in the engine's units."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._types import Seconds

TIMEOUT_MS_MAX = 900_000
"""The longest time of one invocation: Lambda's bound, 15 minutes."""

CONCURRENCY_MAX = 1_000
"""The most invocations at once: Lambda's bound for an account."""

RETRIES_MAX = 2
"""How often an asynchronous invocation that failed is tried again at most: Lambda's bound."""

AGE_MS = (60_000, 21_600_000)
"""The range of the age of an asynchronous invocation: Lambda's, one minute to six hours."""

MEMORY_MB_DEFAULT = 128
"""What the context calls the memory of a function that names none: Lambda's default."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of asynchronous invocations. Targets are ids of resources of the engine."""

    retries: int = RETRIES_MAX
    max_age: int = AGE_MS[1]
    on_success: int | None = None
    on_failure: int | None = None
    dead_letter: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What a function is, beside its code. Times are milliseconds."""

    timeout: int = 3_000
    concurrency: int | None = None
    """How many invocations run at once; None for what the account has."""
    memory: int = MEMORY_MB_DEFAULT
    logs: bool = False
    policy: Policy = Policy()
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """What becomes of asynchronous invocations of a version or an alias, if it says so itself."""
    log_group: str | None = None
    """Where its log is, if not in the group of its name."""
    logs_json: bool = False
    """Whether the lines of its log are JSON."""

    def policy_of(self, qualifier: str | None) -> Policy:
        """What becomes of asynchronous invocations by this version or alias."""
        return self.policies.get(qualifier or "", self.policy)

    @property
    def slots(self) -> int:
        """How many invocations run at once."""
        return CONCURRENCY_MAX if self.concurrency is None else self.concurrency


def checked(
    *,
    timeout: Seconds,
    concurrency: int | None,
    retries: int,
    max_age: Seconds,
    logs: bool,
    **targets: Any,
) -> Definition:
    """The definition of options that a caller gave; `targets` are ids.

    >>> checked(timeout=5, concurrency=2, retries=1, max_age=60, logs=False).timeout
    5000
    """
    if concurrency is not None:
        validation.count(concurrency, "concurrency", 1, CONCURRENCY_MAX)
    return Definition(
        timeout=milliseconds(timeout, "timeout", 1, TIMEOUT_MS_MAX),
        concurrency=concurrency,
        logs=validation.flag(logs, "logs"),
        policy=Policy(
            retries=validation.count(retries, "retries", 0, RETRIES_MAX),
            max_age=milliseconds(max_age, "max_age", *AGE_MS),
            **targets,
        ),
    )
