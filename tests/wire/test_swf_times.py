"""Time-outs, timers and retention of SWF on a virtual clock, and what lists show."""

from __future__ import annotations

import pytest
from refusals import refused
from swf_calls import DECISIONS, DOMAIN, ORDER, Shop, complete, decision, schedule

pytest.importorskip("boto3")


@pytest.fixture
def shop(clock, connect):
    return Shop(connect("swf"))


def timed_out(shop, run):
    told = shop.last(run, "ActivityTaskTimedOut")
    return told["timeoutType"], told["scheduledEventId"], told["startedEventId"]


def test_a_timer_fires_on_time(shop, clock):
    run = shop.start()
    shop.decide(decision("StartTimer", timerId="t", startToFireTimeout="100", control="c"))
    clock.advance(99)
    assert shop.waiting() == 0
    clock.advance(1)
    assert shop.last(run, "TimerFired") == {"timerId": "t", "startedEventId": 5}
    events = shop.history(run)
    assert (events[-2]["eventTimestamp"] - events[0]["eventTimestamp"]).total_seconds() == 100
    assert shop.waiting() == 1


def test_activity_tasks_time_out_in_four_ways(shop, clock):
    run = shop.start()
    shop.decide(schedule("a", scheduleToStartTimeout="10"))
    clock.advance(10)
    assert timed_out(shop, run) == ("SCHEDULE_TO_START", 5, 0)
    assert shop.waiting("activity") == 0
    shop.decide(schedule("a", startToCloseTimeout="20"))
    shop.take()
    clock.advance(20)
    assert timed_out(shop, run) == ("START_TO_CLOSE", 10, 11)
    shop.decide(schedule("a", scheduleToCloseTimeout="30", startToCloseTimeout="NONE"))
    task = shop.take()
    clock.advance(30)
    assert timed_out(shop, run)[0] == "SCHEDULE_TO_CLOSE"
    code, message = refused(shop.finish, task)
    assert (code, message) == ("UnknownResourceFault", "Unknown activity, scheduledEventId = 16")
    shop.decide(schedule("a", heartbeatTimeout="5"))
    task = shop.take()
    for step in ("one", "two"):
        clock.advance(4)
        shop.swf.record_activity_task_heartbeat(taskToken=task["taskToken"], details=step)
    clock.advance(5)
    told = shop.last(run, "ActivityTaskTimedOut")
    assert (told["timeoutType"], told["details"]) == ("HEARTBEAT", "two")


def test_a_decision_task_times_out_and_another_one_waits(shop, clock):
    run = shop.start()
    task = shop.poll()
    clock.advance(60)
    told = shop.last(run, "DecisionTaskTimedOut")
    assert told == {"timeoutType": "START_TO_CLOSE", "scheduledEventId": 2, "startedEventId": 3}
    assert refused(shop.answer, task)[0] == "UnknownResourceFault"
    shop.decide(complete())


def test_a_list_of_its_own_is_a_deciders_as_long_as_it_answers(shop, clock):
    run = shop.start()
    shop.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="10")
    shop.signal()
    clock.advance(10)
    told = shop.last(run, "DecisionTaskTimedOut")
    assert (told["timeoutType"], told["startedEventId"]) == ("SCHEDULE_TO_START", 0)
    assert (shop.waiting(), shop.waiting(list="mine")) == (1, 0)


def test_an_execution_times_out_with_its_children(shop, clock):
    run = shop.start(executionStartToCloseTimeout="100")
    shop.decide(decision("StartChildWorkflowExecution", workflowType=ORDER, workflowId="child"))
    of_child = shop.open_run("child")
    clock.advance(100)
    told = shop.last(run, "WorkflowExecutionTimedOut")
    assert told == {"timeoutType": "START_TO_CLOSE", "childPolicy": "TERMINATE"}
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "TIMED_OUT"
    terminated = shop.last(of_child, "WorkflowExecutionTerminated", "child")
    assert terminated["cause"] == "CHILD_POLICY_APPLIED"


def test_a_poll_ends_after_a_minute(shop, clock):
    import threading

    answers = []
    lists = [("poll_for_decision_task", DECISIONS), ("poll_for_activity_task", "none")]

    def poll(name, list):
        answers.append(getattr(shop.swf, name)(domain=DOMAIN, taskList={"name": list}))

    threads = [threading.Thread(target=poll, args=one) for one in lists]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.advance(60)
        for thread in threads:
            thread.join(0.05)
    assert [answer["taskToken"] for answer in answers] == ["", ""]
    assert [answer["startedEventId"] for answer in answers] == [0, 0]


def test_what_is_closed_is_forgotten_after_its_retention(shop, clock):
    run = shop.start()
    shop.decide(complete())
    clock.advance(7 * 86_400 - 1)
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "COMPLETED"
    clock.advance(1)
    assert refused(shop.describe, run)[0] == "UnknownResourceFault"
    assert refused(shop.history, run)[0] == "UnknownResourceFault"


def closed(shop, **filters):
    filters = {"startTimeFilter": {"oldestDate": 0}} | filters
    found = shop.swf.list_closed_workflow_executions(domain=DOMAIN, **filters)
    return [info["execution"]["workflowId"] for info in found["executionInfos"]]


def test_executions_are_found_by_time_type_tag_and_status(shop, clock):
    swf = shop.swf
    start = 1_700_000_000
    for number, tags in enumerate((["a"], ["a", "b"], [])):
        shop.start(f"o-{number}", tagList=tags)
        clock.advance(10)
    listed = swf.list_open_workflow_executions(
        domain=DOMAIN, startTimeFilter={"oldestDate": start}, maximumPageSize=2
    )
    ids = [info["execution"]["workflowId"] for info in listed["executionInfos"]]
    assert ids == ["o-2", "o-1"]
    rest = swf.list_open_workflow_executions(
        domain=DOMAIN,
        startTimeFilter={"oldestDate": start},
        nextPageToken=listed["nextPageToken"],
    )
    assert [info["tagList"] for info in rest["executionInfos"]] == [["a"]]
    assert "nextPageToken" not in rest
    shop.decide(complete())
    clock.advance(10)
    shop.decide(decision("FailWorkflowExecution"))
    assert closed(shop) == ["o-1", "o-0"]
    assert closed(shop, reverseOrder=True) == ["o-0", "o-1"]
    assert closed(shop, tagFilter={"tag": "b"}) == ["o-1"]
    assert closed(shop, closeStatusFilter={"status": "COMPLETED"}) == ["o-0"]
    assert closed(shop, executionFilter={"workflowId": "o-1"}) == ["o-1"]
    assert closed(shop, typeFilter={"name": "order", "version": "2"}) == []
    late = {"oldestDate": start + 35, "latestDate": start + 50}
    found = swf.list_closed_workflow_executions(domain=DOMAIN, closeTimeFilter=late)
    assert [one["execution"]["workflowId"] for one in found["executionInfos"]] == ["o-1"]
    count = swf.count_closed_workflow_executions(domain=DOMAIN, closeTimeFilter=late)
    assert (count["count"], count["truncated"]) == (1, False)
    times = {"oldestDate": start}
    assert swf.count_open_workflow_executions(domain=DOMAIN, startTimeFilter=times)["count"] == 1
    both = {"typeFilter": {"name": "order"}, "tagFilter": {"tag": "a"}}
    code, message = refused(closed, shop, **both)
    assert (code, "exclusive" in message) == ("ValidationException", True)
    code, message = refused(swf.list_closed_workflow_executions, domain=DOMAIN)
    assert (code, message) == ("ValidationException", "Must specify time filter")
