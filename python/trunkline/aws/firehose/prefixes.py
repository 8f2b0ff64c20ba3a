"""Prefixes of objects: the expressions ``!{namespace:value}``, checked once and then evaluated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from trunkline._dataclasses import dataclass
from trunkline.aws.firehose.date_formats import DateFormat
from trunkline.aws.firehose.errors import invalid
from trunkline.aws.limits import (
    FILE_NAME_BYTES_MAX,
    FIREHOSE_NAME_CHARS_MAX,
    FIREHOSE_PREFIX_BYTES_MAX,
    FIREHOSE_PREFIX_CHARS_MAX,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Part = Callable[["Moment"], str]

HOURS = "yyyy/MM/dd/HH/"
"""What is added to a prefix that has no time of its own."""

_EXPRESSION = re.compile(r"!\{([A-Za-z]+):([^}]*)\}")
_PARTITIONS = ("partitionKeyFromQuery", "partitionKeyFromLambda")
_RANDOM_CHARS = 11
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_random = Random()


@dataclass(frozen=True, slots=True)
class Moment:
    """What the expressions of one object see."""

    at: datetime
    """When its oldest record came, in the time zone of the destination."""
    keys: Mapping[str, str]
    """The partition keys, as ``partitionKeyFromQuery:name``."""
    error: str = ""
    """Why records failed; empty for an object of records that did not."""


class Prefix:
    """One prefix, compiled.

    >>> prefix = Prefix("year=!{timestamp:yyyy}/shop=!{partitionKeyFromQuery:shop}/")
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> prefix.evaluate(Moment(at, {"partitionKeyFromQuery:shop": "7"}))
    'year=2026/shop=7/'
    """

    def __init__(self, text: str) -> None:
        self.names: list[tuple[str, str]] = []
        self._parts: list[Part] = []
        end = 0
        for found in _EXPRESSION.finditer(text):
            self._literal(text[end : found.start()])
            self.names.append((found[1], found[2]))
            self._parts.append(_part(found[1], found[2]))
            end = found.end()
        self._literal(text[end:])

    def _literal(self, text: str) -> None:
        if "!{" in text:
            raise invalid("The sequence !{ can only appear in expressions !{namespace:value}.")
        self._parts.append(lambda _: text)

    def has(self, namespace: str) -> bool:
        """Whether there is an expression of a namespace."""
        return any(name == namespace for name, _ in self.names)

    def evaluate(self, moment: Moment) -> str:
        """The prefix of one object."""
        return "".join(part(moment) for part in self._parts)


def _part(namespace: str, value: str) -> Part:
    if namespace == "timestamp":
        try:
            shown = DateFormat(value)
        except ValueError as error:
            raise invalid(f"Invalid timestamp expression {value!r}: {error}.") from None
        return lambda moment: shown.format(moment.at)
    if (namespace, value) == ("firehose", "error-output-type"):
        return lambda moment: moment.error
    if (namespace, value) == ("firehose", "random-string"):
        return lambda _: "".join(_random.choices(_LETTERS, k=_RANDOM_CHARS))
    if namespace in _PARTITIONS and value:
        return lambda moment: moment.keys[f"{namespace}:{value}"]
    raise invalid(f"Unknown expression !{{{namespace}:{value}}} in a prefix.")


def compiled(text: str) -> Prefix:
    """The prefix of objects; the hour is added to one without a time."""
    prefix = Prefix(text)
    return prefix if prefix.has("timestamp") else Prefix(f"{text}!{{timestamp:{HOURS}}}")


def compiled_errors(prefix: str, text: str | None) -> Prefix:
    """The prefix of failed records; without one, those of the other prefix by kind and hour."""
    given = prefix if text is None else text
    if Prefix(given).names:
        return compiled(given)
    return Prefix(f"{given}!{{firehose:error-output-type}}/!{{timestamp:{HOURS}}}")


def is_key(text: str) -> bool:
    """Whether an evaluated prefix can begin a key, behind which the name of the object comes."""
    try:
        return "\0" not in text and len(text.encode()) <= FIREHOSE_PREFIX_BYTES_MAX
    except UnicodeEncodeError:
        return False


def is_path(text: str) -> bool:
    """Whether an evaluated prefix can be a path, whose last part the name of a file goes on.

    >>> [is_path(text) for text in ("a/" + "b" * 255 + "/", "b" * 106, "b" * 256 + "/")]
    [True, False, False]
    """
    *folders, last = (part.encode(errors="replace") for part in text.split("/"))
    fits = all(len(name) <= FILE_NAME_BYTES_MAX for name in folders)
    return fits and len(last) <= FILE_NAME_BYTES_MAX - FIREHOSE_NAME_CHARS_MAX


def check(text: str, errors: str | None, *, is_partitioned: bool, is_folder: bool = False) -> None:
    """Raises for prefixes that do not go together, or that lead to no place in a folder."""
    prefix, failed = Prefix(text), Prefix(errors or "")
    by_keys = [name for name in prefix.names if name[0] in _PARTITIONS]
    if ("firehose", "error-output-type") in prefix.names:
        raise invalid("Prefix cannot contain !{firehose:error-output-type}.")
    if prefix.names and not errors:
        raise invalid("ErrorOutputPrefix cannot be null when Prefix contains expressions.")
    if failed.names and ("firehose", "error-output-type") not in failed.names:
        raise invalid(
            "ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type} "
            "when it contains expressions."
        )
    if any(failed.has(namespace) for namespace in _PARTITIONS):
        raise invalid("ErrorOutputPrefix cannot contain partition keys.")
    if by_keys and not is_partitioned:
        raise invalid("Prefix contains partition keys although dynamic partitioning is disabled.")
    if is_partitioned and not by_keys:
        raise invalid("Prefix must contain a partition key when dynamic partitioning is enabled.")
    # Values that a record gives are not known yet.
    keys = {f"{namespace}:{value}": "" for namespace, value in by_keys}
    moment = Moment(datetime(2000, 1, 1, tzinfo=UTC), keys, "format-conversion-failed")
    for part in (prefix, failed):
        shown = part.evaluate(moment)
        if not is_key(shown) and len(shown) <= FIREHOSE_PREFIX_CHARS_MAX:
            raise invalid(
                "Prefix and ErrorOutputPrefix must begin a key of an object after they are "
                f"evaluated: at most {FIREHOSE_PREFIX_BYTES_MAX} bytes of UTF-8, without NUL."
            )
        if is_folder and not is_path(shown):
            raise invalid(
                "Prefix and ErrorOutputPrefix must be paths after they are evaluated: a part has "
                f"at most {FILE_NAME_BYTES_MAX} bytes, and what is behind the last slash "
                f"{FILE_NAME_BYTES_MAX - FIREHOSE_NAME_CHARS_MAX}."
            )
        if len(shown) > FIREHOSE_PREFIX_CHARS_MAX:
            raise invalid(
                f"Neither Prefix nor ErrorOutputPrefix can be greater than "
                f"{FIREHOSE_PREFIX_CHARS_MAX} characters after they are evaluated."
            )


def zone_of(name: str) -> ZoneInfo:
    """A time zone; UTC for an empty name.

    >>> zone_of("Asia/Tokyo").key
    'Asia/Tokyo'
    """
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError):
        raise invalid(f"CustomTimeZone {name} is not a valid time zone.") from None
