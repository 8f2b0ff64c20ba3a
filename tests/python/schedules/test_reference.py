"""The engine's search for the next occurrence against one that looks at every minute."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline._core import Timetable

from .reference import DAYS, MONTHS, occurrences

ZONES = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Sao_Paulo",
]

# Days around changes of the clocks, around leap days, and any.
STARTS = [
    datetime(2024, 3, 9, 12, tzinfo=UTC),
    datetime(2024, 3, 30, 12, tzinfo=UTC),
    datetime(2024, 11, 2, 12, tzinfo=UTC),
    datetime(2024, 10, 26, 3, tzinfo=UTC),
    datetime(2024, 4, 6, 3, tzinfo=UTC),
    datetime(2018, 11, 3, 12, tzinfo=UTC),
    datetime(2024, 2, 27, 23, 30, tzinfo=UTC),
    datetime(2099, 12, 30, 7, 15, tzinfo=UTC),
]
DAYS_LOOKED_AT = 3


def field(first: int, last: int, names: list[str] | None = None) -> st.SearchStrategy[str]:
    value = st.integers(first, last).map(str)
    if names:
        value |= st.sampled_from(names)
    span = st.tuples(value, value).map("-".join)
    stepped = st.tuples(value | st.just("*") | span, st.integers(1, last)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    item = value | span | stepped
    return st.just("*") | st.lists(item, min_size=1, max_size=3).map(",".join)


days_of_month = st.one_of(
    field(1, 31),
    st.just("L"),
    st.just("LW"),
    st.integers(1, 31).map(lambda day: f"{day}W"),
)
days_of_week = st.one_of(
    field(1, 7, DAYS).filter(lambda text: "/" not in text),
    st.just("L"),
    st.integers(1, 7).map(lambda day: f"{day}L"),
    st.tuples(st.sampled_from(DAYS), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
)
days = days_of_month.map(lambda text: (text, "?")) | days_of_week.map(lambda text: ("?", text))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    of_month, of_week = draw(days)
    minute, hour = draw(field(0, 59)), draw(field(0, 23))
    month = draw(st.just("*") | field(1, 12, MONTHS))
    return f"{minute} {hour} {of_month} {month} {of_week} *"


@settings(max_examples=60, deadline=None)
@given(expressions(), st.sampled_from(ZONES), st.sampled_from(STARTS))
def test_the_search_finds_what_looking_at_every_minute_finds(
    fields: str, zone: str, after: datetime
) -> None:
    minutes = DAYS_LOOKED_AT * 1_440
    begin = int(after.timestamp()) * 1_000
    wanted = [int(at.timestamp()) * 1_000 for at in occurrences(fields, zone, after, minutes)]
    found = Timetable(f"cron({fields})", zone, 0).next(begin, len(wanted) + 1)
    in_time = [at for at in found if at <= begin + minutes * 60_000]
    assert in_time == wanted


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_of_a_day_on_which_the_clocks_change(zone: str) -> None:
    for after in STARTS:
        minutes = 2 * 1_440
        wanted = [
            int(at.timestamp()) * 1_000 for at in occurrences("* * * * ? *", zone, after, minutes)
        ]
        begin = int(after.timestamp()) * 1_000
        assert Timetable("cron(* * * * ? *)", zone, 0).next(begin, len(wanted)) == wanted
