"""State machines that are tried in memory, with mocks."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from trunkline import states
from trunkline.errors import InvalidParameterValue, ValidationException

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"
SEND = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "MaxAttempts": 2}]


def one(**state):
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


TASK = one(Type="Task", Resource=CHARGE)


@pytest.mark.parametrize("name", ["A", CHARGE])
def test_a_task_gives_what_its_mock_says_by_state_or_resource(name):
    assert states.test(TASK, {"total": 3}, mocks={name: {"paid": 3}}).output == {"paid": 3}
    called = Mock(return_value=4)
    assert states.test(TASK, {"total": 3}, mocks={name: called}).output == 4
    called.assert_called_once_with({"total": 3})


async def slowly(order):
    return order["total"]


def test_a_coroutine_function_is_a_mock_too():
    assert states.test(TASK, {"total": 3}, mocks={"A": slowly}).output == 3


def test_retries_take_the_time_of_a_virtual_clock():
    machine = one(Type="Task", Resource=CHARGE, Retry=RETRY)
    busy = states.TaskFailed("Busy", "come back")
    result = states.test(machine, mocks={"A": Mock(side_effect=[busy, busy, 7])})
    assert (result.status, result.output, result.seconds) == ("SUCCEEDED", 7, 180.0)
    failed = states.test(machine, mocks={"A": busy})
    assert (failed.status, failed.error, failed.cause) == ("FAILED", "Busy", "come back")
    assert failed.history[-1]["type"] == "ExecutionFailed"


def test_an_exception_fails_a_task_by_the_name_of_its_type():
    def charge(order):
        raise LookupError("no card")

    catch = [{"ErrorEquals": ["LookupError"], "Next": "B"}]
    machine = one(Type="Task", Resource=SEND, Parameters={"Token.$": "$$.Task.Token"}, Catch=catch)
    machine["States"]["B"] = {"Type": "Succeed"}
    result = states.test(machine, mocks={"A": charge})
    assert (result.status, result.path) == ("SUCCEEDED", ["A", "B"])
    assert "no card" in result.output["Cause"]
    assert states.test(machine, mocks={"A": 3}).path == ["A"]


def test_a_run_is_the_same_each_time():
    branch = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": CHARGE, "End": True}}}
    other = {"StartAt": "U", "States": {"U": {"Type": "Task", "Resource": CHARGE, "End": True}}}
    machine = one(Type="Parallel", Branches=[branch, other])
    first, second = (
        states.test(machine, mocks={CHARGE: Mock(side_effect=[1, 2])}) for _ in range(2)
    )
    assert first == second
    assert (first.output, first.path) == ([1, 2], ["A", "T", "U"])


def distributed(**more):
    task = {"Type": "Task", "Resource": CHARGE, "Next": "W"}
    wait = {"Type": "Wait", "Seconds": 30, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T",
        "States": {"T": task, "W": wait},
    }
    return one(Type="Map", ItemProcessor=processor, **more)


def test_the_children_of_a_distributed_map_run_on_the_same_clock():
    result = states.test(distributed(MaxConcurrency=2), [1, 2, 3], mocks={"T": lambda n: n * 2})
    assert (result.output, result.seconds) == ([2, 4, 6], 60.0)


def test_a_distributed_map_can_be_mocked_as_a_whole():
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    machine = distributed(ItemReader={**reader, "ReaderConfig": {"InputType": "JSON"}})
    assert states.test(machine, mocks={"A": [1]}).output == [1]
    with pytest.raises(InvalidParameterValue, match="'A' reads its items"):
        states.test(machine)


def test_a_task_without_a_mock_is_told():
    with pytest.raises(InvalidParameterValue, match=r"'A' calls arn.*Give a mock"):
        states.test(TASK)


@pytest.mark.parametrize("machine", [TASK, one(Type="Pass")])
def test_a_mock_of_nothing_is_told(machine):
    with pytest.raises(InvalidParameterValue, match="'B' is neither"):
        states.test(machine, mocks={"B": 1})


def test_an_inline_map_has_no_mock():
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    with pytest.raises(InvalidParameterValue, match="'A' is neither"):
        states.test(one(Type="Map", ItemProcessor=processor), [], mocks={"A": 1})


def test_an_assertion_in_a_mock_is_one_of_the_test():
    def charge(order):
        assert order["total"] == 4, "the total"

    caught = one(Type="Task", Resource=CHARGE, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "A"}])
    with pytest.raises(AssertionError, match="the total"):
        states.test(caught, {"total": 3}, mocks={"A": charge})


def test_a_result_that_is_no_json_is_told():
    with pytest.raises(InvalidParameterValue, match="mocks"):
        states.test(TASK, mocks={"A": {1, 2}})


def test_a_definition_that_aws_refuses_is_refused():
    with pytest.raises(ValidationException, match="MISSING_TRANSITION_TARGET"):
        states.test(one(Type="Pass", End=False, Next="B"))


def test_a_machine_that_runs_in_a_circle_ends():
    end = {"Variable": "$.end", "IsPresent": True, "Next": "B"}
    choice = {"Type": "Choice", "Choices": [end], "Default": "A"}
    circle = {"StartAt": "A", "States": {"A": choice, "B": {"Type": "Succeed"}}}
    result = states.test(circle)
    assert result.status == "FAILED"
    assert "maximum number of history events" in result.cause


def test_time_starts_where_it_is_told():
    until = one(Type="Wait", Timestamp="2030-01-01T00:00:00Z")
    assert states.test(until, now=1_893_456_000 - 90).seconds == 90.0
