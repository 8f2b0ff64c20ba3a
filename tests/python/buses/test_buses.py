"""Event buses in process: events, rules, targets of each kind, bad input, restart."""

from __future__ import annotations

import datetime
import http.server
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import trunkline

ORDER = {"source": "shop", "detail-type": "Order", "detail": {"state": "paid", "id": 7}}
ALL = {"source": ["shop"]}
VECTORS = Path(__file__).parents[2] / "vectors" / "events" / "inputs.toml"


def details(queue: trunkline.Queue) -> list[Any]:
    return [message.json()["detail"] for message in queue.receive(max=10)]


def test_an_event_is_completed_and_goes_where_rules_say() -> None:
    clock = trunkline.VirtualClock(1_700_000_000)
    engine = trunkline.open(clock=clock)
    bus, paid, other = engine.bus(), engine.queue("paid"), engine.queue("other")
    bus.rule("paid", {"detail": {"state": ["paid"]}}, paid)
    bus.rule("open", {"detail": {"state": ["open"]}}, other)
    put = bus.put(ORDER)
    assert (put.matched, put.delivered, put.failed) == (1, 1, 0)
    assert paid.receive()[0].json() == {
        "version": "0",
        "id": put.event_id,
        "detail-type": "Order",
        "source": "shop",
        "account": "000000000000",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"state": "paid", "id": 7},
    }
    assert other.receive() == []
    assert bus.statistics() == {
        "rules": 2,
        "events": 1,
        "matched": 1,
        "delivered": 1,
        "dead_lettered": 0,
        "failed": 0,
    }


@pytest.mark.parametrize(
    "event",
    [
        '{"source":"shop","detail-type":"Order","detail":{"n":"é"}}',
        '{"source":"shop","detail-type":"Order","detail":{"n":"é"}}'.encode(),
        {"source": "shop", "detail-type": "Order", "detail": {"n": "é"}},
    ],
)
def test_an_event_is_a_dict_a_str_or_bytes(event: Any) -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    engine.bus().rule("all", ALL, queue)
    engine.bus().put(event)
    assert details(queue) == [{"n": "é"}]


def test_a_time_may_be_a_datetime() -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    engine.bus().rule("all", ALL, queue)
    zone = datetime.timezone(datetime.timedelta(hours=2))
    engine.bus().put({**ORDER, "time": datetime.datetime(2026, 1, 31, 12, tzinfo=zone)})
    assert queue.receive()[0].json()["time"] == "2026-01-31T10:00:00Z"
    with pytest.raises(trunkline.InvalidArgument, match="no time zone"):
        engine.bus().put({**ORDER, "time": datetime.datetime(2026, 1, 31, 12)})


@pytest.mark.parametrize(
    ("event", "part"),
    [
        ({"detail-type": "t", "detail": {}}, "source is required"),
        ({"source": "s", "detail": {}}, "detail-type is required"),
        ({"source": "s", "detail-type": "t"}, "detail is required"),
        ({"source": "s", "detail-type": "t", "detail": "text"}, "malformed"),
        ({**ORDER, "colour": "red"}, "colour"),
        ({**ORDER, "detail": {"a": {1}}}, "cannot be written as JSON"),
        ({**ORDER, "detail": {"a": float("nan")}}, "cannot be written as JSON"),
        ("no JSON", "not valid"),
        (b"\xff", "not valid"),
    ],
)
def test_bad_events_are_refused(event: Any, part: str) -> None:
    with pytest.raises(trunkline.InvalidArgument, match=part):
        trunkline.open().bus().put(event)


def test_an_event_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="mapping, bytes or str, not int"):
        trunkline.open().bus().put(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="events must be a list of them, not one dict"):
        trunkline.open().bus().put_batch(ORDER)


def test_events_of_a_batch_succeed_or_fail_each_for_itself() -> None:
    engine = trunkline.open()
    queue = engine.queue("q")
    engine.bus().rule("all", ALL, queue)
    result = engine.bus().put_batch([ORDER, {"source": "shop"}, ORDER])
    assert [put.index for put in result.successful] == [0, 2]
    assert [(one.index, one.code) for one in result.failed] == [(1, "InvalidParameterValue")]
    assert len(details(queue)) == 2


def test_a_rule_is_disabled_enabled_listed_and_removed() -> None:
    engine = trunkline.open()
    bus, queue = engine.bus(), engine.queue("q")
    rule = bus.rule("all", ALL, queue, enabled=False)
    assert bus.put(ORDER).matched == 0
    rule.enable()
    assert bus.put(ORDER).matched == 1
    rule.disable()
    assert bus.put(ORDER).matched == 0
    assert [one.name for one in bus.rules()] == ["all"]
    assert rule.statistics()["matched"] == 1
    rule.remove()
    assert bus.rules() == []
    with pytest.raises(trunkline.NotFound, match="Rule all does not exist on EventBus default"):
        assert rule.enabled
    assert repr(rule) == "<Rule 'all' of 'default', removed>"


def test_targets_tell_what_they_were_given() -> None:
    engine = trunkline.open()
    dead = engine.queue("dead")
    rule = engine.bus().rule(
        "all",
        ALL,
        engine.queue("q"),
        input_path={"id": "$.detail.id"},
        input_template='{"id": <id>}',
        dead_letter=dead,
        retry={"max_attempts": 3, "max_age": 120},
    )
    (target,) = rule.targets()
    assert target["dead_letter"] == "dead"
    assert (target["max_attempts"], target["max_age"]) == (3, 120.0)
    assert target["input_paths"] == {"id": "$.detail.id"}
    assert target["input_template"] == '{"id": <id>}'


def test_bad_rules_are_refused_and_change_nothing() -> None:
    engine = trunkline.open()
    bus, queue = engine.bus(), engine.queue("q")

    def refused(part: str, *arguments: Any, **options: Any) -> None:
        with pytest.raises((trunkline.TrunklineError, TypeError), match=part):
            bus.rule(*arguments, **options)

    refused("must be an object or an array", "r", {"source": "shop"}, queue)
    refused("cannot be written as JSON", "r", {"source": [{1}]}, queue)
    refused("'a b'|\"a b\"", "a b", ALL, queue)
    refused("starts with https:// or http://", "r", ALL, "q")
    refused("a StateMachine, a Function, a function or a URL, not int", "r", ALL, 7)
    refused("FIFO topic: it needs a group", "r", ALL, engine.topic("orders.fifo"))
    refused("dead_letter must be a Queue, not Bus", "r", ALL, queue, dead_letter=bus)
    refused("its own rule", "r", ALL, bus)
    refused("Only one of", "r", ALL, queue, input=1, input_path="$.detail")
    refused("belongs to input_template", "r", ALL, queue, input_path={"a": "$.a"})
    refused("invalid placeholder b", "r", ALL, queue, input_template='"<b>"')
    refused("starts with|must start with", "r", ALL, queue, input_path="detail")
    refused("max_attempts", "r", ALL, queue, retry={"max_attempts": 186})
    refused("max_age", "r", ALL, queue, retry={"max_age": 59})
    refused("'tries'", "r", ALL, queue, retry={"tries": 1})
    refused("dead_letter must be a Queue", "r", ALL, queue, dead_letter="dead")
    refused("FIFO queue", "r", ALL, queue, dead_letter=engine.queue("d.fifo"))
    refused("needs a group", "r", ALL, engine.queue("q.fifo"))
    refused("enabled must be True or False", "r", ALL, queue, enabled=1)
    refused("'ftp://x'", "r", ALL, "ftp://x")

    async def handle(event: Any) -> None:
        raise AssertionError(event)

    refused("needs an event loop", "r", ALL, handle)
    assert bus.rules() == []


def test_a_bus_is_found_or_created() -> None:
    engine = trunkline.open()
    with pytest.raises(trunkline.NotFound, match="Event bus orders does not exist"):
        engine.bus("orders", create=False)
    bus = engine.bus("orders")
    assert engine.bus("orders", create=False) == bus
    assert engine.bus("orders", region="eu-central-1") != bus
    assert [one.name for one in engine.buses("ord")] == ["orders"]
    bus.remove()
    with pytest.raises(trunkline.NotFound, match="does not exist"):
        bus.put(ORDER)


def test_events_go_through_buses_and_never_around() -> None:
    engine = trunkline.open()
    first, second, queue = engine.bus("first"), engine.bus("second"), engine.queue("q")
    first.rule("on", ALL, second)
    second.rule("end", ALL, queue)
    assert first.put(ORDER).delivered == 1
    second.rule("back", {"detail-type": ["Order"]}, first)
    with pytest.raises(trunkline.UnsupportedOperation, match="form a loop"):
        first.put(ORDER)
    assert len(details(queue)) == 1


def test_a_function_gets_events_and_its_failures_are_tried_again() -> None:
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    seen: list[Any] = []

    def handle(event: Any) -> None:
        seen.append(event)
        if len(seen) == 1:
            raise ValueError("not yet")

    engine.bus().rule("all", ALL, handle, input_path="$.detail")
    engine.bus().put(ORDER)
    clock.advance(0)
    assert seen == [{"state": "paid", "id": 7}]
    clock.advance(60)
    assert len(seen) == 2


def test_another_function_takes_the_place_of_the_first() -> None:
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    first: list[Any] = []
    second: list[Any] = []
    rule = engine.bus().rule("all", ALL, first.append)
    engine.bus().put(ORDER)
    clock.advance(0)
    rule = engine.bus().rule("all", ALL, second.append)
    engine.bus().put(ORDER)
    clock.advance(0)
    assert (len(first), len(second)) == (1, 1)
    rule.remove()
    assert engine.bus().put(ORDER).matched == 0


def test_a_function_that_never_succeeds_gives_a_dead_letter() -> None:
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    dead = engine.queue("dead")

    def handle(event: Any) -> None:
        raise ValueError("never")

    engine.bus().rule("all", ALL, handle, dead_letter=dead, retry={"max_attempts": 1})
    engine.bus().put(ORDER)
    clock.advance(600)
    (message,) = dead.receive()
    assert message.json()["detail"] == ORDER["detail"]
    assert message.attributes["ERROR_MESSAGE"] == "ValueError: never"
    assert message.attributes["RETRY_ATTEMPTS"] == "1"


class Hook(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.headers["content-type"], body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_url_gets_events() -> None:
    Hook.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        clock = trunkline.VirtualClock()
        with trunkline.open(clock=clock) as engine:
            url = f"http://127.0.0.1:{server.server_port}/hook"
            engine.bus().rule("all", ALL, url, input_path="$.detail.id")
            engine.bus().put(ORDER)
            clock.advance(0)
        assert Hook.seen == [("application/json; charset=utf-8", b"7")]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_rules_and_waiting_events_survive_a_restart(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        bus = engine.bus()
        bus.rule("all", ALL, engine.queue("q"))
        bus.rule("later", ALL, lambda event: None).disable()
        bus.rule("mine", ALL, lambda event: (_ for _ in ()).throw(ValueError("not now")))
        bus.put(ORDER)
    seen = threading.Event()
    with trunkline.open(tmp_path) as engine:
        bus = engine.bus(create=False)
        assert [rule.name for rule in bus.rules()] == ["all", "later", "mine"]
        assert [rule.enabled for rule in bus.rules()] == [True, False, True]
        assert len(details(engine.queue("q"))) == 1
        # What waited comes to the function that is given now.
        bus.rule("mine", ALL, lambda event: seen.set())
        assert seen.wait(60)
        assert bus.put(ORDER).matched == 2


def test_what_a_function_had_when_the_engine_closed_comes_when_it_opens(tmp_path: Path) -> None:
    begun, end, seen = threading.Event(), threading.Event(), threading.Event()

    def never_ends(event: object) -> None:
        begun.set()
        end.wait(120)

    try:
        with trunkline.open(tmp_path) as engine:
            engine.bus().rule("mine", ALL, never_ends)
            engine.bus().put(ORDER)
            assert begun.wait(60)
        with trunkline.open(tmp_path) as engine:
            engine.bus().rule("mine", ALL, lambda event: seen.set())
            # The lease of a function is five minutes: far behind the end of this wait.
            assert seen.wait(60)
    finally:
        end.set()


def test_the_vectors_hold_in_python() -> None:
    cases = tomllib.loads(VECTORS.read_text(encoding="utf-8"))["case"]
    tried = 0
    for case in cases:
        if "template" not in case or "gets" not in case:
            continue
        engine = trunkline.open()
        queue = engine.queue("q")
        engine.bus().rule(
            "rule",
            {"source": [{"prefix": ""}]},
            queue,
            input_path=case["paths"],
            input_template=case["template"],
        )
        name = "core.update-account-command"
        head = f'"source":"{name}","detail-type":"{name}","time":"2024-05-13T10:00:00Z"'
        engine.bus().put(f'{{{head},"detail":{case["detail"]}}}')
        assert queue.receive()[0].text() == case["gets"], case["name"]
        tried += 1
    assert tried > 8


def test_a_rule_takes_as_long_beside_many_as_beside_few() -> None:
    engine = trunkline.open()
    bus, queue = engine.bus(), engine.queue("q")

    def put_rules(first: int) -> float:
        """The shortest of ten processor times, so that a pause of the machine does not count."""
        times = []
        for start in range(first, first + 500, 50):
            began = time.thread_time()
            for number in range(start, start + 50):
                bus.rule(f"r{number}", {"source": [f"{number}"]}, queue)
            times.append(time.thread_time() - began)
        return min(times)

    few = put_rules(0)
    for number in range(500, 6_000):
        bus.rule(f"r{number}", {"source": [f"{number}"]}, queue)
    assert put_rules(6_000) < 10 * few
