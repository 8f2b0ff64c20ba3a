"""A program to be killed: executions of SWF start, charge twice and end.

Usage: workflow_traffic.py FOLDER ROUND. It says `S ID` once a start was acknowledged.
"""

import itertools
import os
import sys
import threading

import trunkline
import trunkline.aws

DOMAIN, LIST = "shop", {"name": "list"}
ORDER = {"name": "order", "version": "1"}
CHARGE = {"name": "charge", "version": "1"}


def client(engine: trunkline.Engine):  # type: ignore[no-untyped-def]
    """A client of SWF; the domain and its types are there."""
    swf = trunkline.aws.client("swf", engine=engine)
    if not swf.list_domains(registrationStatus="REGISTERED")["domainInfos"]:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays="7")
    types = swf.list_workflow_types(domain=DOMAIN, registrationStatus="REGISTERED")
    if not types["typeInfos"]:
        swf.register_workflow_type(
            domain=DOMAIN,
            **ORDER,
            # What a decider had that was killed comes back after a second.
            defaultTaskStartToCloseTimeout="1",
            defaultExecutionStartToCloseTimeout="86400",
            defaultTaskList=LIST,
            defaultChildPolicy="TERMINATE",
        )
    types = swf.list_activity_types(domain=DOMAIN, registrationStatus="REGISTERED")
    if not types["typeInfos"]:
        swf.register_activity_type(
            domain=DOMAIN,
            **CHARGE,
            defaultTaskStartToCloseTimeout="1",
            defaultTaskHeartbeatTimeout="NONE",
            defaultTaskScheduleToStartTimeout="NONE",
            defaultTaskScheduleToCloseTimeout="NONE",
            defaultTaskList=LIST,
        )
    return swf


def decide(swf, task) -> None:  # type: ignore[no-untyped-def]
    """Two activities, one behind the other; what timed out is scheduled again."""
    done = sum(event["eventType"] == "ActivityTaskCompleted" for event in task["events"])
    ended = ("ActivityTaskCompleted", "ActivityTaskTimedOut")
    scheduled = sum(event["eventType"] == "ActivityTaskScheduled" for event in task["events"])
    is_open = scheduled > sum(event["eventType"] in ended for event in task["events"])
    decisions = []
    if done == 2:
        decisions = [{"decisionType": "CompleteWorkflowExecution"}]
    elif not is_open:
        attributes = {"activityType": CHARGE, "activityId": f"charge-{done}"}
        decisions = [
            {
                "decisionType": "ScheduleActivityTask",
                "scheduleActivityTaskDecisionAttributes": attributes,
            }
        ]
    swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=decisions)


def take_decision(swf) -> None:  # type: ignore[no-untyped-def]
    """One decision task, if one comes."""
    task = swf.poll_for_decision_task(domain=DOMAIN, taskList=LIST)
    if task["taskToken"]:
        late(decide, swf, task)


def take_activity(swf) -> None:  # type: ignore[no-untyped-def]
    """One activity task, if one comes."""
    task = swf.poll_for_activity_task(domain=DOMAIN, taskList=LIST)
    if task["taskToken"]:
        late(swf.respond_activity_task_completed, taskToken=task["taskToken"], result="ok")


def late(call, *arguments, **given) -> None:  # type: ignore[no-untyped-def]
    """Answers; a task that has timed out is no longer ours."""
    from botocore.exceptions import ClientError

    try:
        call(*arguments, **given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnknownResourceFault":
            raise


def start(swf, round_: str) -> None:  # type: ignore[no-untyped-def]
    """Start executions for ever."""
    for number in itertools.count():
        name = f"{round_}-{number}"
        swf.start_workflow_execution(domain=DOMAIN, workflowId=name, workflowType=ORDER)
        os.write(1, f"S {name}\n".encode())


def for_ever(work, swf) -> None:  # type: ignore[no-untyped-def]
    """Does the same until the process is killed."""
    while True:
        work(swf)


def main() -> None:
    folder, round_ = sys.argv[1:]
    engine = trunkline.open(folder)
    swf = client(engine)
    for work in (take_decision, take_activity):
        threading.Thread(target=for_ever, args=(work, swf), daemon=True).start()
    start(swf, round_)


if __name__ == "__main__":
    main()
