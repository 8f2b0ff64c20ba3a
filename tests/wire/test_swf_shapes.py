"""Every event of SWF has the members that botocore's model says, and no other."""

from __future__ import annotations

import json

import pytest
from model_requests import http_request, model_of
from swf_calls import DOMAIN, ORDER, Shop, complete, decision, lower, schedule, wait_for

import trunkline
import trunkline.aws
from trunkline.aws.dispatcher import dispatcher_of

pytest.importorskip("boto3")


def raw_history(engine, id, run):
    """The events as they are on the wire: boto3 drops what the model does not have."""
    model = model_of("swf")
    asked = {"domain": DOMAIN, "execution": {"workflowId": id, "runId": run}}
    request = http_request(model, "GetWorkflowExecutionHistory", asked)
    status, _, body = dispatcher_of(engine).call(request)
    assert status == 200
    return json.loads(body)["events"]


def check(event, members):
    kind = event["eventType"]
    name = f"{lower(kind)}EventAttributes"
    assert set(event) == {"eventTimestamp", "eventType", "eventId", name}
    shape, given = members[name], event[name]
    assert set(given) <= set(shape.members), kind
    # Neither may be given when a decision asks for a child of an unknown type.
    assert set(shape.required_members) <= set(given), kind
    for member, value in given.items():
        allowed = getattr(shape.members[member], "enum", None)
        assert not allowed or value in allowed, (kind, member, value)
        types = {"string": str, "long": int, "list": list, "structure": dict}
        assert isinstance(value, types[shape.members[member].type_name]), (kind, member)


def run_everything(shop, clock, engine):
    """Leads to most types of events; the runs by workflow id."""
    shop.swf.terminate_workflow_execution(domain=DOMAIN, workflowId="p")
    runs = [("o-1", shop.start(input="i", tagList=["t"], lambdaRole="r"))]
    engine.function("f", lambda event, context: event)
    none = {"name": "none", "version": "1"}
    timer = decision("StartTimer", timerId="t", startToFireTimeout="5", control="c")
    external = {"workflowId": "none", "control": "c"}
    child = decision(
        "StartChildWorkflowExecution",
        workflowType=ORDER,
        workflowId="child",
        taskList={"name": "children"},
        input="i",
        control="c",
    )
    shop.decide(
        *(schedule(id, input="i", control="c") for id in "abcd"),
        decision("ScheduleActivityTask", activityType=none, activityId="x"),
        decision("RequestCancelActivityTask", activityId="none"),
        decision("RequestCancelActivityTask", activityId="a"),
        decision("RecordMarker", markerName="m", details="d"),
        timer,
        timer,
        decision("StartTimer", timerId="u", startToFireTimeout="99"),
        decision("CancelTimer", timerId="u"),
        decision("CancelTimer", timerId="none"),
        decision("SignalExternalWorkflowExecution", signalName="s", input="i", **external),
        decision("RequestCancelExternalWorkflowExecution", **external),
        decision("SignalExternalWorkflowExecution", signalName="s", workflowId="o-1"),
        child,
        child,
        decision("StartChildWorkflowExecution", workflowType=none, workflowId="x"),
        decision("ScheduleLambdaFunction", id="l", name="f", input="1", control="c"),
        decision("ScheduleLambdaFunction", id="l", name="f"),
        taskList={"name": "mine"},
        taskListScheduleToStartTimeout="3",
    )
    wait_for(lambda: "LambdaFunctionCompleted" in shop.kinds(runs[0][1]))
    runs.append(("child", shop.open_run("child")))
    shop.finish(shop.take(identity="w"))
    fail = shop.take()
    shop.swf.respond_activity_task_failed(taskToken=fail["taskToken"], reason="r", details="d")
    cancel = shop.take()
    shop.swf.respond_activity_task_canceled(taskToken=cancel["taskToken"], details="d")
    clock.advance(10)
    task, of_child = shop.poll(identity="d"), shop.poll("children")
    shop.signal(input="i")
    shop.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId="child")
    shop.answer(of_child, decision("CancelWorkflowExecution", details="d"))
    shop.answer(task, decision("FailWorkflowExecution", reason="r"))
    shop.decide(decision("CancelWorkflowExecution", details="d"), list="children")
    shop.poll()
    clock.advance(60)
    shop.decide(decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9"))
    shop.decide(decision("ContinueAsNewWorkflowExecution", input="i", tagList=["t"]))
    runs.append(("o-1", shop.open_run("o-1")))
    shop.swf.terminate_workflow_execution(domain=DOMAIN, workflowId="o-1", reason="r", details="d")
    for id, decided in (("done", complete()), ("fails", decision("FailWorkflowExecution"))):
        runs.append((id, shop.start(id)))
        shop.decide(decided)
    runs.append(("late", shop.start("late")))
    clock.advance(86_400)
    return runs


def run_children(shop, clock):
    """Four children that end in four ways, and decisions that come too early."""
    run = shop.start("p")
    asked = [
        decision(
            "StartChildWorkflowExecution",
            workflowType=ORDER,
            workflowId=id,
            taskList={"name": id},
            executionStartToCloseTimeout="30" if id == "c4" else "9000",
        )
        for id in ("c1", "c2", "c3", "c4")
    ]
    shop.decide(*asked, decision("RequestCancelExternalWorkflowExecution", workflowId="c3"))
    shop.decide(complete(), list="c1")
    shop.decide(decision("FailWorkflowExecution", reason="r", details="d"), list="c2")
    shop.swf.terminate_workflow_execution(domain=DOMAIN, workflowId="c3")
    clock.advance(30)
    for early in (complete(), decision("CancelWorkflowExecution")):
        task = shop.poll()
        shop.signal("p")
        shop.answer(task, early)
    late = schedule("z", scheduleToStartTimeout="3")
    shop.decide(late, decision("ScheduleLambdaFunction", id="l", name="f"))
    clock.advance(5)
    return [("p", run)]


def test_events_have_the_members_of_the_model():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        shop = Shop(trunkline.aws.client("swf", engine=engine))
        events = [
            event
            for id, run in [*run_children(shop, clock), *run_everything(shop, clock, engine)]
            for event in raw_history(engine, id, run)
        ]
    members = model_of("swf").shape_for("HistoryEvent").members
    for event in events:
        check(event, members)
    seen = {event["eventType"] for event in events}
    # Nothing refuses a marker here, and no function takes too long.
    unseen = {"RecordMarkerFailed", "LambdaFunctionTimedOut", "LambdaFunctionFailed"}
    assert set(members["eventType"].enum) - seen == unseen
