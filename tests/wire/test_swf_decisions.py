"""Decisions of SWF: what each does, and the causes of those that fail."""

from __future__ import annotations

import pytest
from refusals import refused
from swf_calls import CHARGE, DECISIONS, DOMAIN, ORDER, Shop, complete, decision, schedule, wait_for

pytest.importorskip("boto3")


@pytest.fixture
def shop(clock, connect):
    return Shop(connect("swf"))


def child(id="child", **attributes):
    given = {"workflowType": ORDER, "workflowId": id} | attributes
    return decision("StartChildWorkflowExecution", **given)


def tail(shop, run, count, id="o-1"):
    return shop.kinds(run, id)[-count:]


def test_a_decision_that_fails_names_its_cause_and_leads_to_another_task(shop):
    run = shop.start()
    unknown = {"name": "none", "version": "1"}
    bare = {"name": "bare", "version": "1"}
    shop.swf.register_activity_type(domain=DOMAIN, **bare)
    shop.swf.register_workflow_type(domain=DOMAIN, **bare)
    cases = [
        (decision("ScheduleActivityTask", activityType=unknown, activityId="a"),
         "ScheduleActivityTaskFailed", "ACTIVITY_TYPE_DOES_NOT_EXIST"),
        (decision("ScheduleActivityTask", activityType=bare, activityId="a"),
         "ScheduleActivityTaskFailed", "DEFAULT_TASK_LIST_UNDEFINED"),
        (decision("ScheduleActivityTask", activityType=bare, activityId="a",
                  taskList={"name": "x"}),
         "ScheduleActivityTaskFailed", "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"),
        (decision("RequestCancelActivityTask", activityId="none"),
         "RequestCancelActivityTaskFailed", "ACTIVITY_ID_UNKNOWN"),
        (decision("CancelTimer", timerId="none"), "CancelTimerFailed", "TIMER_ID_UNKNOWN"),
        (child(workflowType=unknown), "StartChildWorkflowExecutionFailed",
         "WORKFLOW_TYPE_DOES_NOT_EXIST"),
        (child(workflowType=bare), "StartChildWorkflowExecutionFailed",
         "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        (decision("SignalExternalWorkflowExecution", workflowId="none", signalName="s"),
         "SignalExternalWorkflowExecutionFailed", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"),
        (decision("RequestCancelExternalWorkflowExecution", workflowId="none"),
         "RequestCancelExternalWorkflowExecutionFailed", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"),
        (child("o-1"), "StartChildWorkflowExecutionFailed", "WORKFLOW_ALREADY_RUNNING"),
        (decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9"),
         "ContinueAsNewWorkflowExecutionFailed", "WORKFLOW_TYPE_DOES_NOT_EXIST"),
    ]  # fmt: skip
    for given, kind, cause in cases:
        shop.decide(given)
        assert shop.last(run, kind)["cause"] == cause
        assert shop.waiting() == 1, kind
    shop.swf.deprecate_activity_type(domain=DOMAIN, activityType=CHARGE)
    shop.decide(schedule("a"))
    assert shop.last(run, "ScheduleActivityTaskFailed")["cause"] == "ACTIVITY_TYPE_DEPRECATED"


def test_ids_of_open_activities_and_timers_are_used_once(shop):
    run = shop.start()
    timer = decision("StartTimer", timerId="t", startToFireTimeout="100")
    shop.decide(schedule("a"), schedule("a"), timer, timer)
    assert shop.last(run, "ScheduleActivityTaskFailed") == {
        "activityType": CHARGE,
        "activityId": "a",
        "cause": "ACTIVITY_ID_ALREADY_IN_USE",
        "decisionTaskCompletedEventId": 4,
    }
    assert shop.last(run, "StartTimerFailed")["cause"] == "TIMER_ID_ALREADY_IN_USE"
    shop.decide(decision("CancelTimer", timerId="t"))
    canceled = shop.last(run, "TimerCanceled")
    assert canceled == {"timerId": "t", "startedEventId": 7, "decisionTaskCompletedEventId": 11}
    assert shop.waiting() == 0


def test_an_execution_does_not_end_before_its_decider_knows_everything(shop):
    run = shop.start()
    task = shop.poll()
    shop.signal()
    shop.answer(task, complete())
    assert tail(shop, run, 4) == [
        "WorkflowExecutionSignaled",
        "DecisionTaskCompleted",
        "CompleteWorkflowExecutionFailed",
        "DecisionTaskScheduled",
    ]
    assert shop.last(run, "CompleteWorkflowExecutionFailed")["cause"] == "UNHANDLED_DECISION"
    shop.decide(decision("FailWorkflowExecution", reason="r", details="d"))
    assert shop.last(run, "WorkflowExecutionFailed")["reason"] == "r"
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "FAILED"


def test_what_closes_is_the_last_of_the_decisions(shop):
    shop.start()
    task = shop.poll()
    code, message = refused(shop.answer, task, complete(), schedule("a"))
    assert (code, message) == ("ValidationException", "Close must be last decision in list")
    code, message = refused(shop.answer, task, {"decisionType": "StartTimer"})
    assert "decisions.1.member.startTimerDecisionAttributes" in message
    # Nothing was done: the task is still the decider's.
    shop.answer(task, complete())


def test_an_activity_that_waits_is_canceled_and_one_that_runs_is_asked(shop):
    run = shop.start()
    shop.decide(schedule("a"), schedule("b"))
    running = shop.take()
    cancel = [decision("RequestCancelActivityTask", activityId=id) for id in "ab"]
    shop.signal()
    shop.decide(*cancel)
    assert tail(shop, run, 5) == [
        "DecisionTaskCompleted",
        "ActivityTaskCancelRequested",
        "ActivityTaskCancelRequested",
        "ActivityTaskCanceled",
        "DecisionTaskScheduled",
    ]
    beat = shop.swf.record_activity_task_heartbeat(taskToken=running["taskToken"])
    assert beat["cancelRequested"] is True
    shop.swf.respond_activity_task_canceled(taskToken=running["taskToken"], details="stopped")
    canceled = shop.last(run, "ActivityTaskCanceled")
    assert canceled["details"] == "stopped"
    assert canceled["startedEventId"] == 7
    assert canceled["latestCancelRequestedEventId"] == 12


def test_markers_are_recorded(shop):
    run = shop.start()
    shop.decide(decision("RecordMarker", markerName="m", details="d"))
    recorded = shop.last(run, "MarkerRecorded")
    assert recorded == {"markerName": "m", "details": "d", "decisionTaskCompletedEventId": 4}
    assert shop.waiting() == 0


def test_another_run_goes_on(shop):
    run = shop.start(tagList=["t"])
    shop.decide(decision("ContinueAsNewWorkflowExecution", input="two", tagList=["u"]))
    ended = shop.last(run, "WorkflowExecutionContinuedAsNew")
    next_run = shop.open_run("o-1")
    assert ended["newExecutionRunId"] == next_run
    started = shop.last(next_run, "WorkflowExecutionStarted")
    assert started["continuedExecutionRunId"] == run
    assert (started["input"], started["tagList"]) == ("two", ["u"])
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "CONTINUED_AS_NEW"
    shop.decide(complete())


def test_a_child_starts_and_its_parent_learns_of_its_end(shop):
    run = shop.start()
    shop.decide(child(input="in", control="c"))
    assert tail(shop, run, 3) == [
        "StartChildWorkflowExecutionInitiated",
        "ChildWorkflowExecutionStarted",
        "DecisionTaskScheduled",
    ]
    of_child = shop.open_run("child")
    started = shop.last(of_child, "WorkflowExecutionStarted", "child")
    assert started["parentWorkflowExecution"] == {"workflowId": "o-1", "runId": run}
    assert started["parentInitiatedEventId"] == 5
    assert shop.describe(run)["openCounts"]["openChildWorkflowExecutions"] == 1
    tasks = [shop.poll(), shop.poll()]
    by_id = {task["workflowExecution"]["workflowId"]: task for task in tasks}
    shop.answer(by_id["child"], decision("ContinueAsNewWorkflowExecution"))
    shop.answer(by_id["o-1"])
    # The new run is the parent's child.
    shop.decide(complete("from child"))
    ended = shop.last(run, "ChildWorkflowExecutionCompleted")
    assert ended["result"] == "from child"
    assert (ended["initiatedEventId"], ended["startedEventId"]) == (5, 6)
    assert ended["workflowExecution"]["runId"] != of_child
    shop.decide(complete())


@pytest.mark.parametrize(
    ("policy", "status", "event"),
    [
        ("TERMINATE", "TERMINATED", "WorkflowExecutionTerminated"),
        ("REQUEST_CANCEL", None, "WorkflowExecutionCancelRequested"),
        ("ABANDON", None, "WorkflowExecutionStarted"),
    ],
)
def test_children_of_a_terminated_execution_follow_the_child_policy(shop, policy, status, event):
    run = shop.start()
    shop.decide(child())
    of_child = shop.open_run("child")
    shop.swf.terminate_workflow_execution(
        domain=DOMAIN, workflowId="o-1", reason="r", childPolicy=policy
    )
    terminated = shop.last(run, "WorkflowExecutionTerminated")
    assert terminated == {
        "reason": "r", "childPolicy": policy, "cause": "OPERATOR_INITIATED"
    }  # fmt: skip
    told = shop.last(of_child, event, "child")
    assert told.get("cause") == (None if policy == "ABANDON" else "CHILD_POLICY_APPLIED")
    info = shop.describe(of_child, "child")["executionInfo"]
    assert info.get("closeStatus") == status
    assert info["cancelRequested"] == (policy == "REQUEST_CANCEL")


def test_executions_signal_and_cancel_each_other(shop):
    run, other = shop.start(), shop.start("o-2")
    task, of_other = shop.poll(), shop.poll()
    signal = {"workflowId": "o-2", "runId": other, "signalName": "s", "input": "i"}
    shop.answer(
        task,
        decision("SignalExternalWorkflowExecution", control="c", **signal),
        decision("RequestCancelExternalWorkflowExecution", workflowId="o-2"),
    )
    assert tail(shop, run, 5) == [
        "SignalExternalWorkflowExecutionInitiated",
        "RequestCancelExternalWorkflowExecutionInitiated",
        "ExternalWorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "ExternalWorkflowExecutionCancelRequested",
    ]
    asking = {"workflowId": "o-1", "runId": run}
    signaled = shop.last(other, "WorkflowExecutionSignaled", "o-2")
    assert signaled == {
        "signalName": "s",
        "input": "i",
        "externalWorkflowExecution": asking,
        "externalInitiatedEventId": 5,
    }
    asked = shop.last(other, "WorkflowExecutionCancelRequested", "o-2")
    assert asked == {"externalWorkflowExecution": asking, "externalInitiatedEventId": 6}
    shop.answer(of_other, decision("CancelWorkflowExecution", details="late"))
    assert shop.last(other, "CancelWorkflowExecutionFailed", "o-2")["cause"] == "UNHANDLED_DECISION"
    tasks = [shop.poll(), shop.poll()]
    by_id = {task["workflowExecution"]["workflowId"]: task for task in tasks}
    shop.answer(by_id["o-2"], decision("CancelWorkflowExecution", details="d"))
    assert shop.describe(other, "o-2")["executionInfo"]["closeStatus"] == "CANCELED"


def test_a_decider_may_get_the_tasks_to_come_in_a_list_of_its_own(shop):
    run = shop.start()
    shop.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="10")
    shop.signal()
    assert (shop.waiting(), shop.waiting(list="mine")) == (0, 1)
    scheduled = shop.last(run, "DecisionTaskScheduled")
    assert (scheduled["taskList"], scheduled["scheduleToStartTimeout"]) == ({"name": "mine"}, "10")
    shop.decide(list="mine")
    # Without a time-out it is for good.
    shop.signal()
    shop.decide(list="mine", taskList={"name": "ours"})
    assert shop.describe(run)["executionConfiguration"]["taskList"] == {"name": "ours"}


def test_a_function_is_called_and_its_result_or_failure_told(shop, engine):
    engine.function("double", lambda event, context: event["number"] * 2)
    run = shop.start(lambdaRole="arn:aws:iam::000000000000:role/swf")
    call = {"name": "double", "input": '{"number": 21}'}
    shop.decide(decision("ScheduleLambdaFunction", id="one", **call))
    wait_for(lambda: shop.waiting() == 1)
    assert shop.last(run, "LambdaFunctionCompleted") == {
        "scheduledEventId": 5, "startedEventId": 6, "result": "42"
    }  # fmt: skip
    shop.decide(decision("ScheduleLambdaFunction", id="one", name="none"))
    wait_for(lambda: shop.waiting() == 1)
    assert "Function not found" in shop.last(run, "LambdaFunctionFailed")["details"]
    bare = shop.start("bare")
    shop.decide(list=DECISIONS)
    shop.decide(decision("ScheduleLambdaFunction", id="one", **call))
    assert shop.last(bare, "StartLambdaFunctionFailed", "bare")["cause"] == "ASSUME_ROLE_FAILED"
