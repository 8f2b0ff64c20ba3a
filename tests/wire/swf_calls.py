"""Deciders and workers of SWF, as tests write them with boto3."""

from __future__ import annotations

import time

DOMAIN, DECISIONS, TASKS = "shop", "deciders", "workers"
ORDER = {"name": "order", "version": "1"}
CHARGE = {"name": "charge", "version": "1"}


def lower(name):
    return name[0].lower() + name[1:]


def decision(kind, **attributes):
    """A decision with its attributes under the name that the model gives them."""
    return {"decisionType": kind, f"{lower(kind)}DecisionAttributes": attributes}


def schedule(id, **attributes):
    return decision("ScheduleActivityTask", activityType=CHARGE, activityId=id, **attributes)


def complete(result="done"):
    return decision("CompleteWorkflowExecution", result=result)


def wait_for(condition, seconds=60):
    """Waits for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


class Shop:
    """A domain with a type of workflows and a type of activities, and who works in it."""

    def __init__(self, swf, retention="7"):
        self.swf = swf
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays=retention)
        swf.register_workflow_type(
            domain=DOMAIN,
            **ORDER,
            defaultTaskStartToCloseTimeout="60",
            defaultExecutionStartToCloseTimeout="86400",
            defaultTaskList={"name": DECISIONS},
            defaultChildPolicy="TERMINATE",
        )
        swf.register_activity_type(
            domain=DOMAIN,
            **CHARGE,
            defaultTaskStartToCloseTimeout="300",
            defaultTaskHeartbeatTimeout="NONE",
            defaultTaskScheduleToStartTimeout="600",
            defaultTaskScheduleToCloseTimeout="3600",
            defaultTaskList={"name": TASKS},
        )

    def start(self, id="o-1", **options):
        options = {"domain": DOMAIN, "workflowId": id, "workflowType": ORDER} | options
        return self.swf.start_workflow_execution(**options)["runId"]

    def signal(self, id="o-1", name="paid", **options):
        self.swf.signal_workflow_execution(domain=DOMAIN, workflowId=id, signalName=name, **options)

    def waiting(self, kind="decision", list=None):
        count = getattr(self.swf, f"count_pending_{kind}_tasks")
        list = list or (DECISIONS if kind == "decision" else TASKS)
        return count(domain=DOMAIN, taskList={"name": list})["count"]

    def poll(self, list=DECISIONS, **options):
        """The next decision task; there has to be one."""
        assert self.waiting("decision", list), f"no decision task waits in {list}"
        return self.swf.poll_for_decision_task(domain=DOMAIN, taskList={"name": list}, **options)

    def answer(self, task, *decisions, **options):
        self.swf.respond_decision_task_completed(
            taskToken=task["taskToken"], decisions=list(decisions), **options
        )

    def decide(self, *decisions, list=DECISIONS, **options):
        """Takes the next decision task and decides; returns the task."""
        task = self.poll(list)
        self.answer(task, *decisions, **options)
        return task

    def take(self, list=TASKS, **options):
        """The next activity task; there has to be one."""
        assert self.waiting("activity", list), f"no activity task waits in {list}"
        return self.swf.poll_for_activity_task(domain=DOMAIN, taskList={"name": list}, **options)

    def finish(self, task, result="ok"):
        self.swf.respond_activity_task_completed(taskToken=task["taskToken"], result=result)

    def history(self, run, id="o-1", **options):
        execution = {"workflowId": id, "runId": run}
        options = {"domain": DOMAIN, "execution": execution} | options
        return self.swf.get_workflow_execution_history(**options)["events"]

    def kinds(self, run, id="o-1"):
        return [event["eventType"] for event in self.history(run, id)]

    def last(self, run, kind, id="o-1"):
        """The attributes of the last event of a type."""
        found = [one for one in self.history(run, id) if one["eventType"] == kind]
        assert found, f"no {kind} in {self.kinds(run, id)}"
        return found[-1][f"{lower(kind)}EventAttributes"]

    def describe(self, run, id="o-1"):
        execution = {"workflowId": id, "runId": run}
        return self.swf.describe_workflow_execution(domain=DOMAIN, execution=execution)

    def open_run(self, id):
        """The run of a workflow id that is open."""
        found = self.swf.list_open_workflow_executions(
            domain=DOMAIN, startTimeFilter={"oldestDate": 0}, executionFilter={"workflowId": id}
        )["executionInfos"]
        assert len(found) == 1, found
        return found[0]["execution"]["runId"]
