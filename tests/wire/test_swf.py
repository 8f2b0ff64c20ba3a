"""SWF: a decider and workers written with boto3, domains, types, faults."""

from __future__ import annotations

import threading

import pytest
from refusals import refused
from swf_calls import CHARGE, DECISIONS, DOMAIN, ORDER, TASKS, Shop, complete, decision, schedule

pytest.importorskip("boto3")


@pytest.fixture
def swf(connect):
    return connect("swf")


@pytest.fixture
def shop(clock, swf):
    return Shop(swf)


def test_an_order_is_charged_shipped_and_complete(swf):
    """The order example: decider and workers in threads, long polls on the real clock."""
    shop = Shop(swf)
    ship = {"name": "ship", "version": "1"}
    timeouts = ("ScheduleToStart", "ScheduleToClose", "StartToClose", "Heartbeat")
    swf.register_activity_type(
        domain=DOMAIN,
        **ship,
        **{f"defaultTask{name}Timeout": "NONE" for name in timeouts},
        defaultTaskList={"name": TASKS},
    )

    def decide():
        steps = [schedule("charge", input="o-1"), None, None]
        steps[1] = decision("ScheduleActivityTask", activityType=ship, activityId="ship")
        steps[2] = complete("shipped")
        for step in steps:
            task = swf.poll_for_decision_task(domain=DOMAIN, taskList={"name": DECISIONS})
            shop.answer(task, step)

    def work():
        for result in ("charged", "shipped"):
            task = swf.poll_for_activity_task(
                domain=DOMAIN, taskList={"name": TASKS}, identity="worker"
            )
            shop.finish(task, result)

    threads = [threading.Thread(target=one) for one in (decide, work)]
    for thread in threads:
        thread.start()
    run = shop.start(input="one coffee")
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    activity = [
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
    ]
    task = ["DecisionTaskScheduled", "DecisionTaskStarted", "DecisionTaskCompleted"]
    assert shop.kinds(run) == [
        "WorkflowExecutionStarted",
        *task,
        *activity,
        *task,
        *activity,
        *task,
        "WorkflowExecutionCompleted",
    ]
    assert shop.last(run, "WorkflowExecutionCompleted")["result"] == "shipped"
    assert [event["eventId"] for event in shop.history(run)] == list(range(1, 18))


def test_the_first_events_say_what_an_execution_was_started_with(shop):
    run = shop.start(input="one", tagList=["a", "b"], taskPriority="7")
    started, scheduled = shop.history(run)
    assert started["workflowExecutionStartedEventAttributes"] == {
        "input": "one",
        "executionStartToCloseTimeout": "86400",
        "taskStartToCloseTimeout": "60",
        "childPolicy": "TERMINATE",
        "taskList": {"name": DECISIONS},
        "taskPriority": "7",
        "workflowType": ORDER,
        "tagList": ["a", "b"],
        "parentInitiatedEventId": 0,
    }
    assert scheduled["decisionTaskScheduledEventAttributes"] == {
        "taskList": {"name": DECISIONS},
        "taskPriority": "7",
        "startToCloseTimeout": "60",
    }


def test_a_decision_task_carries_the_history(shop):
    run = shop.start()
    task = shop.poll(identity="decider")
    assert task["startedEventId"] == 3
    assert task["previousStartedEventId"] == 0
    assert task["workflowExecution"] == {"workflowId": "o-1", "runId": run}
    assert task["workflowType"] == ORDER
    assert [event["eventType"] for event in task["events"]] == shop.kinds(run)
    shop.answer(task, schedule("charge"), executionContext="waits for charge")
    started = shop.take()
    assert started["activityId"] == "charge"
    assert started["activityType"] == CHARGE
    shop.finish(started)
    again = shop.poll(startAtPreviousStartedEvent=True)
    assert again["previousStartedEventId"] == 3
    assert [event["eventId"] for event in again["events"]] == [*range(3, 10)]
    described = shop.describe(run)
    assert described["latestExecutionContext"] == "waits for charge"
    assert described["openCounts"]["openDecisionTasks"] == 1
    assert described["executionConfiguration"]["childPolicy"] == "TERMINATE"


def test_a_long_history_comes_in_pages_both_ways(shop):
    run = shop.start()
    for _ in range(5):
        shop.signal()
    ids, token = [], {}
    while True:
        task = (
            shop.poll(maximumPageSize=3)
            if not token
            else shop.swf.poll_for_decision_task(
                domain=DOMAIN, taskList={"name": DECISIONS}, maximumPageSize=3, **token
            )
        )
        ids.append([event["eventId"] for event in task["events"]])
        assert task["startedEventId"] == 8
        assert task["taskToken"]
        if "nextPageToken" not in task:
            break
        token = {"nextPageToken": task["nextPageToken"]}
    assert ids == [[1, 2, 3], [4, 5, 6], [7, 8]]
    pages = shop.swf.get_paginator("get_workflow_execution_history").paginate(
        domain=DOMAIN,
        execution={"workflowId": "o-1", "runId": run},
        maximumPageSize=5,
        reverseOrder=True,
    )
    found = [[event["eventId"] for event in page["events"]] for page in pages]
    assert found == [[8, 7, 6, 5, 4], [3, 2, 1]]


def test_tasks_of_a_higher_priority_come_first(shop):
    for id, priority in (("low", "-3"), ("plain", None), ("high", "9")):
        shop.start(id, **({} if priority is None else {"taskPriority": priority}))
    order = [shop.poll()["workflowExecution"]["workflowId"] for _ in range(3)]
    assert order == ["high", "plain", "low"]


def test_faults_have_the_words_of_swf(shop):
    swf = shop.swf
    shop.start()
    prefix = "WorkflowExecution"
    assert refused(shop.start)[:2] == (f"{prefix}AlreadyStartedFault", "Already Started")
    other = {"name": "other", "version": "1"}
    code, message = refused(shop.start, "o-2", workflowType=other)[:2]
    assert code == "UnknownResourceFault"
    assert message == "Unknown type: WorkflowType=[name=other, version=1]"
    swf.register_workflow_type(domain=DOMAIN, **other)
    code, message = refused(shop.start, "o-2", workflowType=other)[:2]
    assert (code, message) == ("DefaultUndefinedFault", "executionStartToCloseTimeout")
    code, message = refused(swf.describe_domain, name="none")[:2]
    assert (code, message) == ("UnknownResourceFault", "Unknown domain: none")
    code, message = refused(shop.describe, "none")[:2]
    assert message == "Unknown execution: WorkflowExecution=[workflowId=o-1, runId=none]"
    code, message = refused(shop.signal, "none")[:2]
    assert message == "Unknown execution, workflowId = none"
    code, message = refused(swf.respond_activity_task_completed, taskToken="none")[:2]
    assert (code, message) == ("ValidationException", "Invalid token")
    code, message = refused(shop.start, "a:b")[:2]
    assert code == "ValidationException"
    for never in ("soon", "NONE", "31622401"):
        code, message = refused(shop.start, "b", executionStartToCloseTimeout=never)
        assert (code, never in message) == ("ValidationException", True)


def test_a_task_is_answered_once(shop):
    shop.start()
    task = shop.decide(schedule("charge"))
    code, message = refused(shop.answer, task)[:2]
    assert (code, message) == (
        "UnknownResourceFault",
        "Unknown decision task, scheduledEventId = 2",
    )
    started = shop.take()
    shop.finish(started)
    code, message = refused(shop.finish, started)[:2]
    assert (code, message) == ("UnknownResourceFault", "Unknown activity, scheduledEventId = 5")


def test_types_are_listed_deprecated_and_deleted(shop):
    swf = shop.swf
    for version in ("2", "3"):
        swf.register_activity_type(domain=DOMAIN, name="charge", version=version)
    code, message = refused(swf.register_activity_type, domain=DOMAIN, **CHARGE)[:2]
    assert code == "TypeAlreadyExistsFault"
    assert message == "ActivityType=[name=charge, version=1]"
    listed = swf.list_activity_types(
        domain=DOMAIN, registrationStatus="REGISTERED", maximumPageSize=2, reverseOrder=True
    )
    versions = [info["activityType"]["version"] for info in listed["typeInfos"]]
    assert versions == ["3", "2"]
    rest = swf.list_activity_types(
        domain=DOMAIN,
        registrationStatus="REGISTERED",
        reverseOrder=True,
        nextPageToken=listed["nextPageToken"],
    )
    assert [info["activityType"] for info in rest["typeInfos"]] == [CHARGE]
    delete = swf.delete_activity_type
    assert refused(delete, domain=DOMAIN, activityType=CHARGE)[0] == "TypeNotDeprecatedFault"
    swf.deprecate_activity_type(domain=DOMAIN, activityType=CHARGE)
    code = refused(swf.deprecate_activity_type, domain=DOMAIN, activityType=CHARGE)[0]
    assert code == "TypeDeprecatedFault"
    swf.undeprecate_activity_type(domain=DOMAIN, activityType=CHARGE)
    swf.deprecate_activity_type(domain=DOMAIN, activityType=CHARGE)
    described = swf.describe_activity_type(domain=DOMAIN, activityType=CHARGE)
    assert described["typeInfo"]["status"] == "DEPRECATED"
    assert described["configuration"]["defaultTaskList"] == {"name": TASKS}
    delete(domain=DOMAIN, activityType=CHARGE)
    code = refused(swf.describe_activity_type, domain=DOMAIN, activityType=CHARGE)[0]
    assert code == "UnknownResourceFault"


def test_a_deprecated_domain_starts_nothing_and_runs_what_runs(shop):
    swf = shop.swf
    run = shop.start()
    swf.deprecate_domain(name=DOMAIN)
    assert refused(shop.start, "o-2")[:2] == ("DomainDeprecatedFault", DOMAIN)
    assert refused(swf.deprecate_domain, name=DOMAIN)[0] == "DomainDeprecatedFault"
    shop.decide(complete())
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "COMPLETED"
    [info] = swf.list_domains(registrationStatus="DEPRECATED")["domainInfos"]
    assert info["arn"] == f"arn:aws:swf:us-east-1:000000000000:/domain/{DOMAIN}"
    swf.undeprecate_domain(name=DOMAIN)
    assert refused(swf.undeprecate_domain, name=DOMAIN)[0] == "DomainAlreadyExistsFault"
    # Its types stay deprecated.
    assert refused(shop.start, "o-2")[0] == "TypeDeprecatedFault"
    described = swf.describe_domain(name=DOMAIN)
    assert described["configuration"] == {"workflowExecutionRetentionPeriodInDays": "7"}
    again = {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "1"}
    assert refused(swf.register_domain, **again)[:2] == ("DomainAlreadyExistsFault", DOMAIN)


def test_domains_have_tags(shop):
    arn = f"arn:aws:swf:us-east-1:000000000000:/domain/{DOMAIN}"
    tags = [{"key": "team", "value": "pay"}, {"key": "env", "value": "test"}]
    shop.swf.tag_resource(resourceArn=arn, tags=tags)
    shop.swf.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert shop.swf.list_tags_for_resource(resourceArn=arn)["tags"] == tags[1:]
    code = refused(shop.swf.tag_resource, resourceArn=arn + "x", tags=tags)[0]
    assert code == "UnknownResourceFault"
    many = [{"key": str(number)} for number in range(51)]
    assert refused(shop.swf.tag_resource, resourceArn=arn, tags=many)[0] == "TooManyTagsFault"
