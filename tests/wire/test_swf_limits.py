"""Limits of SWF, defaults that a type lacks, deprecated types: the causes they lead to."""

from __future__ import annotations

from contextlib import suppress

import pytest
from swf_calls import DOMAIN, ORDER, Shop, decision, lower, schedule

import trunkline
import trunkline.aws

pytest.importorskip("boto3")

OPEN_MAX = 1_000
EVENTS_MAX = 25_000


@pytest.fixture
def shop(clock, connect):
    return Shop(connect("swf"))


def events(shop, run):
    """The whole history, page after page."""
    execution = {"workflowId": "o-1", "runId": run}
    found, rest = [], {}
    while True:
        page = shop.swf.get_workflow_execution_history(domain=DOMAIN, execution=execution, **rest)
        found += page["events"]
        if "nextPageToken" not in page:
            return found
        rest = {"nextPageToken": page["nextPageToken"]}


def timer(number):
    return decision("StartTimer", timerId=f"t-{number}", startToFireTimeout="60")


def activity(number):
    return schedule(f"a-{number}")


def child(number):
    given = {"workflowType": ORDER, "workflowId": f"child-{number}"}
    return decision("StartChildWorkflowExecution", **given)


def function(number):
    return decision("ScheduleLambdaFunction", id=f"f-{number}", name="none")


@pytest.mark.parametrize(
    ("open_one", "kind", "cause"),
    [
        (timer, "StartTimerFailed", "OPEN_TIMERS_LIMIT_EXCEEDED"),
        (activity, "ScheduleActivityTaskFailed", "OPEN_ACTIVITIES_LIMIT_EXCEEDED"),
        (child, "StartChildWorkflowExecutionFailed", "OPEN_CHILDREN_LIMIT_EXCEEDED"),
    ],
)
def test_an_execution_has_a_thousand_open_ones_of_each_kind(shop, open_one, kind, cause):
    run = shop.start()
    shop.decide(*map(open_one, range(OPEN_MAX + 1)))
    (failed,) = [event for event in events(shop, run) if event["eventType"] == kind]
    assert failed[f"{lower(kind)}EventAttributes"]["cause"] == cause


@pytest.fixture
def small():
    limits = trunkline.Limits(workflow_executions_max=3, workflow_functions_max=2)
    with trunkline.open(limits=limits, clock=trunkline.VirtualClock()) as engine:
        yield Shop(trunkline.aws.client("swf", engine=engine, region_name="us-east-1"))


def test_a_domain_has_as_many_open_executions_as_its_limit_says(small):
    run = small.start()
    # Those that the same decisions start count too.
    small.decide(*map(child, range(3)))
    failed = small.last(run, "StartChildWorkflowExecutionFailed")
    assert (failed["workflowId"], failed["cause"]) == ("child-2", "OPEN_WORKFLOWS_LIMIT_EXCEEDED")
    with pytest.raises(small.swf.exceptions.LimitExceededFault, match="open executions"):
        small.start("o-2")
    small.swf.terminate_workflow_execution(domain=DOMAIN, workflowId="child-0")
    small.start("o-2")


def test_an_execution_has_as_many_open_functions_as_its_limit_says(small):
    run = small.start(lambdaRole="arn:aws:iam::000000000000:role/swf")
    small.decide(*map(function, range(3)))
    failed = small.last(run, "ScheduleLambdaFunctionFailed")
    assert (failed["id"], failed["cause"]) == ("f-2", "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED")


def test_an_execution_with_too_many_events_is_terminated(shop):
    run = shop.start()
    marker = decision("RecordMarker", markerName="m")
    while shop.describe(run)["executionInfo"]["executionStatus"] == "OPEN":
        shop.decide(*[marker] * 1_000)
        if not shop.waiting():
            with suppress(shop.swf.exceptions.UnknownResourceFault):
                shop.signal()
    found = events(shop, run)
    assert [event["eventId"] for event in found] == list(range(1, len(found) + 1))
    attributes = found[-1]["workflowExecutionTerminatedEventAttributes"]
    assert attributes["cause"] == "EVENT_LIMIT_EXCEEDED"
    # The last decision may have had an event more, and then it was terminated.
    assert len(found) <= EVENTS_MAX + 2


def test_each_default_that_a_type_lacks_has_a_cause(shop):
    run = shop.start()
    bare = {"name": "bare", "version": "1"}
    shop.swf.register_activity_type(domain=DOMAIN, **bare)
    shop.swf.register_workflow_type(domain=DOMAIN, **bare)
    given = {"activityType": bare, "activityId": "a"}
    activities = [
        ("taskList", {"name": "x"}, "DEFAULT_TASK_LIST_UNDEFINED"),
        ("scheduleToStartTimeout", "1", "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"),
        ("startToCloseTimeout", "1", "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("scheduleToCloseTimeout", "1", "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("heartbeatTimeout", "1", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
    ]
    whole = given | {name: value for name, value, _ in activities}
    for name, _, cause in activities:
        lacking = {key: value for key, value in whole.items() if key != name}
        shop.decide(decision("ScheduleActivityTask", **lacking))
        assert shop.last(run, "ScheduleActivityTaskFailed")["cause"] == cause
    workflows = [
        ("taskList", {"name": "x"}, "DEFAULT_TASK_LIST_UNDEFINED"),
        ("childPolicy", "ABANDON", "DEFAULT_CHILD_POLICY_UNDEFINED"),
        ("taskStartToCloseTimeout", "1", "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("executionStartToCloseTimeout", "1", "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
    ]
    given = {"workflowType": bare, "workflowId": "child"}
    whole = given | {name: value for name, value, _ in workflows}
    for name, _, cause in workflows:
        lacking = {key: value for key, value in whole.items() if key != name}
        shop.decide(decision("StartChildWorkflowExecution", **lacking))
        assert shop.last(run, "StartChildWorkflowExecutionFailed")["cause"] == cause
    shop.swf.deprecate_workflow_type(domain=DOMAIN, workflowType=bare)
    shop.decide(decision("StartChildWorkflowExecution", **whole))
    failed = shop.last(run, "StartChildWorkflowExecutionFailed")
    assert failed["cause"] == "WORKFLOW_TYPE_DEPRECATED"


def test_a_function_that_waits_has_its_id_alone(shop, engine):
    run = shop.start(lambdaRole="arn:aws:iam::000000000000:role/r")
    shop.decide(function(1), function(1))
    kinds = shop.kinds(run, "o-1")
    assert "ScheduleLambdaFunctionFailed" in kinds
    assert shop.last(run, "ScheduleLambdaFunctionFailed")["cause"] == "ID_ALREADY_IN_USE"
