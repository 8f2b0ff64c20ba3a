"""What the verbs of streams take, in the units of the core. Pure functions."""

from __future__ import annotations

from datetime import datetime

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._types import StreamStart
    from trunkline.limits import Limits

NAME_CHARS_MAX = 128
"""The longest name of a stream or of a reader."""


def name(value: str, what: str) -> str:
    """The name of a stream or of a reader.

    >>> name("clicks", "stream")
    'clicks'
    """
    if not isinstance(value, str):
        raise TypeError(f"a {what} name must be a str, not {type(value).__name__}")
    plain = value.isascii() and all(letter.isalnum() or letter in "_.-" for letter in value)
    if plain and 0 < len(value) <= NAME_CHARS_MAX:
        return value
    raise InvalidParameterValue(
        f"Value {value[:128]!r} for parameter name is invalid. Reason: Can only include "
        f"alphanumeric characters, underscores, dots or hyphens. 1 to {NAME_CHARS_MAX} in length."
    )


def key(value: str, limits: Limits) -> str:
    """A partition key.

    >>> from trunkline.limits import Limits
    >>> key("user-1", Limits())
    'user-1'
    """
    if not isinstance(value, str):
        raise TypeError(f"key must be a str, not {type(value).__name__}")
    if 0 < len(value) <= limits.partition_key_chars_max:
        return value
    raise InvalidParameterValue(
        f"Value of {len(value)} characters for parameter key is invalid. Reason: A partition key "
        f"has 1 to {limits.partition_key_chars_max} characters."
    )


def start(value: StreamStart) -> str | int:
    """Where a read starts: a word, the digits of a sequence, or a time in milliseconds.

    >>> from datetime import UTC, datetime
    >>> start("latest"), start(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    ('latest', 1000)
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidParameterValue(
                f"Value {value} for parameter start is invalid. Reason: A datetime needs a time "
                "zone, such as datetime.now(timezone.utc)."
            )
        return max(0, int(value.timestamp() * 1_000))
    if isinstance(value, str):
        return value
    raise TypeError(
        f'start must be "earliest", "latest", a sequence or a datetime, not {type(value).__name__}'
    )


def number(value: int | None, field: str) -> str | None:
    """A hash key as digits.

    >>> number(2**127, "hash_key")
    '170141183460469231731687303715884105728'
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field} must be an int, not {type(value).__name__}")
    if 0 <= value < 2**128:
        return str(value)
    raise InvalidParameterValue(
        f"Value for parameter {field} is invalid. Reason: Must be in the range: [0, 2^128-1]."
    )
