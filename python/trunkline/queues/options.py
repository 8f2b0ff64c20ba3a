"""The options of a queue: which there are, and what they become in the engine's settings.

Names, units, defaults and ranges are the engine's table (`core/engine/src/queue/options.rs`), which
the AWS surface and the C ABI read as well. Only options that are given are compared with an
existing queue.
"""

from __future__ import annotations

from trunkline import validation
from trunkline._core import QueueSettings, milliseconds, queue_options
from trunkline.errors import (
    InvalidAttributeName,
    InvalidParameterValue,
    QueueDoesNotExist,
    QueueNameExists,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Queue as CoreQueue
    from trunkline.limits import Limits

    Find = Callable[[str], CoreQueue | None]


REDRIVE_SOURCES_MAX = 10
"""The most queues a dead-letter queue may name as its sources (AWS)."""


class Option:
    """One row of the engine's table."""

    __slots__ = ("aws_name", "default", "fifo_only", "least", "most", "name", "unit")

    def __init__(self, row: tuple[str, str, str, int, str | None, str | None, bool]) -> None:
        self.name: str = row[0]
        self.aws_name: str = row[1]
        self.unit: str = row[2]
        self.default: int = row[3]
        self.least: str | None = row[4]
        self.most: str | None = row[5]
        self.fifo_only: bool = row[6]

    @property
    def setting(self) -> str:
        """The option's name in the engine's settings."""
        return "dedup_per_group" if self.unit == "scope" else self.name

    def bounds(self, limits: Limits) -> tuple[int, int]:
        """The least and the greatest value, in the option's unit."""
        least = getattr(limits, self.least) if self.least else 0
        return least, getattr(limits, self.most) if self.most else 1

    def check(self, value: Any, limits: Limits) -> Any:
        """The value of a caller as a setting; raises for one that is not allowed."""
        if self.unit == "milliseconds":
            return milliseconds(value, self.name, *self.bounds(limits))
        if self.unit == "bytes":
            return validation.count(value, self.name, *self.bounds(limits))
        if self.unit == "flag":
            return validation.flag(value, self.name)
        return _scope(value)

    def as_setting(self, value: int) -> int | bool:
        """A number of the table as a setting."""
        return bool(value) if self.unit in ("flag", "scope") else value

    def as_option(self, setting: Any) -> Any:
        """A setting as its caller would write it."""
        if self.unit == "milliseconds":
            return setting / 1_000
        if self.unit == "scope":
            return "group" if setting else "queue"
        return setting


TABLE = {row[0]: Option(row) for row in queue_options()}
"""Every option that the engine knows, by name."""

NAMES = (*TABLE, "dead_letter", "max_receive_count", "redrive_allow")
"""Every option, as :class:`trunkline.QueueOptions` types them."""

_SETTINGS = ("fifo", *(option.setting for option in TABLE.values()), "dead_letter")

_NONE_MEANS_NONE = ("dead_letter", "redrive_allow")


def defaults(fifo: bool, limits: Limits) -> dict[str, Any]:
    """The settings of a queue that names no option.

    >>> from trunkline.limits import Limits
    >>> defaults(False, Limits())["visibility_timeout"]
    30000
    """
    settings: dict[str, Any] = {"fifo": fifo, "dead_letter": None}
    for option in TABLE.values():
        least, most = option.bounds(limits)
        settings[option.setting] = option.as_setting(max(least, min(option.default, most)))
    return settings


def provided(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, by name; raises TypeError for a name that is none.

    None counts as not given, except for `dead_letter` and `redrive_allow`, which it takes away.

    >>> provided({"delay": None, "retention": 60})
    {'retention': 60}
    >>> provided({"visibility": 60})
    Traceback (most recent call last):
    TypeError: a queue has no option 'visibility'; did you mean 'visibility_timeout'?
    """
    for name in options:
        if name not in NAMES:
            raise TypeError(f"a queue has no option {validation.unknown(name, NAMES)}")
    return {
        name: value
        for name, value in options.items()
        if value is not None or name in _NONE_MEANS_NONE
    }


def complete(wanted: dict[str, Any], queue: CoreQueue, engine: CoreEngine) -> dict[str, Any]:
    """The options that were given; of dead_letter and max_receive_count both, if one was given."""
    pair = {"dead_letter", "max_receive_count"}
    named = pair & wanted.keys()
    if len(named) != 1 or wanted.get("dead_letter", "") is None:
        return wanted
    (other,) = pair - named
    current = as_options(queue, engine)[other]
    return wanted if current is None else {**wanted, other: current}


def to_settings(
    options: Mapping[str, Any], fifo: bool, limits: Limits, find: Find, name: str
) -> dict[str, Any]:
    """The checked values of the options that were given, as settings of the engine."""
    settings = {}
    for option in TABLE.values():
        if option.name not in options:
            continue
        value = options[option.name]
        # What settings() tells of a standard queue may be given back to it.
        if option.fifo_only and not fifo and value != option.as_option(option.default):
            raise InvalidAttributeName(
                f"You can specify the {option.name} only for a FIFO queue; "
                "a FIFO queue's name ends in .fifo."
            )
        settings[option.setting] = option.check(value, limits)
    if "dead_letter" in options or "max_receive_count" in options:
        settings["dead_letter"] = _dead_letter(options, fifo, limits, find, name)
    return settings


def as_dict(settings: QueueSettings) -> dict[str, Any]:
    """The settings by name, to make changed ones of."""
    return {name: getattr(settings, name) for name in _SETTINGS}


def as_options(queue: CoreQueue, engine: CoreEngine) -> dict[str, Any]:
    """The options of `queue` as its caller would write them."""
    from trunkline.queues.metadata import read_metadata

    settings = queue.settings
    dead, deliveries = settings.dead_letter or (None, None)
    target = None if dead is None else engine.queue_by_id(dead)
    found = {
        name: option.as_option(getattr(settings, option.setting)) for name, option in TABLE.items()
    }
    found["dead_letter"] = None if target is None else target.name
    found["max_receive_count"] = deliveries
    found["redrive_allow"] = read_metadata(queue).get("redrive_allow")
    return found


def compare(current: QueueSettings, wanted: Mapping[str, Any], options: Iterable[str]) -> None:
    """Raises QueueNameExists for the first option whose value differs from the queue's."""
    for option in options:
        setting = _SETTING_OF.get(option, option)
        if setting in wanted and getattr(current, setting) != wanted[setting]:
            _differs(option)


def compare_redrive(current: object, wanted: object) -> None:
    """The same for ``redrive_allow``, which the engine does not know."""
    if current != wanted:
        _differs("redrive_allow")


def redrive_allow(value: object, limits: Limits) -> str | list[str] | None:
    """Which queues may name this one as their dead-letter queue, as it is stored.

    >>> from trunkline.limits import Limits
    >>> redrive_allow(["orders"], Limits()), redrive_allow("none", Limits())
    (['orders'], 'none')
    """
    if value is None or value == "all":
        return None
    if value == "none":
        return "none"
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise InvalidParameterValue(
            f"Value {value!r} for parameter redrive_allow is invalid. Reason: Must be 'all', "
            "'none' or the names of the queues that may use this one for their dead letters."
        )
    names = [_name_of(source) for source in value]
    for name in names:
        validation.queue_name(name, limits)
    if not 0 < len(names) <= REDRIVE_SOURCES_MAX:
        raise InvalidParameterValue(
            f"Value of {len(names)} names for parameter redrive_allow is invalid. "
            f"Reason: Must be between 1 and {REDRIVE_SOURCES_MAX} names."
        )
    return sorted(set(names))


def _dead_letter(
    options: Mapping[str, Any], fifo: bool, limits: Limits, find: Find, name: str
) -> tuple[int, int] | None:
    target = options.get("dead_letter")
    if target is None and "dead_letter" in options and options.get("max_receive_count") is None:
        return None
    if target is None or "max_receive_count" not in options:
        raise InvalidParameterValue(
            "dead_letter and max_receive_count belong together. Reason: A message goes to the "
            "queue dead_letter after max_receive_count deliveries; give both."
        )
    most = limits.max_receive_count_max
    deliveries = validation.count(options["max_receive_count"], "max_receive_count", 1, most)
    target = _name_of(target)
    if validation.queue_name(target, limits) is not fifo:
        kind = "a FIFO" if fifo else "a standard"
        raise InvalidParameterValue(
            f"Value {target!r} for parameter dead_letter is invalid. Reason: The dead-letter queue "
            f"of {kind} queue must also be {kind} queue."
        )
    if target == name:
        raise InvalidParameterValue(
            f"Value {target!r} for parameter dead_letter is invalid. Reason: A queue cannot keep "
            "its own dead letters; name another queue."
        )
    queue = find(target)
    if queue is None:
        raise QueueDoesNotExist(
            f"The dead-letter queue {target!r} does not exist; create it first."
        )
    _check_permission(queue, name)
    return queue.id, deliveries


def _check_permission(queue: CoreQueue, source: str) -> None:
    from trunkline.queues.metadata import read_metadata

    allowed = read_metadata(queue).get("redrive_allow")
    if allowed is None or (isinstance(allowed, list) and source in allowed):
        return
    raise InvalidParameterValue(
        f"Value {queue.name!r} for parameter dead_letter is invalid. Reason: Its redrive_allow "
        f"does not permit {source!r} as a source; change redrive_allow of {queue.name!r} first."
    )


def _name_of(queue: object) -> str:
    """A queue's name, from the name or from the queue itself."""
    name = queue if isinstance(queue, str) else getattr(queue, "name", None)
    if isinstance(name, str):
        return name
    raise TypeError(f"a queue must be named by a str or a Queue, not {type(queue).__name__}")


def _differs(option: str) -> None:
    raise QueueNameExists(
        f"A queue already exists with the same name and a different value for attribute {option}; "
        "leave the option out, or change the queue with configure()."
    )


def _scope(value: Any) -> bool:
    if value in ("queue", "group"):
        return bool(value == "group")
    raise InvalidParameterValue(
        f"Value {value!r} for parameter dedup_scope is invalid. Reason: Must be 'queue' or 'group'."
    )


_SETTING_OF = {option.name: option.setting for option in TABLE.values()} | {
    "max_receive_count": "dead_letter"
}
