"""Schedules as a program uses them: queues, functions, endpoints, restarts, mistakes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import trunkline

HOUR = 3_600


@pytest.fixture
def clock() -> trunkline.VirtualClock:
    return trunkline.VirtualClock()


@pytest.fixture
def engine(clock: trunkline.VirtualClock) -> Iterator[trunkline.Engine]:
    with trunkline.open(clock=clock, seed=1) as engine:
        yield engine


def texts(queue: trunkline.Queue) -> list[str]:
    found = []
    for message in queue.receive(max=10):
        found.append(message.text())
        message.delete()
    return found


def test_a_schedule_is_created_once_and_compared_afterwards(engine: trunkline.Engine) -> None:
    queue = engine.queue("jobs")
    given: dict[str, Any] = {"timezone": "Europe/Berlin", "window": 900, "input": {"a": [1]}}
    schedule = engine.schedule("nightly", "cron(0 2 * * ? *)", queue, **given)
    assert engine.schedule("nightly", "cron(0 2 * * ? *)", queue, **given).name == "nightly"
    for changed in (
        {"timezone": "UTC"},
        {"window": None},
        {"input": "a"},
        {"end": datetime(2030, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(trunkline.ConflictException, match=next(iter(changed))):
            engine.schedule("nightly", "cron(0 2 * * ? *)", queue, **{**given, **changed})
    with pytest.raises(trunkline.AlreadyExists, match="target"):
        engine.schedule("nightly", "cron(0 2 * * ? *)", engine.queue("other"), **given)
    assert schedule.settings()["window"] == 900
    assert [one.name for one in engine.schedules("night")] == ["nightly"]
    assert schedule.next(1)[0] == datetime(2023, 11, 15, 1, tzinfo=UTC)


def test_pause_resume_configure_and_remove(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    queue = engine.queue("jobs")
    schedule = engine.schedule("tick", "rate(1 hour)", queue, input="tick")
    clock.advance(HOUR)
    schedule.pause()
    clock.advance(5 * HOUR + 60)
    assert texts(queue) == ["tick", "tick"]
    schedule.resume()
    schedule.configure(expression="rate(10 minutes)", input="tock")
    clock.advance(600)
    assert texts(queue) == ["tock", "tock"]
    statistics = schedule.statistics()
    assert (statistics.active, statistics.delivered, statistics.missed) == (True, 4, 0)
    assert statistics.as_dict()["failed"] == 0
    schedule.remove()
    clock.advance(HOUR)
    assert texts(queue) == []
    with pytest.raises(trunkline.NotFound):
        schedule.next()
    assert engine.schedules() == []


def test_bounds_may_be_datetimes_or_seconds(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    queue = engine.queue("jobs")
    begin = datetime.fromtimestamp(1_700_000_000, UTC)
    start, end = begin + timedelta(hours=1), 1_700_000_000 + 3 * HOUR
    engine.schedule("tick", "rate(1 hour)", queue, start=start, end=end)
    clock.advance(24 * HOUR)
    assert len(texts(queue)) == 3


def test_a_function_is_called_with_each_occurrence_and_again_when_it_fails(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    calls: list[tuple[int, str]] = []

    def handle(occurrence: trunkline.Occurrence) -> None:
        calls.append((occurrence.attempt, occurrence.execution_id))
        if occurrence.attempt < 3:
            raise RuntimeError("not yet")

    engine.schedule("once", "at(2023-11-15T00:00:00)", handle)
    clock.advance(24 * HOUR)
    assert [attempt for attempt, _ in calls] == [1, 2, 3]
    assert len({execution for _, execution in calls}) == 1


def test_a_function_may_remove_its_schedule(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    calls: list[str] = []

    def handle(occurrence: trunkline.Occurrence) -> None:
        calls.append(occurrence.schedule)
        schedule.remove()

    schedule = engine.schedule("tick", "cron(0 * * * ? *)", handle)
    clock.advance(5 * HOUR)
    assert calls == ["tick"]


def test_a_function_that_is_not_named_yet_finds_its_occurrences_later(tmp_path: Path) -> None:
    calls: list[trunkline.Occurrence] = []
    clock = trunkline.VirtualClock()
    with trunkline.open(tmp_path, clock=clock) as engine:
        engine.schedule("tick", "rate(1 hour)", calls.append, input={"n": 1})
        clock.advance(HOUR)
    clock = trunkline.VirtualClock(1_700_000_000 + HOUR)
    with trunkline.open(tmp_path, clock=clock) as engine:
        clock.advance(2 * HOUR)
        assert len(calls) == 2
        engine.schedule("tick", "rate(1 hour)", calls.append, input={"n": 1})
        clock.advance(0)
        assert [call.json() for call in calls] == [{"n": 1}] * 4
        moments = [call.scheduled_at.timestamp() - 1_700_000_000 for call in calls]
        assert moments == [0, HOUR, 2 * HOUR, 3 * HOUR]


def test_a_clock_that_was_ahead_stops_no_schedule(tmp_path: Path) -> None:
    ahead = trunkline.VirtualClock(1_700_000_000 + 365 * 24 * HOUR)
    with trunkline.open(tmp_path, clock=ahead) as engine:
        queue = engine.queue("q")
        engine.schedule("rate", "rate(1 hour)", queue, input="rate")
        engine.schedule("cron", "cron(0 * * * ? *)", queue, input="cron")
        ahead.advance(2 * HOUR)
        queue.purge()
    right = trunkline.VirtualClock(1_700_000_000)
    with trunkline.open(tmp_path, clock=right) as engine:
        right.advance(3 * HOUR)
        found = texts(engine.queue("q"))
        assert (found.count("rate"), found.count("cron")) == (3, 3)


def test_a_clock_that_was_a_little_ahead_repeats_no_occurrence(tmp_path: Path) -> None:
    start = 1_700_000_000 // HOUR * HOUR
    ahead = trunkline.VirtualClock(start)
    with trunkline.open(tmp_path, clock=ahead) as engine:
        engine.schedule("cron", "cron(0 * * * ? *)", engine.queue("q"))
        ahead.advance(HOUR)
        sent = len(texts(engine.queue("q")))
    behind = trunkline.VirtualClock(start + HOUR - 5)
    with trunkline.open(tmp_path, clock=behind) as engine:
        behind.advance(10)
        assert (sent, texts(engine.queue("q"))) == (2, [])
        behind.advance(HOUR)
        assert len(texts(engine.queue("q"))) == 1


def test_an_endpoint_gets_a_request_for_each_occurrence(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    schedule = engine.schedule("hook", "rate(1 hour)", url)
    clock.advance(HOUR)
    server.shutdown()
    server.server_close()
    events = [json.loads(body) for body in bodies]
    assert [event["time"] for event in events] == ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20Z"]
    assert events[0]["source"] == "aws.scheduler"
    assert schedule.settings()["target"] == url
    with pytest.raises(trunkline.ConflictException, match="target"):
        engine.schedule("hook", "rate(1 hour)", f"{url}/other")
    with pytest.raises(trunkline.ConflictException, match="target"):
        engine.schedule("hook", "rate(1 hour)", engine.queue("q"))


def test_a_fifo_queue_needs_a_group_and_a_dead_letter_queue_takes_what_the_target_does_not(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    with pytest.raises(trunkline.ValidationException, match="group"):
        engine.schedule("a", "rate(1 hour)", engine.queue("jobs.fifo"))
    engine.schedule("a", "rate(1 hour)", engine.queue("jobs.fifo"), group="g")
    dead = engine.queue("dead")
    jobs = engine.queue("jobs")
    schedule = engine.schedule("b", "rate(1 hour)", jobs, input="b", dead_letter="dead")
    clock.advance(1)
    jobs.remove()
    clock.advance(HOUR)
    (message,) = dead.receive()
    assert message.text() == "b"
    assert message.attributes["ERROR_CODE"] == "NO_RESOURCE"
    assert "does not exist" in str(schedule.statistics().last_error)
    assert engine.queue("jobs.fifo").statistics().visible == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"expression": "cron(71 8 1 * ? *)"}, "minutes: 71"),
        ({"expression": "every day"}, "Write cron"),
        ({"name": "no spaces"}, "name: "),
        ({"timezone": "europe/berlin"}, "Europe/Berlin"),
        ({"start": datetime(2030, 1, 1)}, "start: the datetime has no time zone"),
        ({"start": 2_000_000_000, "end": 1_900_000_000}, "end: "),
        ({"target": "queue"}, "target: "),
        ({"input": {"a": object()}}, "input: "),
        ({"input": ""}, "input: "),
    ],
)
def test_what_is_not_allowed_is_named(
    engine: trunkline.Engine, changed: dict[str, Any], told: str
) -> None:
    given = {"name": "a", "expression": "rate(1 hour)", "target": engine.queue("q"), **changed}
    name, expression, target = (given.pop(key) for key in ("name", "expression", "target"))
    with pytest.raises(trunkline.ValidationException) as refused:
        engine.schedule(name, expression, target, **given)
    assert told in str(refused.value)
    assert engine.schedules() == []


def test_wrong_types_are_named(engine: trunkline.Engine) -> None:
    queue = engine.queue("q")

    async def handle(occurrence: trunkline.Occurrence) -> None: ...

    wrong: Any = 5
    calls: list[Callable[[], object]] = [
        lambda: engine.schedule(wrong, "rate(1 hour)", queue),
        lambda: engine.schedule("a", wrong, queue),
        lambda: engine.schedule("a", "rate(1 hour)", wrong),
        lambda: engine.schedule("a", "rate(1 hour)", handle),
        lambda: engine.schedule("a", "rate(1 hour)", queue, timezone=wrong),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    for window in (59, 86_401):
        with pytest.raises(trunkline.InvalidArgument, match="window"):
            engine.schedule("a", "rate(1 hour)", queue, window=window)


def test_a_schedule_puts_events_on_a_bus() -> None:
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    bus, queue = engine.bus(), engine.queue("q")
    bus.rule("all", {"detail-type": ["Scheduled Event"]}, queue)
    schedule = engine.schedule("tick", "rate(1 hour)", bus)
    assert schedule.settings()["target"] == "bus default"
    clock.advance(7_200)
    assert queue.statistics().visible == schedule.statistics().delivered == 3
    assert queue.receive()[0].json()["source"] == "aws.scheduler"
    with pytest.raises(TypeError, match=r"a Function, a function or an http\(s\) URL, not int"):
        engine.schedule("t", "rate(1 hour)", 7)  # type: ignore[arg-type]


def test_on_the_systems_clock_it_falls_due_by_itself() -> None:
    with trunkline.open() as engine:
        queue = engine.queue("q")
        called = threading.Event()

        def falls_due(seconds: float) -> bool:
            soon = datetime.now(UTC) + timedelta(seconds=seconds)
            engine.schedule(f"q-{seconds}", "rate(1 day)", queue, input="tick", start=soon)
            engine.schedule(
                f"f-{seconds}", "rate(1 day)", lambda occurrence: called.set(), start=soon
            )
            found = queue.receive(wait=seconds + 5)
            return [message.text() for message in found] == ["tick"] and called.wait(5)

        # A start that has passed when the schedule is made is a day away: the machine was slow.
        assert any(falls_due(seconds) for seconds in (0.2, 3, 10))


def test_a_folder_is_inspected_with_its_schedules(tmp_path: Path) -> None:
    clock = trunkline.VirtualClock()
    with trunkline.open(tmp_path, clock=clock) as engine:
        engine.schedule("tick", "rate(1 hour)", engine.queue("q")).pause()
        engine.schedule("tock", "rate(1 hour)", engine.queue("q"))
        clock.advance(HOUR)
    (tick, tock) = trunkline.inspect(tmp_path).others
    assert (tick["kind"], tick["name"], tick["enabled"]) == ("schedule", "default/tick", 0)
    assert (tock["enabled"], tock["delivered"], tock["missed"]) == (1, 2, 0)


def test_a_closed_engine_has_no_schedules() -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    schedule = engine.schedule("a", "rate(1 hour)", queue)
    engine.close()
    for call in (engine.schedules, schedule.statistics, schedule.pause, schedule.next):
        with pytest.raises(trunkline.EngineClosed):
            call()
    with pytest.raises(trunkline.EngineClosed):
        engine.schedule("b", "rate(1 hour)", queue)


def test_asyncio_awaits_coroutine_functions() -> None:
    async def main() -> list[str]:
        clock = trunkline.VirtualClock()
        calls: list[str] = []

        async def handle(occurrence: trunkline.Occurrence) -> None:
            await asyncio.sleep(0)
            calls.append(occurrence.schedule)

        async with trunkline.aio.open(clock=clock) as engine:
            schedule = engine.schedule("tick", "rate(1 hour)", handle)
            await asyncio.to_thread(clock.advance, HOUR)
            await schedule.pause()
            assert schedule.next(2) == []
            await schedule.resume()
            await schedule.configure(expression="rate(2 hours)")
            assert schedule.settings()["expression"] == "rate(2 hours)"
            assert [one.name for one in engine.schedules()] == ["tick"]
            await schedule.remove()
            assert schedule.name == "tick"
        return calls

    # One at once, one an hour later, and one again when the rate was changed.
    assert asyncio.run(main())[:2] == ["tick", "tick"]
