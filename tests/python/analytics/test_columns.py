"""Decoding only the columns that a statement reads gives what decoding all of them gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trunkline

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from trunkline import analytics  # noqa: E402
from trunkline.analytics import rows as rows_module  # noqa: E402
from trunkline.analytics.columns import columns_of  # noqa: E402
from trunkline.analytics.rows import rows_of  # noqa: E402

TIMES = st.sampled_from(
    (
        *("2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02", "2026-01-02 03:04:05"),
        *("2026-01-02T03:04:05.25Z", "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05.123456"),
        *("2026-01-02x", "2026", "", "9999-99-99"),
    )
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from((0, -0.0, 2**53 + 1, 2**63, -(2**63), 1e308, 5e-324)),
)
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner)),
    max_leaves=4,
)
COLUMN = st.sampled_from((NUMBERS, TIMES, st.booleans(), st.text(max_size=8), NESTED))
NAMES = ("at", "card", "Card", "key", "other")


@st.composite
def objects(draw) -> list[str]:
    """Objects of one form, for the most part, as JSON."""
    kinds = {name: draw(COLUMN) for name in draw(st.sets(st.sampled_from(NAMES)))}
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        row = {}
        for name, kind in kinds.items():
            if draw(st.booleans()):
                row[name] = draw(st.one_of(kind, st.none()))
        rows.append(json.dumps(row, ensure_ascii=draw(st.booleans())))
    return rows


@given(objects())
def test_wanted_columns_have_the_types_and_values_of_all(texts):
    with trunkline.open() as engine:
        stream = engine.stream("clicks", shards=2)
        stream.put_batch([(f"k{place}", text) for place, text in enumerate(texts)])
        batch = stream.read()
        wanted = frozenset(("at", "card", "key"))
        few = rows_module._wanted(batch, wanted)
        if few is None:
            return
        whole, invalid = rows_of(batch, None)
    if invalid:  # for a column that is not wanted
        return
    names = [name for name in whole.column_names if name.lower() in wanted | {"arrived"}]
    assert sorted(few.column_names) == sorted(names)
    for name in names:
        assert few.column(name).type == whole.column(name).type
        assert few.column(name).to_pylist() == whole.column(name).to_pylist()


@pytest.mark.parametrize(
    "texts",
    [
        ["[]", "{}"],
        ['{"at": 1}', "no"],
        ['{"at": 1}', '{"at": "x"}'],
        ['{"at": {"s": 1}}'],
        ['{"at": 1, "AT": 2}'],
        ['{"at": "2026-01-02"}', '{"at": "2026-01-02T03:04:05Z"}'],
    ],
)
def test_data_without_one_form_is_decoded_whole(texts):
    with trunkline.open() as engine:
        stream = engine.stream("clicks")
        stream.put_batch([("k", text) for text in texts])
        assert rows_module._wanted(stream.read(), frozenset(("at",))) is None


@pytest.mark.parametrize(
    ("select", "columns"),
    [
        ("SELECT count(*) FROM window_rows", set()),
        ("SELECT t.Card, sum(x.y) FROM window_rows t GROUP BY 1", {"t", "card", "x", "y"}),
        ("SELECT a FROM window_rows JOIN cards USING (card)", {"a", "card"}),
        ("WITH x AS (SELECT a FROM window_rows) SELECT max(a) FROM x ORDER BY b", {"a", "b"}),
        ("SELECT a FROM window_rows WHERE b IN (SELECT c FROM cards)", {"a", "b", "c"}),
        ("SELECT * FROM window_rows", None),
        ("FROM window_rows", None),
        ("SELECT t FROM window_rows t", None),
        ("SELECT a FROM window_rows t(a, b)", None),
        ("SELECT a FROM window_rows NATURAL JOIN cards", None),
        ("SELECT #1 FROM window_rows", None),
        ("SELECT COLUMNS('a.*') FROM window_rows", None),
        ("PIVOT window_rows ON a USING count(*)", None),
        ("SELECT a FROM query('SELECT 1 AS a')", None),
    ],
)
def test_the_columns_of_a_statement_are_told_or_may_be_any(select, columns):
    found = columns_of(duckdb.connect(), select)
    assert found == (None if columns is None else columns)


def test_rows_go_into_their_windows_in_any_order():
    times = [50, 10, 130, 70, 55, 61, 0, 129, 240]
    with trunkline.open() as engine:
        stream = engine.stream("clicks", shards=2)
        stream.put_batch([(f"k{at}", json.dumps({"at": at, "more": "x"})) for at in times])
        query = analytics.query(
            engine,
            """SELECT window_start, count(*) AS n, list("at" ORDER BY "at") AS at
            FROM HOP(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)
            GROUP BY ALL""",
            idle=0,
        )
        query.process()
        found = {row["window_start"].minute: row["at"] for row in query.results()}
    assert found == {
        59: [0, 10, 50, 55],
        0: [0, 10, 50, 55, 61, 70],
        1: [61, 70, 129, 130],
        2: [129, 130],
    }


def test_a_late_row_is_reported_whole_and_a_column_that_is_not_read_spoils_none():
    with trunkline.open() as engine:
        clicks, late = engine.stream("clicks"), engine.queue("late")
        query = analytics.query(
            engine,
            """SELECT count(*) AS n
            FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)""",
            late=late,
        )
        clicks.put_batch([("k", '{"at": 0, "more": 1}'), ("k", '{"at": 60, "more": "x"}')])
        query.process()
        clicks.put('{"at": 5, "more": {"deep": true}}', key="k")
        query.process()
        row = late.receive()[0].json()
        assert {"at": 5, "more": {"deep": True}, "key": "k"}.items() <= row.items()
        assert query.results() == [{"n": 1}]
        assert query.statistics() | {"watermark": 0} == {
            "windows": 1,
            "late": 1,
            "invalid": 0,
            "watermark": 0,
        }
