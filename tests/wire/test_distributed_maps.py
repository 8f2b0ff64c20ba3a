"""Map runs over the wire: listed, described, changed while they run; their children."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

from botocore.exceptions import ClientError

from tests.waiting import until

ROLE = "arn:aws:iam::000000000000:role/states"


def definition(activity=None, **state):
    inner = {"Type": "Pass", "End": True}
    if activity is not None:
        inner = {"Type": "Task", "Resource": activity, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "One",
        "States": {"One": inner},
    }
    every = {"Type": "Map", "ItemProcessor": processor, "Label": "each", "End": True, **state}
    return json.dumps({"StartAt": "Map", "States": {"Map": every}})


def create(states, text):
    made = states.create_state_machine(name="maps", definition=text, roleArn=ROLE)
    return made["stateMachineArn"]


def start(states, machine, items):
    started = states.start_execution(stateMachineArn=machine, input=json.dumps(items))
    return started["executionArn"]


def ended(states, execution):
    answers = []

    def has_ended():
        answers.append(states.describe_execution(executionArn=execution))
        return answers[-1]["status"] != "RUNNING"

    until(has_ended)
    return answers[-1]


@pytest.fixture
def states(connect):
    return connect("stepfunctions")


def test_a_map_run_is_listed_with_its_children(states):
    execution = start(states, create(states, definition()), [1, 2, 3])
    assert json.loads(ended(states, execution)["output"]) == [1, 2, 3]
    (listed,) = states.list_map_runs(executionArn=execution)["mapRuns"]
    assert listed["executionArn"] == execution
    told = states.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (told["status"], told["itemCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    children = states.list_executions(mapRunArn=listed["mapRunArn"])["executions"]
    assert len(children) == 3
    child = states.describe_execution(executionArn=children[0]["executionArn"])
    assert child["mapRunArn"] == listed["mapRunArn"]
    assert child["stateMachineArn"].endswith(":stateMachine:maps/each")
    history = states.get_execution_history(executionArn=child["executionArn"])["events"]
    assert [event["type"] for event in history][:2] == ["ExecutionStarted", "PassStateEntered"]


def test_changed_limits_hold_at_once(states):
    activity = states.create_activity(name="work")["activityArn"]
    machine = create(states, definition(activity, MaxConcurrency=1))
    execution = start(states, machine, list(range(5)))
    runs = []

    def is_running():
        runs[:] = states.list_map_runs(executionArn=execution)["mapRuns"]
        return runs and counts()["running"] == 1

    def counts():
        return states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]

    until(is_running)
    states.update_map_run(mapRunArn=runs[0]["mapRunArn"], maxConcurrency=3, toleratedFailureCount=1)
    until(lambda: counts()["running"] == 3)
    for number in range(5):
        token = states.get_activity_task(activityArn=activity)["taskToken"]
        if number == 0:
            states.send_task_failure(taskToken=token, error="Once")
        else:
            states.send_task_success(taskToken=token, output="1")
    assert ended(states, execution)["output"] == "[1,1,1,1]"
    told = states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
    assert (told["maxConcurrency"], told["toleratedFailureCount"]) == (3, 1)
    assert (told["itemCounts"]["failed"], told["executionCounts"]["succeeded"]) == (1, 4)
    with pytest.raises(ClientError, match="not in a state"):
        states.update_map_run(mapRunArn=runs[0]["mapRunArn"], maxConcurrency=1)


def test_unknown_map_runs_are_refused(states):
    unknown = "arn:aws:states:us-east-1:000000000000:mapRun:maps/each:none"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        states.describe_map_run(mapRunArn=unknown)
    with pytest.raises(ClientError, match="InvalidArn"):
        states.describe_map_run(mapRunArn=unknown.replace("mapRun", "execution"))
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        states.list_map_runs(executionArn=unknown.replace("mapRun:maps/each", "execution:maps"))


def test_a_history_is_read_page_by_page(states):
    wait = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(20)}
    wait["S20"] = {"Type": "Pass", "End": True}
    machine = create(states, json.dumps({"StartAt": "S0", "States": wait}))
    execution = start(states, machine, {})
    ended(states, execution)
    whole = states.get_execution_history(executionArn=execution)["events"]
    assert [event["id"] for event in whole] == list(range(1, 45))
    for reverse in (False, True):
        pages = states.get_paginator("get_execution_history").paginate(
            executionArn=execution, reverseOrder=reverse, PaginationConfig={"PageSize": 7}
        )
        found = [event for page in pages for event in page["events"]]
        assert found == (whole[::-1] if reverse else whole)


def test_a_task_waits_for_an_execution_that_runs_already_under_its_name(states):
    activity = states.create_activity(name="work")["activityArn"]
    inner = json.dumps(
        {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    )
    child = states.create_state_machine(name="child", definition=inner, roleArn=ROLE)
    arn = child["stateMachineArn"]
    states.start_execution(stateMachineArn=arn, name="same", input="{}")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": arn, "Name": "same", "Input": {}},
        "End": True,
    }
    outer = create(states, json.dumps({"StartAt": "A", "States": {"A": task}}))
    execution = start(states, outer, {})

    def is_submitted():
        events = states.get_execution_history(executionArn=execution)["events"]
        return events[-1]["type"] == "TaskSubmitted"

    until(is_submitted)
    token = states.get_activity_task(activityArn=activity)["taskToken"]
    states.send_task_success(taskToken=token, output='"done"')
    assert json.loads(ended(states, execution)["output"])["Output"] == "done"
