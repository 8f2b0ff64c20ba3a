"""An execution of SWF beside a small model of it: what deciders, workers and time do leads to the
same history, event by event.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from swf_calls import CHARGE, Shop, decision

import trunkline
import trunkline.aws

pytest.importorskip("boto3")

DECISION_SECONDS, WAIT_SECONDS, WORK_SECONDS = 25, 20, 30
IDS = ["a", "b", "c"]


class Model:
    """One execution, as SWF's documentation tells it. Times are seconds from its start."""

    def __init__(self):
        self.now = 0
        self.events = ["WorkflowExecutionStarted"]
        self.task = None  # or ("waits",), or ("runs", until, unseen)
        self.activities = {}  # id: (until, is_started)
        self.timers = {}  # id: until
        self.is_open = True
        self.news()

    def add(self, *kinds):
        self.events.extend(kinds)

    def news(self):
        if self.task is None:
            self.task = ("waits",)
            self.add("DecisionTaskScheduled")
        elif self.task[0] == "runs":
            self.task = (*self.task[:2], True)

    def signal(self):
        self.add("WorkflowExecutionSignaled")
        self.news()

    def poll(self):
        self.add("DecisionTaskStarted")
        self.task = ("runs", self.now + DECISION_SECONDS, False)

    def decide(self, decisions):
        again = unseen = self.task[2]
        self.task = None
        self.add("DecisionTaskCompleted")
        for kind, id, seconds in decisions:
            if kind == "complete":
                self.is_open = unseen
                self.add(
                    "WorkflowExecutionCompleted"
                    if not unseen
                    else "CompleteWorkflowExecutionFailed"
                )
            else:
                again |= getattr(self, kind)(id, seconds)
        if again and self.is_open:
            self.news()

    def mark(self, id, seconds):
        self.add("MarkerRecorded")
        return False

    def schedule(self, id, seconds):
        if id in self.activities:
            self.add("ScheduleActivityTaskFailed")
            return True
        self.add("ActivityTaskScheduled")
        self.activities[id] = (self.now + WAIT_SECONDS, False)
        return False

    def cancel(self, id, seconds):
        if id not in self.activities:
            self.add("RequestCancelActivityTaskFailed")
            return True
        self.add("ActivityTaskCancelRequested")
        if self.activities[id][1]:
            return False
        self.add("ActivityTaskCanceled")
        del self.activities[id]
        return True

    def time(self, id, seconds):
        if id in self.timers:
            self.add("StartTimerFailed")
            return True
        self.add("TimerStarted")
        self.timers[id] = self.now + seconds
        return False

    def untime(self, id, seconds):
        if id not in self.timers:
            self.add("CancelTimerFailed")
            return True
        self.add("TimerCanceled")
        del self.timers[id]
        return False

    def take(self, id):
        self.add("ActivityTaskStarted")
        self.activities[id] = (self.now + WORK_SECONDS, True)

    def end(self, id, kind):
        self.add(kind)
        del self.activities[id]
        self.news()

    def pass_time(self, seconds):
        """Second by second, so that nothing falls due out of order; ties come in SWF's order."""
        for _ in range(seconds):
            self.now += 1
            if self.task and self.task[0] == "runs" and self.task[1] <= self.now:
                self.add("DecisionTaskTimedOut")
                self.task = None
                self.news()
            for id in [id for id, until in self.timers.items() if until <= self.now]:
                self.add("TimerFired")
                del self.timers[id]
                self.news()
            for id in [id for id, (until, _) in self.activities.items() if until <= self.now]:
                self.end(id, "ActivityTaskTimedOut")


KINDS = st.sampled_from(["schedule", "schedule", "cancel", "time", "untime", "mark"])
DECISIONS = st.lists(
    st.tuples(KINDS, st.sampled_from(IDS), st.integers(1, 40)), max_size=3, unique=True
)


def as_sent(kind, id, seconds):
    names = {
        "schedule": ("ScheduleActivityTask", {"activityType": CHARGE, "activityId": id}),
        "cancel": ("RequestCancelActivityTask", {"activityId": id}),
        "time": ("StartTimer", {"timerId": id, "startToFireTimeout": str(seconds)}),
        "untime": ("CancelTimer", {"timerId": id}),
        "mark": ("RecordMarker", {"markerName": id}),
        "complete": ("CompleteWorkflowExecution", {}),
    }
    name, attributes = names[kind]
    timeouts = {}
    if kind == "schedule":
        timeouts = {
            "scheduleToStartTimeout": str(WAIT_SECONDS),
            "startToCloseTimeout": str(WORK_SECONDS),
            "scheduleToCloseTimeout": "NONE",
        }
    return decision(name, **attributes, **timeouts)


class SwfMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = trunkline.VirtualClock()
        self.engine = trunkline.open(clock=self.clock)
        self.shop = Shop(trunkline.aws.client("swf", engine=self.engine))
        self.run = self.shop.start(taskStartToCloseTimeout=str(DECISION_SECONDS))
        self.model, self.task, self.taken = Model(), None, {}

    def teardown(self):
        self.engine.close()

    def is_open(self):
        return self.model.is_open

    @precondition(is_open)
    @rule()
    def signal(self):
        self.shop.signal()
        self.model.signal()

    @precondition(lambda self: self.model.is_open and self.model.task == ("waits",))
    @rule()
    def poll(self):
        self.task = self.shop.poll()
        self.model.poll()
        assert len(self.task["events"]) == len(self.model.events)

    @precondition(lambda self: self.model.is_open and self.model.task and self.model.task[1:])
    @rule(decisions=DECISIONS, ends=st.sampled_from([False, False, False, True]))
    def decide(self, decisions, ends):
        if ends:
            decisions = [*decisions, ("complete", "", 0)]
        self.shop.answer(self.task, *(as_sent(*one) for one in decisions))
        self.model.decide(decisions)

    @precondition(lambda self: self.model.is_open and self.shop.waiting("activity"))
    @rule()
    def take(self):
        task = self.shop.take()
        self.taken[task["activityId"]] = task["taskToken"]
        self.model.take(task["activityId"])

    def running(self):
        return [id for id, (_, started) in self.model.activities.items() if started]

    @precondition(lambda self: self.model.is_open and self.running())
    @rule(ends=st.sampled_from(["completed", "failed", "canceled"]))
    def finish(self, ends):
        id = self.running()[0]
        call = getattr(self.shop.swf, f"respond_activity_task_{ends}")
        call(taskToken=self.taken.pop(id))
        self.model.end(id, f"ActivityTask{ends.title()}")

    @rule(seconds=st.integers(1, 30))
    def advance(self, seconds):
        self.clock.advance(seconds)
        if self.model.is_open:
            self.model.pass_time(seconds)

    @invariant()
    def histories_agree(self):
        history = self.shop.history(self.run)
        assert [event["eventId"] for event in history] == list(range(1, len(history) + 1))
        assert [event["eventType"] for event in history] == self.model.events
        if self.model.is_open:
            counts = self.shop.describe(self.run)["openCounts"]
            assert counts["openActivityTasks"] == len(self.model.activities)
            assert counts["openTimers"] == len(self.model.timers)
            assert counts["openDecisionTasks"] == (self.model.task is not None)


TestSwfModel = SwfMachine.TestCase
TestSwfModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
