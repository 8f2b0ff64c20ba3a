"""Functions of the program: called as Lambda calls them, at once or later."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

import trunkline
from trunkline import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(clock: VirtualClock) -> Any:
    with trunkline.open(clock=clock) as opened:
        yield opened


def echo(event: Any, context: Any) -> Any:
    return event


def fail(event: Any, context: Any) -> Any:
    raise ValueError("no tea left")


def test_the_event_and_the_result_go_through_json(engine: trunkline.Engine) -> None:
    seen = []

    def handler(event: Any, context: trunkline.FunctionContext) -> Any:
        seen.append(event)
        event["changed"] = True
        return (1, "é")

    given = {"cups": (1, 2)}
    assert engine.function("tea", handler).invoke(given) == [1, "é"]
    assert given == {"cups": (1, 2)}
    assert seen == [{"cups": [1, 2], "changed": True}]


def test_the_context_tells_of_the_invocation(engine: trunkline.Engine) -> None:
    def handler(event: Any, context: trunkline.FunctionContext) -> Any:
        names = (
            "function_name",
            "function_version",
            "invoked_function_arn",
            "memory_limit_in_mb",
            "log_group_name",
        )
        return [*(getattr(context, name) for name in names), context.get_remaining_time_in_millis()]

    *told, left = engine.function("who", handler, timeout=60).invoke()
    arn = "arn:aws:lambda:us-east-1:000000000000:function:who"
    assert told == ["who", "$LATEST", arn, "128", "/aws/lambda/who"]
    assert 50_000 < left <= 60_000


def test_a_failure_has_the_shape_of_lambda(engine: trunkline.Engine) -> None:
    function = engine.function("tea", fail)
    with pytest.raises(trunkline.FunctionError, match="ValueError: no tea left") as raised:
        function.invoke({})
    assert (raised.value.error_type, raised.value.error_message) == ("ValueError", "no tea left")
    (line,) = raised.value.stack_trace
    assert line.startswith(f'  File "{__file__}"')
    assert 'raise ValueError("no tea left")' in line
    assert function.statistics()["errors"] == 1


@pytest.mark.parametrize("result", [{1, 2}, [float("nan")], {"cups": float("inf")}])
def test_a_result_that_is_no_json_is_a_failure(engine: trunkline.Engine, result: object) -> None:
    function = engine.function("tea", lambda event, context: result)
    with pytest.raises(trunkline.FunctionError, match=r"Runtime.MarshalError: Unable to marshal"):
        function.invoke()


def test_a_function_that_takes_too_long_is_told_to_its_caller(engine: trunkline.Engine) -> None:
    go_on = threading.Event()
    function = engine.function("slow", lambda event, context: go_on.wait(30), timeout=0.05)
    with pytest.raises(trunkline.FunctionError, match=r"Task timed out after 0.05 seconds"):
        function.invoke()
    assert function.statistics()["timeouts"] == 1
    # The thread cannot be ended, so it counts until it ends by itself.
    assert function.statistics()["running"] == 1
    go_on.set()
    _until(lambda: function.statistics()["running"] == 0)


def test_no_more_run_at_once_than_the_concurrency_allows(engine: trunkline.Engine) -> None:
    began, go_on = threading.Event(), threading.Event()

    def handler(event: Any, context: Any) -> None:
        began.set()
        go_on.wait(30)

    function = engine.function("one", handler, concurrency=1, timeout=30)
    thread = threading.Thread(target=function.invoke)
    thread.start()
    assert began.wait(30)
    with pytest.raises(trunkline.TooManyRequests, match="Rate Exceeded"):
        function.invoke()
    go_on.set()
    thread.join()
    assert function.statistics()["throttles"] == 1


def test_asynchronous_invocations_run_at_once_up_to_the_concurrency(
    engine: trunkline.Engine,
) -> None:
    barrier = threading.Barrier(4)
    function = engine.function("four", lambda event, context: barrier.wait(30), timeout=60)
    for _ in range(4):
        function.invoke_async()
    _until(lambda: function.statistics()["delivered"] == 4)


def test_a_failed_invocation_is_tried_twice_more_and_then_reported(
    engine: trunkline.Engine, clock: VirtualClock
) -> None:
    failed, dead = engine.queue("failed"), engine.queue("dead")
    ids: list[str] = []

    def handler(event: Any, context: trunkline.FunctionContext) -> None:
        ids.append(context.aws_request_id)
        raise ValueError("no tea left")

    function = engine.function("tea", handler, on_failure=failed, dead_letter=dead)
    id = function.invoke_async({"cups": 2})
    _until(lambda: len(ids) == 1)
    clock.advance(59)
    assert len(ids) == 1
    clock.advance(1)
    assert len(ids) == 2
    clock.advance(120)
    assert ids == [id] * 3
    record = failed.receive()[0].json()
    assert record["requestContext"] == {
        "requestId": id,
        "functionArn": f"{function.arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"cups": 2}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "ValueError"
    letter = dead.receive()[0]
    assert letter.json() == {"cups": 2}
    assert letter.attributes["RequestID"] == id
    assert letter.attributes["ErrorMessage"] == "no tea left"
    clock.advance(86_400)
    assert len(ids) == 3


def test_without_a_destination_a_failure_is_listed(
    engine: trunkline.Engine, clock: VirtualClock
) -> None:
    function = engine.function("tea", fail, retries=0)
    function.invoke_async()
    _until(lambda: function.statistics()["failed"] == 1)
    (failure,) = function.failures()
    assert failure["why"] == "ValueError: no tea left"


def test_an_invocation_is_not_tried_again_when_it_would_be_too_old(
    engine: trunkline.Engine, clock: VirtualClock
) -> None:
    failed = engine.queue("failed")
    function = engine.function("tea", fail, max_age=90, on_failure=failed)
    function.invoke_async()
    _until(lambda: function.statistics()["retried"] == 1)
    clock.advance(60)
    record = failed.receive()[0].json()
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 2


def test_a_bus_is_told_with_an_event(engine: trunkline.Engine) -> None:
    told = engine.queue("told")
    engine.bus().rule("results", {"source": ["lambda"]}, told)
    engine.function("tea", echo, on_success=engine.bus()).invoke_async({"cups": 2})
    event = told.receive(wait=20)[0].json()
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["responsePayload"] == {"cups": 2}


def test_a_function_may_be_told_by_another_one(engine: trunkline.Engine) -> None:
    done = engine.queue("done")
    second = engine.function("second", echo, on_success=done)
    engine.function("first", echo, on_success=second).invoke_async("tea")
    told = done.receive(wait=20)[0].json()
    assert told["responsePayload"]["responsePayload"] == "tea"


def test_rules_topics_and_schedules_call_functions(
    engine: trunkline.Engine, clock: VirtualClock
) -> None:
    done = engine.queue("done")
    function = engine.function("tea", echo, on_success=done)

    def event() -> Any:
        return done.receive(wait=20)[0].json()["requestPayload"]

    bus = engine.bus()
    bus.rule("orders", {"source": ["shop"]}, function, input_path="$.detail")
    bus.put({"source": "shop", "detail-type": "Order", "detail": {"cups": 2}})
    assert event() == {"cups": 2}
    topic = engine.topic("orders")
    subscription = topic.subscribe(function)
    assert subscription.target == function
    topic.publish("one tea", subject="order", attributes={"table": 7})
    (record,) = event()["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == subscription.arn
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("one tea", "order")
    assert record["Sns"]["MessageAttributes"] == {"table": {"Type": "Number", "Value": "7"}}
    schedule = engine.schedule("hourly", "rate(1 hour)", function, input={"cups": 1})
    assert schedule.settings()["target"] == "function tea"
    clock.advance(0)
    assert event() == {"cups": 1}
    with pytest.raises(trunkline.InvalidParameterValue, match="FIFO topic"):
        engine.topic("orders.fifo").subscribe(function)


def test_invocations_wait_for_a_function_that_is_named_again(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        hold = threading.Event()
        function = engine.function("tea", lambda event, context: hold.wait(30), timeout=60)
        engine.topic("orders").subscribe(function)
        hold.set()
    with trunkline.open(tmp_path) as engine:
        engine.topic("orders").publish("while nothing handles")
        with pytest.raises(trunkline.ResourceNotFound, match="not kept over a restart"):
            engine.function("tea")
        done = engine.queue("done")
        engine.function("tea", echo, on_success=done)
        told = done.receive(wait=20)[0].json()["requestPayload"]
        assert told["Records"][0]["Sns"]["Message"] == "while nothing handles"


def test_a_function_that_is_named_again_has_other_code(engine: trunkline.Engine) -> None:
    engine.function("tea", lambda event, context: 1)
    function = engine.function("tea", lambda event, context: 2, timeout=9)
    assert function.invoke() == 2
    assert engine.function("tea").settings()["timeout"] == 9
    assert [one.name for one in engine.functions()] == ["tea"]


def test_a_function_that_was_removed_is_gone(engine: trunkline.Engine) -> None:
    function = engine.function("tea", echo)
    function.remove()
    assert engine.functions() == []
    with pytest.raises(trunkline.NotFound):
        function.invoke_async()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"timeout": 901}, "timeout"),
        ({"concurrency": 0}, "concurrency"),
        ({"retries": 3}, "retries"),
        ({"max_age": 59}, "max_age"),
    ],
)
def test_an_option_out_of_its_range_is_refused(
    engine: trunkline.Engine, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(trunkline.InvalidParameterValue, match=problem):
        engine.function("tea", echo, **options)


def test_what_is_no_target_or_no_function_is_refused(engine: trunkline.Engine) -> None:
    with pytest.raises(TypeError, match="on_failure must be a Queue or a Topic or a Bus"):
        engine.function("tea", echo, on_failure=engine.stream("s"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dead_letter must be a Queue or a Topic"):
        engine.function("tea", echo, dead_letter=engine.bus())
    with pytest.raises(TypeError, match="handler must be a function"):
        engine.function("tea", "code")  # type: ignore[arg-type]
    with pytest.raises(trunkline.InvalidParameterValue, match="function name"):
        engine.function("no spaces", echo)
    with pytest.raises(trunkline.InvalidParameterValue, match="6291456"):
        engine.function("tea", echo).invoke("x" * 6_291_456)
    with pytest.raises(trunkline.InvalidParameterValue, match="1048576"):
        engine.function("tea", echo).invoke_async("x" * 1_048_576)


def test_what_a_function_logs_is_kept_when_asked(engine: trunkline.Engine) -> None:
    from trunkline.aws import client

    log = logging.getLogger("shop")

    def handler(event: Any, context: trunkline.FunctionContext) -> None:
        log.warning("brewing %s", event)
        context.log("plain")
        raise ValueError("no tea left")

    function = engine.function("tea", handler, logs=True)
    with pytest.raises(trunkline.FunctionError):
        function.invoke("green")
    log.warning("outside of an invocation")
    logs = client("logs", engine=engine)
    events = logs.filter_log_events(logGroupName="/aws/lambda/tea")["events"]
    lines = [event["message"] for event in events]
    assert lines[0].startswith("START RequestId: ")
    assert lines[0].endswith("Version: $LATEST")
    assert lines[1:3] == ["[WARNING]\tshop\tbrewing green", "plain"]
    assert lines[3].startswith("[ERROR] ValueError: no tea left\nTraceback")
    assert lines[4].startswith("END")
    assert lines[5].startswith("REPORT RequestId")
    assert len(lines) == 6


def test_a_coroutine_function_runs_on_a_loop_and_is_cancelled_when_late(
    engine: trunkline.Engine,
) -> None:
    ended = threading.Event()

    async def slow(event: Any, context: Any) -> Any:
        try:
            await asyncio.sleep(event)
        finally:
            ended.set()
        return "done"

    assert engine.function("slow", slow, timeout=60).invoke(0) == "done"
    ended.clear()
    function = engine.function("slow", slow, timeout=1)
    with pytest.raises(trunkline.FunctionError, match="timed out"):
        function.invoke(60)
    assert ended.wait(30)
    _until(lambda: function.statistics()["running"] == 0)


def test_functions_of_an_asyncio_engine_run_on_its_loop() -> None:
    async def main() -> None:
        loops = []

        async def handler(event: Any, context: trunkline.FunctionContext) -> Any:
            loops.append(asyncio.get_running_loop())
            await asyncio.sleep(0)
            if event == "fail":
                raise ValueError(event)
            return event

        async with trunkline.aio.open() as engine:
            done = engine.queue("done")
            function = engine.function("tea", handler, on_success=done)
            assert await function.invoke("green") == "green"
            with pytest.raises(trunkline.FunctionError, match="ValueError: fail"):
                await function.invoke("fail")
            await function.invoke_async("black")
            (message,) = await done.receive(wait=20)
            assert message.json()["responsePayload"] == "black"
            assert loops == [asyncio.get_running_loop()] * 3
            assert [one.name for one in engine.functions()] == ["tea"]
            await function.remove()

    asyncio.run(main())


def _until(holds: Any) -> None:
    limit = threading.Event()
    for _ in range(3_000):
        if holds():
            return
        limit.wait(0.01)
    raise AssertionError("it did not come to hold within 30 seconds")


def test_what_a_program_of_the_server_prints_is_in_its_log(
    engine: trunkline.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    from trunkline.aws import client
    from trunkline.functions.logs import capture_prints

    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", printed)
    capture_prints()
    capture_prints()
    engine.function("tea", lambda event, context: print("brewing"), logs=True).invoke()
    print("outside of an invocation")
    assert printed.getvalue() == "brewing\noutside of an invocation\n"
    logs = client("logs", engine=engine)
    events = logs.filter_log_events(logGroupName="/aws/lambda/tea")["events"]
    assert [event["message"] for event in events][1:-2] == ["brewing"]
