"""Lists of rules and schedules read their page, however much there is behind it."""

from __future__ import annotations

import pytest
from event_calls import PAID, QUEUE_ARN, arn

RATE = "rate(1 hour)"
TARGET = {"Arn": QUEUE_ARN, "RoleArn": "arn:aws:iam::000000000000:role/r"}
OFF = {"Mode": "OFF"}


def every(call, member, **arguments):
    found, token = [], {}
    while True:
        answer = call(**arguments, **token)
        found += answer[member]
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_rules_have_each_rule_once(events, engine, limit):
    queue = engine.queue("paid")
    for name in ("a", "b-1", "b-2", "b-3", "c"):
        events.put_rule(Name=name, EventPattern=PAID)
    bus = events.describe_event_bus()["Arn"]
    events.create_archive(ArchiveName="x", EventSourceArn=bus)
    names = [rule["Name"] for rule in every(events.list_rules, "Rules", Limit=limit)]
    assert names == ["Events-Archive-x", "a", "b-1", "b-2", "b-3", "c"]
    told = every(events.list_rules, "Rules", Limit=limit, NamePrefix="b-")
    assert [rule["Name"] for rule in told] == ["b-1", "b-2", "b-3"]
    for name in ("c", "a", "b-2"):
        events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": QUEUE_ARN}])
    engine.bus("default").rule("b-3", {"source": ["shop"]}, queue)

    def of_queue():
        call = events.list_rule_names_by_target
        return every(call, "RuleNames", TargetArn=QUEUE_ARN, Limit=limit)

    assert of_queue() == ["a", "b-2", "b-3", "c"]
    events.remove_targets(Rule="b-2", Ids=["q"])
    assert of_queue() == ["a", "b-3", "c"]
    events.remove_targets(Rule="a", Ids=["q"])
    events.delete_rule(Name="a")
    assert of_queue() == ["b-3", "c"]
    assert events.list_rule_names_by_target(TargetArn=arn("none", "sqs"))["RuleNames"] == []


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_of_schedules_go_through_the_groups(connect, limit):
    scheduler, events = connect("scheduler"), connect("events")
    for group in ("a", "a-b", "z"):
        scheduler.create_schedule_group(Name=group)
    events.put_rule(Name="own", ScheduleExpression="rate(5 minutes)")
    made = [("a-b", "x"), ("a", "x"), ("a", "y"), ("default", "x"), ("z", "other")]
    for group, name in made:
        state = "DISABLED" if name == "y" else "ENABLED"
        scheduler.create_schedule(
            GroupName=group,
            Name=name,
            State=state,
            ScheduleExpression=RATE,
            FlexibleTimeWindow=OFF,
            Target=TARGET,
        )

    def told(**arguments):
        found = every(scheduler.list_schedules, "Schedules", MaxResults=limit, **arguments)
        return [(one["GroupName"], one["Name"]) for one in found]

    assert told() == made
    assert told(GroupName="a") == made[1:3]
    assert told(NamePrefix="x") == [made[0], made[1], made[3]]
    assert told(State="DISABLED") == [("a", "y")]


def test_a_replay_tells_the_time_of_its_last_event(events, clock, engine):
    bus = events.describe_event_bus()["Arn"]
    archive = events.create_archive(ArchiveName="x", EventSourceArn=bus)["ArchiveArn"]
    begun = clock.now
    for _ in range(3):
        clock.advance(10)
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Paid", "Detail": "{}"}])
    clock.advance(10)
    span = {"EventStartTime": begun, "EventEndTime": begun + 25}
    events.start_replay(ReplayName="r", EventSourceArn=archive, Destination={"Arn": bus}, **span)
    clock.advance(1)
    told = events.describe_replay(ReplayName="r")
    assert told["State"] == "COMPLETED"
    assert told["EventLastReplayedTime"].timestamp() == begun + 20
    (listed,) = events.list_replays()["Replays"]
    assert listed["EventLastReplayedTime"] == told["EventLastReplayedTime"]
