"""Archives and replays of EventBridge over the wire."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError
from event_calls import PAID, QUEUE_ARN, arn, bodies, entry, lead, refused

from waiting import until

BUS = arn("event-bus/default")


def replayed(events, name, **filters):
    events.start_replay(
        ReplayName=name,
        EventSourceArn=arn("archive/all"),
        EventStartTime=0,
        EventEndTime=time.time() + 60,
        Destination={"Arn": BUS, **filters},
    )

    def described():
        return events.describe_replay(ReplayName=name)

    until(lambda: described()["State"] not in ("STARTING", "RUNNING"))
    return described()


def test_an_archive_is_replayed_for_all_rules_or_for_some(events, sqs, queue):
    made = events.create_archive(ArchiveName="all", EventSourceArn=BUS, EventPattern=PAID)
    assert made["ArchiveArn"] == arn("archive/all")
    events.put_events(Entries=[entry({"n": 1}), entry(DetailType="Sent"), entry({"n": 2})])
    described = events.describe_archive(ArchiveName="all")
    assert (described["EventCount"], described["RetentionDays"]) == (2, 0)
    assert described["SizeBytes"] > 0
    lead(events, "late")
    lead(events, "later")
    replay = replayed(events, "once", FilterArns=[arn("rule/late")])
    assert replay["State"] == "COMPLETED"
    assert replay["Destination"] == {"Arn": BUS, "FilterArns": [arn("rule/late")]}
    got = [json.loads(body) for body in bodies(sqs, queue)]
    assert [(event["detail"]["n"], event["replay-name"]) for event in got] == [
        (1, "once"),
        (2, "once"),
    ]
    replayed(events, "again")
    assert len(bodies(sqs, queue)) == 4
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 2, "none is archived again"
    names = [replay["ReplayName"] for replay in events.list_replays()["Replays"]]
    assert names == ["again", "once"]
    assert events.list_replays(State="RUNNING")["Replays"] == []
    refused(events.cancel_replay, "IllegalStatusException", ReplayName="once")


def test_an_archive_changes_and_goes(events, engine):
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    events.create_archive(ArchiveName="a", EventSourceArn=bus, RetentionDays=1, Description="d")
    events.update_archive(ArchiveName="a", EventPattern=PAID)
    described = events.describe_archive(ArchiveName="a")
    assert (described["EventPattern"], described["RetentionDays"]) == (PAID, 1)
    assert described["Description"] == "d"
    assert engine.bus("shop").archive("a").retention == 86_400
    events.update_archive(ArchiveName="a", RetentionDays=0)
    assert engine.bus("shop").archive("a").retention is None
    assert [one["ArchiveName"] for one in events.list_archives()["Archives"]] == ["a"]
    assert events.list_archives(EventSourceArn=BUS)["Archives"] == []
    events.delete_archive(ArchiveName="a")
    text = "Archive a does not exist."
    refused(events.describe_archive, "ResourceNotFoundException", text, ArchiveName="a")


def test_an_archive_is_there_after_a_restart(tmp_path):
    import trunkline
    import trunkline.aws

    with trunkline.open(tmp_path) as engine:
        client = trunkline.aws.client("events", engine=engine)
        client.create_archive(ArchiveName="a", EventSourceArn=BUS, Description="d")
        client.put_events(Entries=[entry({"n": 1})])
        client.update_archive(ArchiveName="a", RetentionDays=3)
    with trunkline.open(tmp_path) as engine:
        client = trunkline.aws.client("events", engine=engine)
        described = client.describe_archive(ArchiveName="a")
        assert (described["Description"], described["RetentionDays"]) == ("d", 3)
        assert described["EventCount"] == 1


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"EventEndTime": 0}, "EventStartTime must be before EventEndTime."),
        ({"EventSourceArn": arn("archive/none")}, "Archive none does not exist."),
        ({"Destination": {"Arn": arn("event-bus/shop")}}, "Cross event bus replay is not"),
    ],
)
def test_a_replay_that_cannot_be_is_refused(events, changed, text):
    events.create_event_bus(Name="shop")
    events.create_archive(ArchiveName="all", EventSourceArn=BUS)
    arguments = {
        "ReplayName": "r",
        "EventSourceArn": arn("archive/all"),
        "EventStartTime": 1,
        "EventEndTime": 2,
        "Destination": {"Arn": BUS},
    }
    with pytest.raises(ClientError, match=text):
        events.start_replay(**arguments | changed)


def test_a_rule_with_a_schedule_gets_an_event_at_each_moment():
    import trunkline
    import trunkline.aws

    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        client = trunkline.aws.client("events", engine=engine)
        jobs = engine.queue("paid")
        client.put_rule(Name="tick", ScheduleExpression="rate(1 hour)")
        client.put_targets(Rule="tick", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])
        clock.advance(3_600 * 2 + 60)
        got = [json.loads(message.body) for message in jobs.receive(10)]
        assert len(got) >= 2
        event = got[0]
        assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
        assert (event["resources"], event["detail"]) == ([arn("rule/tick")], {})
        (listed,) = client.list_rules()["Rules"]
        assert listed["ScheduleExpression"] == "rate(1 hour)"
        assert "EventPattern" not in listed
        jobs.purge()
        client.disable_rule(Name="tick")
        clock.advance(7_200)
        client.remove_targets(Rule="tick", Ids=["q"])
        client.delete_rule(Name="tick")
        assert jobs.statistics().visible == 0


def test_the_rule_of_an_archive_is_shown_and_cannot_be_changed(events):
    bus = arn("event-bus/default")
    events.create_archive(ArchiveName="a", EventSourceArn=bus)
    events.create_archive(ArchiveName="paid", EventSourceArn=bus, EventPattern=PAID)
    events.put_rule(Name="own", EventPattern=PAID)
    names = ["Events-Archive-a", "Events-Archive-paid", "own"]
    listed = events.list_rules()["Rules"]
    assert [rule["Name"] for rule in listed] == names
    first = events.list_rules(Limit=1)
    assert [rule["Name"] for rule in first["Rules"]] == names[:1]
    found = events.describe_rule(Name="Events-Archive-paid")
    assert found["ManagedBy"] == "prod.vhs.events.aws.internal"
    fresh = {"replay-name": [{"exists": False}]}
    assert json.loads(found["EventPattern"]) == json.loads(PAID) | fresh
    assert json.loads(listed[0]["EventPattern"]) == fresh
    (target,) = events.list_targets_by_rule(Rule="Events-Archive-a")["Targets"]
    assert target["Arn"] == "arn:aws:events:us-east-1:::"
    assert target["InputTransformer"]["InputPathsMap"] == {}
    template = target["InputTransformer"]["InputTemplate"]
    assert ":archive/a" in template
    assert '"event": <aws.events.event.json>' in template
    code, rule = "ManagedRuleException", "Events-Archive-a"
    refused(events.put_rule, code, Name=rule, EventPattern=PAID)
    refused(events.disable_rule, code, Name=rule)
    refused(events.delete_rule, code, Name=rule, Force=True)
    target = {"Id": "q", "Arn": QUEUE_ARN}
    refused(events.put_targets, code, Rule=rule, Targets=[target])
    refused(events.remove_targets, code, Rule=rule, Ids=["q"], Force=True)
    tags = [{"Key": "k", "Value": "v"}]
    refused(events.tag_resource, code, ResourceARN=arn(f"rule/{rule}"), Tags=tags)
    events.delete_archive(ArchiveName="a")
    refused(events.describe_rule, "ResourceNotFoundException", Name=rule)
