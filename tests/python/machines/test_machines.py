"""State machines of a program: durable executions, functions as tasks, time, closing."""

from __future__ import annotations

import random
import shutil
import time
from threading import Barrier, Event
from uuid import UUID

import pytest

import trunkline
import trunkline.aws
from tests.waiting import until
from trunkline.aws.stepfunctions.runner import resume
from trunkline.aws.store import Store

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"
DAY = 86_400


def one(**state):
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


WAIT = one(Type="Wait", Seconds=365 * DAY)
TASK = one(Type="Task", Resource=CHARGE)


def test_a_function_of_the_machine_carries_out_its_tasks():
    engine = trunkline.open()
    functions = {"charge": lambda order: {"paid": order["total"]}}
    machine = engine.machine("checkout", TASK, functions=functions)
    execution = machine.start({"total": 3}, name="order-7").wait(30)
    assert (execution.status, execution.output) == ("SUCCEEDED", {"paid": 3})
    assert execution.input == {"total": 3}
    kinds = [event["type"] for event in execution.history()]
    assert kinds[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert machine.executions() != []
    assert machine.execution("order-7").arn.endswith(":execution:checkout:order-7")


def test_a_function_of_the_engine_carries_them_out_too():
    engine = trunkline.open()
    engine.function("charge", lambda event, context: event["total"] + 1)
    execution = engine.machine("checkout", TASK).start({"total": 3}).wait(30)
    assert execution.output == 4


def test_the_error_of_a_function_is_caught_by_its_type():
    def charge(order):
        raise LookupError("no card")

    caught = one(
        Type="Task",
        Resource=CHARGE,
        Catch=[{"ErrorEquals": ["LookupError"], "Next": "B"}],
    )
    caught["States"]["B"] = {"Type": "Pass", "Result": "caught", "End": True}
    engine = trunkline.open()
    machine = engine.machine("caught", caught, functions={"charge": charge})
    assert machine.start().wait(30).output == "caught"
    failed = engine.machine("failed", TASK, functions={"charge": charge}).start().wait(30)
    assert (failed.status, failed.error) == ("FAILED", "LookupError")
    assert "no card" in failed.cause
    with pytest.raises(trunkline.ExecutionFailed, match="LookupError"):
        engine.machine("failed").run()


def test_a_virtual_clock_waits_for_a_year_at_once():
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    execution = engine.machine("waits", WAIT).start()
    engine.clock.advance(364 * DAY)
    assert execution.status == "RUNNING"
    engine.clock.advance(DAY)
    assert execution.status == "SUCCEEDED"


def test_executions_go_on_after_the_engine_was_closed(tmp_path):
    with trunkline.open(tmp_path) as engine:
        machine = engine.machine("checkout", one(Type="Wait", Seconds=1))
        machine.start(name="waits")
        done = engine.machine("done", one(Type="Pass")).start({"a": 1}, name="done").wait(30)
        told = done.history()
    with trunkline.open(tmp_path) as engine:
        assert engine.machine("done").execution("done").history() == told
        assert engine.machine("checkout").execution("waits").wait(30).status == "SUCCEEDED"


def test_a_name_is_given_to_one_execution():
    machine = trunkline.open().machine("waits", WAIT)
    machine.start({"a": 1}, name="first")
    machine.start({"a": 1}, name="first")
    with pytest.raises(trunkline.ConflictException):
        machine.start({"a": 2}, name="first")
    assert [execution.name for execution in machine.executions("RUNNING")] == ["first"]
    execution = machine.execution("first")
    execution.stop("Why", "because")
    assert (execution.status, execution.error) == ("ABORTED", "Why")
    machine.remove()
    with pytest.raises(trunkline.ResourceNotFound):
        machine.execution("first")


def test_a_start_runs_the_machine_as_it_is_then():
    with trunkline.open(clock=trunkline.VirtualClock()) as engine:
        say = {word: one(Type="Pass", Result=word) for word in ("old", "new")}
        machine = engine.machine("says", say["old"])
        assert machine.start().wait(30).output == "old"
        engine.machine("says", say["new"])
        assert machine.start().wait(30).output == "new"
        # Made again at the same time, its document is what it was.
        engine.machine("says").remove()
        with pytest.raises(trunkline.ResourceNotFound):
            machine.start()
        engine.machine("says", say["new"])
        assert machine.start(name="again").wait(30).output == "new"


def test_names_that_are_made_do_not_follow_the_seed_of_the_program():
    machine = trunkline.open().machine("done", one(Type="Pass"))
    random.seed(1)
    name = machine.start().name
    random.seed(1)
    assert machine.start().name != name
    assert UUID(name).version == 4


def test_what_aws_refuses_is_refused_in_its_words():
    engine = trunkline.open()
    with pytest.raises(trunkline.ValidationException, match=r"fields are required: .StartAt."):
        engine.machine("none", {"States": {"A": {"Type": "Pass", "End": True}}})
    with pytest.raises(trunkline.ResourceNotFound, match="Give its definition"):
        engine.machine("none")


def test_a_task_is_handed_out_when_the_end_of_the_one_before_is_on_disk(tmp_path):
    def copy(order):
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        return order

    states = {
        "A": {"Type": "Task", "Resource": CHARGE, "Next": "B"},
        "B": {"Type": "Task", "Resource": CHARGE.replace("charge", "copy"), "End": True},
    }
    functions = {"charge": lambda order: {"paid": order["total"]}, "copy": copy}
    with trunkline.open(tmp_path / "data") as engine:
        definition = {"StartAt": "A", "States": states}
        machine = engine.machine("checkout", definition, functions=functions)
        assert machine.start({"total": 3}, name="order").wait(30).output == {"paid": 3}
        # What is told to have ended has ended on disk too.
        shutil.copytree(tmp_path / "data", tmp_path / "end")
    with trunkline.open(tmp_path / "copy") as engine:
        history = engine.machine("checkout").execution("order").history()
        assert "LambdaFunctionSucceeded" in [event["type"] for event in history]
    with trunkline.open(tmp_path / "end") as engine:
        assert engine.machine("checkout").execution("order").status == "SUCCEEDED"


def test_a_task_waits_until_the_program_names_its_function_again(tmp_path):
    resource = "arn:aws:lambda:us-east-1:000000000000:function:work"
    definition = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Work"},
            "Work": {"Type": "Task", "Resource": resource, "End": True},
        },
    }
    pass_on = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    functions = {"work": lambda given: {"done": given}}
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock()) as engine:
        engine.machine("late", definition, functions=functions).start({"a": 1}, name="one")
        now = engine.clock.now
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock(now)) as engine:
        # Another machine has the tasks of all machines carried out from here on.
        engine.machine("early", pass_on, functions=functions).start({}).wait(10)
        engine.clock.advance(61)
        engine.machine("early").start({}).wait(10)
        execution = engine.machine("late").execution("one")
        time.sleep(0.2)  # the task is handed out in this time, and is put off
        assert execution.status == "RUNNING"
        engine.machine("late", definition, functions=functions)
        engine.clock.advance(5)
        assert execution.wait(10).output == {"done": {"a": 1}}
        engine.machine("late").remove()
        # One that never had the function fails, as on AWS.
        failed = engine.machine("late", definition).start({})
        engine.clock.advance(61)
        assert failed.wait(10).status == "FAILED"


def test_tasks_that_wait_for_their_function_go_on_when_it_is_named(tmp_path):
    held = Event()
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock()) as engine:
        machine = engine.machine("checkout", TASK, functions={"charge": lambda _: held.wait()})
        machine.start({"total": 3}, name="order-7")
    # Time stands still: no attempt comes by itself.
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock()) as engine:
        machine = engine.machine("checkout")
        runtime = machine._runtime()
        runtime.start()
        until(lambda: runtime._put_off)
        execution = machine.execution("order-7")
        assert execution.status == "RUNNING"
        engine.machine("checkout", functions={"charge": lambda order: {"paid": order["total"]}})
        until(lambda: execution.status != "RUNNING")
        assert execution.output == {"paid": 3}
    held.set()


def test_a_task_waits_for_its_function_for_as_long_as_it_takes(tmp_path):
    clock, held = trunkline.VirtualClock(), Event()
    with trunkline.open(tmp_path, clock=clock) as engine:
        machine = engine.machine("checkout", TASK, functions={"charge": lambda _: held.wait()})
        machine.start({"total": 3}, name="order-7")
    with trunkline.open(tmp_path, clock=clock) as engine:
        machine = engine.machine("checkout")
        machine._runtime().start()
        for _ in range(3):
            engine.clock.advance(DAY)
        engine.machine("checkout", functions={"charge": lambda order: {"paid": order["total"]}})
        execution = machine.execution("order-7")
        until(lambda: execution.status != "RUNNING")
        assert execution.output == {"paid": 3}
    held.set()


def test_a_machine_that_is_deleted_over_the_wire_leaves_no_names_of_functions(tmp_path):
    with trunkline.open(tmp_path) as engine:
        functions = {"charge": lambda order: order}
        states = trunkline.aws.client("stepfunctions", engine=engine)
        idle = engine.machine("idle", TASK, functions=functions)
        at_work = engine.machine("at-work", WAIT, functions=functions)
        at_work.start(name="waits")
        runtime = idle._runtime()
        assert [name for *_, name in runtime.named()] == ["at-work", "idle"]
        for machine in (idle, at_work):
            states.delete_state_machine(stateMachineArn=machine.arn)
        # Executions that run need their functions.
        assert [name for *_, name in runtime.named()] == ["at-work"]
        at_work._core().stop("waits")
    with trunkline.open(tmp_path) as engine:
        resume(Store(engine._core))
        assert engine.machine("new", WAIT)._runtime().named() == []


def test_a_call_that_takes_long_is_told_of_before_its_end():
    may_end = Event()
    engine = trunkline.open()
    functions = {"charge": lambda order: may_end.wait(60)}
    execution = engine.machine("checkout", TASK, functions=functions).start()
    until(lambda: execution.history()[-1]["type"] == "LambdaFunctionStarted")
    assert execution.status == "RUNNING"
    may_end.set()
    history = execution.wait(60).history()
    kinds = [event["type"] for event in history]
    assert kinds.count("LambdaFunctionStarted") == 1
    assert kinds[-3:] == ["LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded"]


def test_tasks_that_wait_for_each_other_behind_quick_ones_run_at_once(tmp_path):
    met = Barrier(4)
    functions = {"charge": lambda order: order and met.wait(30)}
    with trunkline.open(tmp_path) as engine:
        machine = engine.machine("checkout", TASK, functions=functions)
        # While they are quick, one thread carries them out, and others leave them to it.
        for execution in [machine.start(0) for _ in range(200)]:
            assert execution.wait(30).output == 0
        together = [machine.start(1) for _ in range(4)]
        assert sorted(execution.wait(30).output for execution in together) == [0, 1, 2, 3]


def test_a_quick_call_is_told_of_with_its_end():
    engine = trunkline.open()
    told = []

    def charge(order):
        told.append([event["type"] for event in machine.execution("one").history()])
        return order

    machine = engine.machine("checkout", TASK, functions={"charge": charge})
    before = engine._core.now()
    execution = machine.start(name="one").wait(60)
    assert told == [["ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled"]]
    started, ended = execution.history()[3:5]
    assert (started["type"], ended["type"]) == ("LambdaFunctionStarted", "LambdaFunctionSucceeded")
    assert before <= started["timestamp"] <= ended["timestamp"]


def test_machines_are_listed_by_name_in_their_region():
    engine = trunkline.open()
    for name in ("mail", "checkout", "checkout-late"):
        engine.machine(name, WAIT)
    engine.machine("elsewhere", WAIT, region="eu-west-1")
    assert [machine.name for machine in engine.machines()] == ["checkout", "checkout-late", "mail"]
    assert [machine.name for machine in engine.machines("checkout-")] == ["checkout-late"]
    assert [machine.name for machine in engine.machines(region="eu-west-1")] == ["elsewhere"]
    engine.machine("mail").remove()
    assert engine.machines("mail") == []
