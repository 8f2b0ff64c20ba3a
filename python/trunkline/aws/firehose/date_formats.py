"""Date formats of prefixes: the letters of Java's DateTimeFormatter, as far as prefixes go."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Shown = Callable[[datetime], str]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "d": lambda at: at.day,
    "D": lambda at: at.timetuple().tm_yday,
    "H": lambda at: at.hour,
    "k": lambda at: at.hour or 24,
    "K": lambda at: at.hour % 12,
    "h": lambda at: at.hour % 12 or 12,
    "m": lambda at: at.minute,
    "s": lambda at: at.second,
    "n": lambda at: at.microsecond * 1_000,
    "A": lambda at: _milliseconds(at),
}


def _milliseconds(at: datetime) -> int:
    seconds = (at.hour * 60 + at.minute) * 60 + at.second
    return seconds * 1_000 + at.microsecond // 1_000


class DateFormat:
    """A pattern such as ``yyyy/MM/dd``; text in single quotes stands for itself.

    >>> from datetime import UTC, datetime
    >>> DateFormat("yyyy/MM/dd'T'HH-mm").format(datetime(2026, 3, 1, 7, 5, tzinfo=UTC))
    '2026/03/01T07-05'
    """

    def __init__(self, pattern: str) -> None:
        if not pattern:
            raise ValueError("it is empty")
        self._parts: list[Shown] = []
        at = 0
        while at < len(pattern):
            letter = pattern[at]
            end = at + 1
            if letter == "'":
                end = self._quoted(pattern, at)
            elif letter.isascii() and letter.isalpha():
                while end < len(pattern) and pattern[end] == letter:
                    end += 1
                self._parts.append(_field(letter, end - at))
            elif letter in "{}[]#":
                raise ValueError(f"{letter} is reserved")
            else:
                self._parts.append(_constant(letter))
            at = end

    def _quoted(self, pattern: str, start: int) -> int:
        text, at = "", start + 1
        while at < len(pattern):
            if pattern[at] != "'":
                text += pattern[at]
                at += 1
            elif pattern[at + 1 : at + 2] == "'":
                text += "'"
                at += 2
            else:
                # Two quotes and nothing between them are one.
                self._parts.append(_constant(text or "'"))
                return at + 1
        raise ValueError("a quote is not closed")

    def format(self, at: datetime) -> str:
        """A time as the pattern shows it."""
        return "".join(part(at) for part in self._parts)


def _constant(text: str) -> Shown:
    return lambda _: text


def _field(letter: str, count: int) -> Shown:
    if letter in _NUMBERS:
        number = _NUMBERS[letter]
        return lambda at: str(number(at)).zfill(count)
    if letter in "yu":
        return lambda at: f"{at.year % 100:02}" if count == 2 else str(at.year).zfill(count)
    if letter in "ML":
        return _month(count)
    if letter in "Ee":
        return lambda at: _DAYS[at.weekday()][: 3 if count < 4 else None]
    if letter == "a":
        return lambda at: "AM" if at.hour < 12 else "PM"
    if letter == "S":
        return lambda at: f"{at.microsecond:06}000"[:count].ljust(count, "0")
    if letter in "Qq":
        return lambda at: str((at.month + 2) // 3).zfill(count)
    if letter in "wW":
        return lambda at: str(at.isocalendar().week).zfill(count)
    if letter == "Y":
        return lambda at: str(at.isocalendar().year).zfill(count)
    if letter in "zV":
        return lambda at: str(at.tzinfo) if letter == "V" else str(at.tzname())
    if letter in "ZxX":
        return lambda at: _offset(at, letter, count)
    raise ValueError(f"the letter {letter} is not served here")


def _month(count: int) -> Shown:
    if count < 3:
        return lambda at: str(at.month).zfill(count)
    return lambda at: _MONTHS[at.month - 1][: 3 if count == 3 else None]


def _offset(at: datetime, letter: str, count: int) -> str:
    text = at.strftime("%z")[:5]
    if letter == "X" and text == "+0000":
        return "Z"
    if letter == "Z":
        return text
    if count == 1:
        return text[:3] if text.endswith("00") else text
    return text if count == 2 else f"{text[:3]}:{text[3:]}"
