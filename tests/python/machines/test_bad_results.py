"""Results that are no JSON, failures of the machinery, and what a program is told of its errors."""

from __future__ import annotations

import json
import threading

import pytest

import trunkline
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.integrations import call
from trunkline.machines.runtime import StillRunning
from trunkline.machines.task import Owner, Task

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"


def one(**state):
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


WAIT = one(Type="Wait", Seconds=60)
TASK = one(Type="Task", Resource=CHARGE)


def nested(depth):
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize("result", [float("nan"), float("inf"), "\ud800", nested(300)], ids=repr)
def test_a_result_that_is_no_json_fails_the_task_once(result):
    calls = []

    def charge(order):
        calls.append(order)
        return result

    machine = trunkline.open().machine("checkout", TASK, functions={"charge": charge})
    execution = machine.start().wait(30)
    assert (execution.status, execution.error) == ("FAILED", "Runtime.MarshalError")
    assert CHARGE in execution.cause
    assert len(calls) == 1
    with pytest.raises(trunkline.ExecutionFailed, match=r"Runtime\.MarshalError"):
        machine.run()


def test_parameters_that_a_service_has_no_use_for_fail_the_task():
    invoke = one(Type="Task", Resource="arn:aws:states:::lambda:invoke", InputPath="$.list")
    execution = trunkline.open().machine("invokes", invoke).start({"list": [1]}).wait(30)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "AttributeError" in execution.cause


def test_a_task_that_is_handed_out_again_is_not_called_beside_itself():
    engine = trunkline.open()
    runtime = runtime_of(engine._core)
    once = runtime._calling_once
    with once("token"), pytest.raises(StillRunning), once("token"):
        pass
    with runtime._calling_once("token"):
        pass


def test_functions_that_wait_for_executions_do_not_stop_one_another():
    engine = trunkline.open()
    inner = engine.machine("inner", TASK, functions={"charge": lambda order: order})
    together = threading.Barrier(12)

    def charge(order):
        together.wait(30)
        return inner.start(order).wait(30).output

    outer = engine.machine("outer", TASK, functions={"charge": charge})
    started = [outer.start({"number": number}) for number in range(12)]
    assert [one.wait(30).output for one in started] == [{"number": n} for n in range(12)]


def test_a_machine_that_was_removed_is_not_found():
    machine = trunkline.open().machine("waits", WAIT)
    machine.remove()
    for use in (machine.start, machine.run):
        with pytest.raises(trunkline.ResourceNotFound, match="Does Not Exist"):
            use()


def test_a_run_in_memory_says_what_it_cannot_run():
    engine = trunkline.open()
    activity = "arn:aws:states:us-east-1:000000000000:activity:ship"
    machine = engine.machine("ships", one(Type="Task", Resource=activity))
    with pytest.raises(trunkline.ValidationException, match=r"use start\(\)"):
        machine.run()
    with pytest.raises(trunkline.ValidationException, match="NaN"):
        machine.run(float("nan"))


def test_a_name_is_text_that_can_be_written():
    engine = trunkline.open()
    with pytest.raises(trunkline.ValidationException, match="Invalid Name"):
        engine.machine("\ud800", WAIT)
    with pytest.raises(trunkline.ValidationException, match="Invalid Name"):
        engine.machine("waits", WAIT).start(name="\ud800")


def test_a_child_is_started_once_however_often_its_task_is_carried_out():
    engine = trunkline.open()
    inner = engine.machine("inner", WAIT)
    owner = Owner("000000000000", "us-east-1", "outer", "first")
    sync = "arn:aws:states:::states:startExecution.sync"
    task = Task(owner, sync, json.dumps({"StateMachineArn": inner.arn}), "token")
    runtime = runtime_of(engine._core)
    assert [call(runtime, task).kind for _ in range(2)] == ["submitted", "submitted"]
    (child,) = inner.executions()
    child.stop()
    # Its end is on its way: nothing else is to be told of the task.
    assert call(runtime, task).kind == "heartbeat"
    assert [execution.name for execution in inner.executions()] == [child.name]


def test_a_function_gets_the_text_of_a_payload_that_is_text_as_json():
    invoke = one(Type="Task", Resource="arn:aws:states:::lambda:invoke", OutputPath="$.Payload")
    engine = trunkline.open()
    machine = engine.machine("invokes", invoke, functions={"charge": lambda order: [order]})
    for payload, told in (("{}", [{}]), ("0.5", [0.5]), ("plain", ["plain"])):
        given = {"FunctionName": "charge", "Payload": payload}
        assert machine.start(given).wait(30).output == told
