"""Redrives of executions whose map run failed: its children go on that did not end well."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("boto3")

from botocore.exceptions import ClientError

from tests.waiting import until
from tests.wire.test_distributed_maps import create, definition, ended, start


@pytest.fixture
def states(connect):
    return connect("stepfunctions")


def handle(states, activity, answers):
    """Ends so many tasks of an activity: each answer gets the input, and gives an output."""
    for answer in answers:
        task = states.get_activity_task(activityArn=activity)
        output = answer(json.loads(task["input"]))
        if output is None:
            states.send_task_failure(taskToken=task["taskToken"], error="Down")
        else:
            states.send_task_success(taskToken=task["taskToken"], output=json.dumps(output))


def fails(_):
    return None


def doubled(item):
    return 2 * item


def run_of(states, execution):
    (listed,) = states.list_map_runs(executionArn=execution)["mapRuns"]
    return states.describe_map_run(mapRunArn=listed["mapRunArn"])


def test_the_children_that_failed_go_on_and_the_others_stay(states):
    activity = states.create_activity(name="work")["activityArn"]
    execution = start(states, create(states, definition(activity, MaxConcurrency=1)), [1, 2, 3])
    handle(states, activity, [doubled, fails])
    assert ended(states, execution)["status"] == "FAILED"
    before = run_of(states, execution)
    assert (before["status"], before["redriveCount"]) == ("FAILED", 0)
    assert (before["itemCounts"]["succeeded"], before["itemCounts"]["failed"]) == (1, 1)
    states.redrive_execution(executionArn=execution)
    seen = []
    handle(states, activity, [lambda item: seen.append(item) or 2 * item] * 2)
    told = ended(states, execution)
    # The second goes on, the third starts; the first does not run again.
    assert (told["status"], told["output"], seen) == ("SUCCEEDED", "[2,4,6]", [2, 3])
    after = run_of(states, execution)
    assert (after["mapRunArn"], after["status"]) == (before["mapRunArn"], "SUCCEEDED")
    assert after["redriveCount"] == 1
    assert (after["itemCounts"]["succeeded"], after["itemCounts"]["failed"]) == (3, 0)
    assert after["itemCounts"]["pendingRedrive"] == 0
    assert after["redriveDate"] >= before["startDate"]
    children = states.list_executions(mapRunArn=before["mapRunArn"])["executions"]
    assert sorted(child["redriveCount"] for child in children) == [0, 0, 1]
    events = states.get_execution_history(executionArn=execution)["events"]
    kinds = [event["type"] for event in events]
    assert kinds[kinds.index("ExecutionRedriven") :] == [
        "ExecutionRedriven",
        "MapRunRedriven",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
    ]
    redriven = events[kinds.index("MapRunRedriven")]["mapRunRedrivenEventDetails"]
    assert redriven == {"mapRunArn": before["mapRunArn"], "redriveCount": 1}


def test_a_run_that_was_stopped_goes_on_too_and_may_fail_again(states):
    activity = states.create_activity(name="work")["activityArn"]
    execution = start(states, create(states, definition(activity)), [1, 2])
    until(lambda: states.list_map_runs(executionArn=execution)["mapRuns"])
    until(lambda: run_of(states, execution)["itemCounts"]["running"] == 2)
    states.stop_execution(executionArn=execution)
    until(lambda: run_of(states, execution)["status"] == "ABORTED")
    states.redrive_execution(executionArn=execution)
    handle(states, activity, [fails])
    assert ended(states, execution)["status"] == "FAILED"
    until(lambda: run_of(states, execution)["status"] == "FAILED")
    states.redrive_execution(executionArn=execution)
    handle(states, activity, [doubled, doubled])
    told = ended(states, execution)
    assert (told["status"], json.loads(told["output"])) == ("SUCCEEDED", [2, 4])
    assert run_of(states, execution)["redriveCount"] == 2


def test_a_child_is_redriven_by_its_map_run_alone(states):
    activity = states.create_activity(name="work")["activityArn"]
    execution = start(states, create(states, definition(activity)), [1])
    handle(states, activity, [fails])
    assert ended(states, execution)["status"] == "FAILED"
    run = run_of(states, execution)["mapRunArn"]
    (child,) = states.list_executions(mapRunArn=run)["executions"]
    told = states.describe_execution(executionArn=child["executionArn"])
    assert told["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        states.redrive_execution(executionArn=child["executionArn"])


def test_express_children_that_failed_run_again(states, connect):
    express = json.loads(definition())
    processor = express["States"]["Map"]["ItemProcessor"]
    processor["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    url = "arn:aws:states:::aws-sdk:sqs:getQueueUrl"
    processor["States"]["One"] = {
        "Type": "Task",
        "Resource": url,
        "Parameters": {"QueueName.$": "$"},
        "ResultSelector": {"url.$": "$.QueueUrl"},
        "End": True,
    }
    sqs = connect("sqs")
    sqs.create_queue(QueueName="there")
    execution = start(states, create(states, json.dumps(express)), ["there", "late"])
    assert ended(states, execution)["status"] == "FAILED"
    sqs.create_queue(QueueName="late")
    states.redrive_execution(executionArn=execution)
    told = ended(states, execution)
    urls = [result["url"].rpartition("/")[2] for result in json.loads(told["output"])]
    assert (told["status"], urls) == ("SUCCEEDED", ["there", "late"])
