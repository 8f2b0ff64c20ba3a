"""`machine.run()` calls functions on the thread of its caller where it can, and says the same."""

from __future__ import annotations

import asyncio
import enum
import json
import threading
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trunkline

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"


def task(**more):
    return {"Type": "Task", "Resource": CHARGE, **more}


def one(**more):
    return {"StartAt": "A", "States": {"A": task(End=True, **more)}}


def thread_of(definition):
    engine = trunkline.open()
    functions = {"charge": lambda _: threading.current_thread().name}
    return engine.machine("checkout", definition, functions=functions).run()


def test_a_function_runs_on_the_thread_of_the_caller():
    assert thread_of(one()) == threading.current_thread().name


@pytest.mark.parametrize(
    "definition",
    [one(TimeoutSeconds=60), one(HeartbeatSeconds=60), {**one(), "TimeoutSeconds": 60}],
    ids=["time-out", "heartbeat", "time-out of the machine"],
)
def test_a_function_that_may_be_late_runs_on_another_thread(definition):
    assert thread_of(definition) != threading.current_thread().name


def test_a_function_that_is_late_times_out():
    goes_on = threading.Event()
    engine = trunkline.open()
    machine = engine.machine(
        "late", one(TimeoutSeconds=1), functions={"charge": lambda _: goes_on.wait(30)}
    )
    try:
        with pytest.raises(trunkline.ExecutionFailed, match=r"States\.Timeout"):
            machine.run()
    finally:
        goes_on.set()


def test_branches_run_beside_one_another():
    together = threading.Barrier(2)

    def charge(order):
        together.wait(30)
        return order

    branches = [{"StartAt": name, "States": {name: task(End=True)}} for name in "BC"]
    both = {"Type": "Parallel", "Branches": branches, "End": True}
    definition = {"StartAt": "A", "States": {"A": both}}
    machine = trunkline.open().machine("both", definition, functions={"charge": charge})
    assert machine.run(1) == [1, 1]


def test_a_wait_in_another_branch_goes_on_while_a_function_runs():
    wakes = threading.Event()

    def charge(order):
        if order == "waits":
            return wakes.wait(30)
        return wakes.set()

    first = {"StartAt": "B", "States": {"B": task(Parameters="waits", End=True)}}
    waits = {"Type": "Wait", "Seconds": 0, "Next": "C"}
    second = {"StartAt": "W", "States": {"W": waits, "C": task(Parameters="wakes", End=True)}}
    both = {"Type": "Parallel", "Branches": [first, second], "End": True}
    definition = {"StartAt": "A", "States": {"A": both}}
    machine = trunkline.open().machine("both", definition, functions={"charge": charge})
    assert machine.run() == [True, None]


def test_retries_and_catchers_hold():
    calls = []

    def charge(order):
        calls.append(order)
        raise LookupError("no card")

    definition = one(
        Retry=[{"ErrorEquals": ["LookupError"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["LookupError"], "Next": "B"}],
    )
    definition["States"]["B"] = {"Type": "Pass", "InputPath": "$.Cause", "End": True}
    machine = trunkline.open().machine("caught", definition, functions={"charge": charge})
    cause = json.loads(machine.run({"total": 3}))
    assert (cause["errorType"], cause["errorMessage"]) == ("LookupError", "no card")
    assert ["in charge" in line for line in cause["stackTrace"]] == [True]
    assert calls == [{"total": 3}] * 2


def test_an_interrupt_is_one_of_the_caller():
    def charge(order):
        raise KeyboardInterrupt

    caught = one(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}])
    caught["States"]["B"] = {"Type": "Succeed"}
    engine = trunkline.open()
    machine = engine.machine("interrupted", caught, functions={"charge": charge})
    with pytest.raises(KeyboardInterrupt):
        machine.run()


def test_a_coroutine_function_is_awaited_also_beside_a_loop_of_the_caller():
    async def charge(order):
        await asyncio.sleep(0)
        return order + 1

    machine = trunkline.open().machine("awaited", one(), functions={"charge": charge})

    async def within():
        return machine.run(2)

    assert (machine.run(1), asyncio.run(within())) == (2, 3)


def test_functions_may_run_machines():
    engine = trunkline.open()
    inner = engine.machine("inner", one(), functions={"charge": lambda order: order + 1})
    outer = engine.machine("outer", one(), functions={"charge": lambda order: inner.run(order) * 2})
    assert outer.run(1) == 4


def test_an_engine_that_is_closed_meanwhile_ends_the_run():
    engine = trunkline.open()
    calls = []

    def charge(order):
        calls.append(order)
        engine.close()

    states = {"A": task(Next="B"), "B": task(End=True)}
    definition = {"StartAt": "A", "States": states}
    machine = engine.machine("closed", definition, functions={"charge": charge})
    with pytest.raises(trunkline.EngineClosed):
        machine.run()
    assert len(calls) == 1


def test_a_new_definition_holds_from_the_next_run_on():
    engine = trunkline.open()
    machine = engine.machine("changes", one(), functions={"charge": lambda order: "first"})
    assert machine.run() == "first"
    again = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "second", "End": True}}}
    engine.machine("changes", again)
    assert machine.run() == "second"


class Color(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        (1, (2,)),
        {1: "a", None: "b", 2.5: "c"},
        OrderedDict(a=1),
        Color.RED,
        2**70,
        -(2**63),
        1e300,
        0.1,
        -0.0,
        "\x00\u2028\U0001f600",
        {"a": [None, True, {"b": 1.0}]},
    ],
    ids=repr,
)
def test_values_pass_as_json_has_them(value):
    seen = []

    def charge(order):
        seen.append(order)
        return value

    machine = trunkline.open().machine("passes", one(), functions={"charge": charge})
    told = json.dumps(json.loads(json.dumps(value)))
    assert json.dumps(machine.run(value)) == told
    assert [json.dumps(one) for one in seen] == [told]


@pytest.fixture(scope="module")
def same():
    with trunkline.open() as engine:
        yield engine.machine("same", one(), functions={"charge": lambda order: order})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(plain)
def test_any_plain_value_passes_as_json_has_it(same, value):
    expected = {} if value is None else json.loads(json.dumps(value))
    assert json.dumps(same.run(value)) == json.dumps(expected)


def test_an_input_that_is_too_long_is_refused(same):
    with pytest.raises(trunkline.ValidationException, match="longer than"):
        same.run("x" * 262_144)
