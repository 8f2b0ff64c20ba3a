"""Continuous SQL: windows, watermarks, late rows, targets, and a state that outlives a restart."""

from __future__ import annotations

import json
import random
import time
from collections import Counter

import pytest

import trunkline

pytest.importorskip("duckdb")
pyarrow = pytest.importorskip("pyarrow")

from trunkline import analytics  # noqa: E402
from trunkline.analytics.statement import parse  # noqa: E402

COUNTS = """
    INSERT INTO counts
    SELECT window_start, page, count(*) AS n, sum(ms) AS ms
    FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)
    GROUP BY ALL ORDER BY page
"""


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        engine.stream("clicks")
        engine.stream("counts")
        yield engine


def put(engine, *rows, stream="clicks", key="k"):
    engine.stream(stream).put_batch([(key, json.dumps(row)) for row in rows])


def click(at, page="home", ms=1):
    return {"at": at, "page": page, "ms": ms}


def stored(engine, name="counts"):
    return [record.json() for record in engine.stream(name).read()]


def test_a_window_is_counted_once_it_is_over(engine):
    query = analytics.query(engine, COUNTS)
    put(engine, click(0), click(59, ms=4), click(30, "cart"))
    assert query.process() == 0
    put(engine, click(60))
    assert query.process() == 1
    assert stored(engine) == [
        {"window_start": "1970-01-01T00:00:00Z", "page": "cart", "n": 1, "ms": 1},
        {"window_start": "1970-01-01T00:00:00Z", "page": "home", "n": 2, "ms": 5},
    ]
    assert query.process() == 0
    assert len(stored(engine)) == 2


@pytest.mark.parametrize("orders", [1, 40], ids=["in order", "in disorder"])
def test_a_batch_is_spread_over_its_windows(engine, orders):
    query = analytics.query(
        engine,
        "SELECT epoch(window_start)::int AS s, list_sort(list(v)) AS vs FROM TUMBLE(TABLE clicks, "
        "DESCRIPTOR(at), INTERVAL '1' MINUTE) GROUP BY ALL",
    )
    times = [at for order in range(orders) for at in range(order, 180, orders)]
    put(engine, *({"at": at, "v": at} for at in times), {"at": 1_000, "v": 0})
    assert query.process() == 3
    assert [(row["s"], row["vs"]) for row in query.results()] == [
        (start, list(range(start, start + 60))) for start in (0, 60, 120)
    ]


def test_hopping_windows_overlap(engine):
    query = analytics.query(
        engine,
        "SELECT epoch(window_start)::int AS s, list_sort(list(v)) AS vs FROM HOP(TABLE clicks, "
        "DESCRIPTOR(at), INTERVAL '30' SECONDS, INTERVAL '90 seconds') GROUP BY ALL",
    )
    put(engine, *({"at": at, "v": at} for at in (60, 89, 100, 150, 1_000)))
    query.process()
    found = {row["s"]: row["vs"] for row in query.results()}
    expected = {
        start: [at for at in (60, 89, 100, 150) if start <= at < start + 90]
        for start in range(-30, 180, 30)
    }
    assert found == {start: vs for start, vs in expected.items() if vs}


def test_sessions_end_when_nothing_came_for_a_while(engine):
    query = analytics.query(
        engine,
        "SELECT u, count(*) AS n, min(epoch(window_start))::int AS s, "
        "min(epoch(window_end))::int AS e FROM SESSION(TABLE clicks PARTITION BY u, "
        "DESCRIPTOR(at), INTERVAL '10' SECONDS) GROUP BY ALL",
        lateness=30,
    )
    rows = [("a", 0), ("a", 18), ("b", 5), ("a", 9), ("a", 40), ("b", 100), ("c", 300)]
    put(engine, *({"u": u, "at": at} for u, at in rows))
    query.process()
    assert sorted((row["u"], row["n"], row["s"], row["e"]) for row in query.results()) == [
        ("a", 1, 40, 50),
        ("a", 3, 0, 28),
        ("b", 1, 5, 15),
        ("b", 1, 100, 110),
    ]


def test_rows_may_be_late_by_so_much_and_go_elsewhere_then(engine):
    late = engine.queue("late")
    query = analytics.query(engine, COUNTS, lateness=20, late=late)
    put(engine, click(0), click(75))
    assert query.process() == 0
    put(engine, click(58), click(80))
    assert query.process() == 1
    put(engine, click(10))
    query.process()
    assert [row["n"] for row in stored(engine)] == [2]
    assert query.statistics()["late"] == 1
    [message] = late.receive()
    assert message.json()["at"] == 10


def test_records_that_are_no_rows_are_counted_and_harm_nothing(engine):
    query = analytics.query(engine, COUNTS)
    clicks = engine.stream("clicks")
    put(engine, click(1))
    clicks.put_batch([("k", text) for text in ("no json", "[1]", '{"page": "x"}', "{")])
    put(engine, click(2), {"at": "yesterday", "page": "home", "ms": 1}, click(61))
    query.process()
    assert [row["n"] for row in stored(engine)] == [2]
    assert query.statistics()["invalid"] == 5


@pytest.mark.parametrize("at", ["2026-01-02T03:04:05Z", 1_767_323_045, 1_767_323_045_000])
def test_times_are_texts_seconds_or_milliseconds(engine, at):
    query = analytics.query(
        engine,
        "SELECT window_start FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' DAY)",
    )
    later = "2026-01-09T00:00:00Z" if isinstance(at, str) else at * 2
    put(engine, {"at": at}, {"at": later})
    query.process()
    assert str(query.results()[0]["window_start"]) == "2026-01-02 00:00:00"


def test_the_time_of_arrival_lets_windows_end_without_further_records():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        engine.stream("clicks")
        sql = (
            "SELECT count(*) n FROM TUMBLE(TABLE clicks, DESCRIPTOR(arrived), INTERVAL '1' MINUTE)"
        )
        query = analytics.query(engine, sql)
        put(engine, {"v": 1}, {"v": 2})
        assert query.process() == 0
        clock.advance(60)
        assert query.process() == 1
        assert query.results() == [{"n": 2}]


def test_the_slowest_shard_holds_windows_open_unless_it_is_idle():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        clicks = engine.stream("clicks", shards=2)
        engine.stream("counts")
        first, second = (shard.id for shard in clicks.shards())
        keys = {clicks.put(json.dumps(click(0)), key=str(n)).shard: str(n) for n in range(20)}
        query = analytics.query(engine, COUNTS, idle=10)
        query.process()
        put(engine, click(100), key=keys[first])
        assert query.process() == 0
        put(engine, click(30), key=keys[second])
        put(engine, click(70), key=keys[second])
        assert query.process() == 1
        assert [row["n"] for row in stored(engine)] == [21]
        put(engine, click(200), key=keys[first])
        assert query.process() == 0
        clock.advance(11)
        assert query.process() == 1


def test_a_table_is_joined(engine):
    pages = pyarrow.table({"page": ["home", "cart"], "team": ["web", "shop"]})
    query = analytics.query(
        engine,
        "SELECT team, count(*) AS n FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL 1 MINUTE) "
        "JOIN pages USING (page) GROUP BY team ORDER BY team",
        tables={"pages": pages},
    )
    put(engine, click(1), click(2, "cart"), click(3), click(90))
    query.process()
    assert query.results() == [{"team": "shop", "n": 1}, {"team": "web", "n": 2}]


def test_results_go_to_queues_and_buses(engine):
    engine.queue("alerts.fifo")
    seen = engine.queue("seen")
    bus = engine.bus("news")
    bus.rule("all", {"source": ["trunkline.analytics"]}, seen)
    sql = "SELECT page, count(*) n FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)"
    fifo = analytics.query(engine, f'INSERT INTO "alerts.fifo" {sql} GROUP BY ALL')
    events = analytics.query(engine, f"INSERT INTO news {sql} GROUP BY ALL", name="events")
    put(engine, click(1), click(70))
    assert (fifo.process(), events.process()) == (1, 1)
    assert engine.queue("alerts.fifo", create=False).receive()[0].json() == {"page": "home", "n": 1}
    assert seen.receive()[0].json()["detail"] == {"page": "home", "n": 1}


def test_a_restart_goes_on_and_no_window_is_counted_twice(tmp_path):
    randomly = random.Random(7)
    times = sorted(randomly.randrange(3_000) for _ in range(400))
    expected = Counter(at // 60 * 60 for at in times)
    done = 0
    while done < len(times):
        with trunkline.open(tmp_path) as engine:
            engine.stream("clicks")
            engine.stream("counts")
            query = analytics.query(engine, COUNTS)
            for _ in range(randomly.randrange(1, 4)):
                part = times[done : done + randomly.randrange(1, 40)]
                done += len(part)
                if part:
                    put(engine, *(click(at) for at in part))
                query.process()
            query.stop()
    with trunkline.open(tmp_path) as engine:
        query = analytics.query(engine, COUNTS)
        put(engine, click(10_000))
        query.process()
        found = Counter({row["window_start"]: row["n"] for row in stored(engine)})
        assert len(stored(engine)) == len(expected)
        assert sorted(found.values()) == sorted(expected.values())
        assert query.statistics()["late"] == 0


@pytest.mark.parametrize("is_sent", [True, False])
def test_results_that_a_crash_left_are_sent_once(tmp_path, monkeypatch, is_sent):
    class Crash(Exception):
        pass

    with trunkline.open(tmp_path) as engine:
        engine.stream("clicks")
        engine.stream("counts")
        query = analytics.query(engine, COUNTS)
        send = query._sink.send

        def crashing(texts, id):
            if is_sent:
                send(texts, id)
            raise Crash

        query._sink.send = crashing
        put(engine, click(1), click(61))
        with pytest.raises(Crash):
            query.process()
        with pytest.raises(Crash):
            query.process()
    with trunkline.open(tmp_path) as engine:
        query = analytics.query(engine, COUNTS)
        assert [row["n"] for row in stored(engine)] == [1]
        put(engine, click(121))
        query.process()
        assert [row["n"] for row in stored(engine)] == [1, 1]


def test_it_runs_in_a_thread(engine):
    end = time.monotonic() + 60
    with analytics.query(engine, COUNTS) as query:
        put(engine, click(1), click(61))
        while not stored(engine):
            assert time.monotonic() < end
            time.sleep(0.01)
    assert query.statistics()["windows"] == 1
    query.remove()
    assert engine.stream("clicks").statistics().readers == {}


def test_a_query_ends_with_its_engine():
    engine = trunkline.open()
    engine.stream("clicks")
    engine.stream("counts")
    query = analytics.query(engine, COUNTS)
    query.start()
    engine.close()
    thread = query._thread
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 1", "TUMBLE"),
        ("SELECT * FROM TUMBLE(TABLE clicks, DESCRIPTOR(at))", "3 arguments"),
        ("SELECT * FROM TUMBLE(clicks, at, INTERVAL '1' MINUTE)", "DESCRIPTOR"),
        ("SELECT * FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), '1 minute')", "no interval"),
        ("SELECT * FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '0' MINUTE)", "no interval"),
        ("SELECT * FROM SESSION(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' DAY)", "PARTITION BY"),
        (
            "SELECT * FROM HOP(TABLE clicks, DESCRIPTOR(at), INTERVAL '2' DAY, INTERVAL '1' DAY)",
            "not smaller",
        ),
        ("SELEC * FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' DAY)", "syntax"),
        ("SELECT * FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' DAY", "not closed"),
        (
            "INSERT INTO none SELECT * FROM TUMBLE(clicks, DESCRIPTOR(at), INTERVAL '1' DAY)",
            "name none",
        ),
    ],
)
def test_a_statement_that_is_none_is_refused(engine, sql, told):
    with pytest.raises(trunkline.InvalidParameterValue, match=told):
        analytics.query(engine, sql)


def test_what_is_in_quotes_and_comments_is_no_window():
    found = parse(
        'SELECT \'TUMBLE(x\' AS a -- HOP(\n FROM TUMBLE(TABLE "my-stream", DESCRIPTOR("at"), '
        "INTERVAL '1.5' HOURS) WHERE b = ')'"
    )
    assert (found.stream, found.time, found.size) == ("my-stream", "at", 5_400_000_000)
    assert found.select.endswith("FROM window_rows WHERE b = ')'")
