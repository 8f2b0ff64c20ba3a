"""Cron expressions of AWS once more, minute by minute: slow, and as plain as the documentation.

Local times come from the standard library's zones, so both implementations of time zones are
compared as well.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def values(field: str, first: int, last: int, names: list[str] | None = None) -> set[int]:
    """The values that a plain field names: lists, ranges that may wrap, steps."""
    found: set[int] = set()

    def value(text: str) -> int:
        return names.index(text) + first if names and text in names else int(text)

    for item in field.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            begin, end = first, last
        elif "-" in span:
            begin, end = (value(text) for text in span.split("-"))
        else:
            begin = value(span)
            end = last if step else begin
        every = list(range(begin, end + 1))
        if end < begin:
            every = [*range(begin, last + 1), *range(first, end + 1)]
        found.update(every[:: int(step or 1)])
    return found


def weekday(day: date) -> int:
    """1 for Sunday, as AWS counts."""
    return (day.weekday() + 1) % 7 + 1


def is_day(day: date, of_month: str, of_week: str) -> bool:
    """Whether the two fields of days name this day."""
    last = calendar.monthrange(day.year, day.month)[1]
    if of_week == "?":
        if of_month == "L":
            return day.day == last
        if of_month.endswith("W"):
            wanted = last if of_month == "LW" else int(of_month[:-1])
            return wanted <= last and day == nearest_workday(day.replace(day=wanted), last)
        return day.day in values(of_month, 1, 31)
    if of_week == "L":
        return weekday(day) == 7
    if "#" in of_week:
        which, nth = of_week.split("#")
        return weekday(day) in values(which, 1, 7, DAYS) and (day.day - 1) // 7 + 1 == int(nth)
    if of_week.endswith("L"):
        return weekday(day) in values(of_week[:-1], 1, 7, DAYS) and day.day + 7 > last
    return weekday(day) in values(of_week, 1, 7, DAYS)


def nearest_workday(day: date, last: int) -> date:
    """The nearest day from Monday to Friday in the same month; of two, the one before."""
    candidates = [
        day.replace(day=number)
        for number in range(1, last + 1)
        if day.replace(day=number).weekday() < 5
    ]
    return min(candidates, key=lambda other: (abs(other - day), other > day))


def occurrences(fields: str, zone: str, after: datetime, minutes: int) -> Iterator[datetime]:
    """Every occurrence in the minutes behind `after`, found by looking at each of them."""
    minute, hour, of_month, month, of_week, year = fields.split()
    minutes_of, hours_of = values(minute, 0, 59), values(hour, 0, 23)
    months_of, years_of = values(month, 1, 12, MONTHS), values(year, 1970, 2199)
    tz = ZoneInfo(zone)
    at = after.replace(second=0, microsecond=0)
    for _ in range(minutes):
        at += timedelta(minutes=1)
        local = at.astimezone(tz)
        # The clocks show this local time for the second time: it has occurred.
        if local.fold or local.second:
            continue
        if (
            local.minute in minutes_of
            and local.hour in hours_of
            and local.month in months_of
            and local.year in years_of
            and is_day(local.date(), of_month, of_week)
        ):
            yield at.astimezone(UTC)
