"""Targets of rules that are reached by calling an operation, and the table that says so."""

from __future__ import annotations

import pytest
from event_calls import PAID, arn, entry

import trunkline
import trunkline.aws
from trunkline.aws.events.called_targets import PREFIX
from trunkline.aws.store import Store
from trunkline.aws.targets import table
from trunkline.aws.targets.kind import TargetKind, Template

pytest.importorskip("boto3")

FUNCTION = arn("function:told", "lambda")
TARGET = {"Id": "f", "Arn": FUNCTION, "InputPath": "$.detail"}


@pytest.fixture(autouse=True)
def functions_that_send(monkeypatch):
    """Functions are called here by sending what they would get to the queue of their name."""

    def params(resource, target, text):
        name = resource.resource.removeprefix("function:")
        url = f"http://trunkline.local/queue/{resource.region}/{resource.account}/{name}"
        return {"QueueUrl": url, "MessageBody": text}

    kind = TargetKind("lambda", template=Template("sqs", "SendMessage", params))
    monkeypatch.setitem(table.OF_RULES, "lambda", kind)


def lead(engine, **target):
    events = trunkline.aws.client("events", engine=engine)
    events.put_rule(Name="paid", EventPattern=PAID)
    answer = events.put_targets(Rule="paid", Targets=[TARGET | target])
    assert answer["FailedEntryCount"] == 0
    return events


def test_an_event_is_given_to_the_operation_of_its_target():
    with trunkline.open() as engine:
        queue = engine.queue("told")
        events = lead(engine)
        events.put_events(Entries=[entry({"n": 1})])
        [message] = queue.receive(wait=20)
        assert message.json() == {"n": 1}


def test_what_the_operation_refuses_is_a_dead_letter():
    with trunkline.open() as engine:
        dead = engine.queue("dead")
        events = lead(engine, DeadLetterConfig={"Arn": arn("dead", "sqs")})
        events.put_events(Entries=[entry({"n": 1})])
        [message] = dead.receive(wait=20)
        assert message.json()["detail"] == {"n": 1}
        assert "NonExistentQueue" in message.attributes["ERROR_MESSAGE"]


def test_a_target_that_is_put_again_changes_what_waits(tmp_path):
    with trunkline.open() as engine:
        engine.queue("told")
        other = engine.queue("other")
        events = lead(engine, Arn=arn("function:other", "lambda"))
        events.put_events(Entries=[entry({"n": 1})])
        assert other.receive(wait=20)[0].json() == {"n": 1}
        lead(engine)
        events.put_events(Entries=[entry({"n": 2})])
        assert engine.queue("told").receive(wait=20)[0].json() == {"n": 2}


def test_what_waits_is_given_by_the_next_opening(tmp_path):
    with trunkline.open(tmp_path / "e") as engine:
        lead(engine)
    # No client is made here, so nothing calls the target.
    with trunkline.open(tmp_path / "e") as engine:
        engine.queue("told")
        event = {"source": "shop", "detail-type": "Paid", "detail": {"n": 3}}
        engine.bus("default").put(event)
    with trunkline.open(tmp_path / "e") as engine:
        trunkline.aws.client("sts", engine=engine)
        assert engine.queue("told").receive(wait=20)[0].json() == {"n": 3}
        events = trunkline.aws.client("events", engine=engine)
        events.remove_targets(Rule="paid", Ids=["f"])
    with trunkline.open(tmp_path / "e") as engine:
        trunkline.aws.client("sts", engine=engine)
        assert Store(engine._core).page(PREFIX, limit=10) == ([], None)


def test_every_entry_of_the_table_can_be_reached():
    for name, kind in table.TARGETS.items():
        assert kind.name == name
        assert kind.rule or kind.template or kind.pipe, name


def test_a_kind_that_is_not_served_is_refused_with_those_that_are():
    with trunkline.open() as engine:
        events = trunkline.aws.client("events", engine=engine)
        events.put_rule(Name="paid", EventPattern=PAID)
        target = {"Id": "e", "Arn": arn("cluster/c", "ecs")}
        with pytest.raises(events.exceptions.ClientError, match=r"There are: .*event-bus.*sqs"):
            events.put_targets(Rule="paid", Targets=[target])
