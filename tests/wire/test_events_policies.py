"""Who may use an event bus when signatures are proved, and events that go to other accounts."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from event_calls import PAID, entry

from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

OWNER, FRIEND = "111111111111", "222222222222"
BUS = f"arn:aws:events:us-east-1:{OWNER}:event-bus/shop"


@pytest.fixture
def clients(engine):
    known = [(f"AKIA{account}", "secret", None, account) for account in (OWNER, FRIEND)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        made = [
            boto3.session.Session().client(
                "events",
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )
            for account in (OWNER, FRIEND)
        ]
        yield made
        for client in made:
            client.close()


def put(client):
    (result,) = client.put_events(Entries=[entry(EventBusName=BUS)])["Entries"]
    return result.get("ErrorCode")


QUEUE_POLICIES = {
    "none": None,
    "account": {"Principal": {"AWS": OWNER}},
    "rule": {
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:{OWNER}:rule/shop/paid"}
        },
    },
    "other-rule": {
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:{OWNER}:rule/x"}},
    },
    "every-service": {"Principal": {"Service": "*"}},
    "denied": {"Effect": "Deny", "Principal": "*"},
}


@pytest.mark.parametrize("given", QUEUE_POLICIES)
def test_a_rule_leads_to_a_queue_of_another_account_only_if_its_policy_lets_it(
    clients, engine, given
):
    owner, _ = clients
    queue = f"arn:aws:sqs:us-east-1:{FRIEND}:paid"
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    policy = QUEUE_POLICIES[given]
    known = [("AKIAQ", "secret", None, FRIEND)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        sqs = boto3.session.Session().client(
            "sqs",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="AKIAQ",
            aws_secret_access_key="secret",
        )
        attributes = {}
        if policy is not None:
            document = {"Version": "2012-10-17", "Statement": [statement | policy]}
            attributes["Policy"] = json.dumps(document)
        sqs.create_queue(QueueName="paid", Attributes=attributes)
        sqs.close()
    owner.create_event_bus(Name="shop")
    owner.put_rule(Name="paid", EventBusName="shop", EventPattern=PAID)
    call = {"Rule": "paid", "EventBusName": "shop", "Targets": [{"Id": "q", "Arn": queue}]}
    if given in ("account", "rule"):
        assert owner.put_targets(**call)["FailedEntryCount"] == 0
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            owner.put_targets(**call)


def test_a_rule_leads_to_a_bus_of_another_account_only_if_its_policy_lets_it(clients):
    owner, friend = clients
    owner.create_event_bus(Name="shop")
    friend.put_rule(Name="paid", EventPattern=PAID)
    call = {"Rule": "paid", "Targets": [{"Id": "b", "Arn": BUS}]}
    with pytest.raises(ClientError, match="AccessDenied"):
        friend.put_targets(**call)
    owner.put_permission(
        EventBusName="shop", Action="events:PutEvents", Principal=FRIEND, StatementId="a"
    )
    assert friend.put_targets(**call)["FailedEntryCount"] == 0


def test_another_account_may_only_what_the_policy_allows(clients, engine):
    owner, friend = clients
    owner.create_event_bus(Name="shop")
    received = engine.stream("paid")
    engine.bus("shop", account=OWNER).rule("paid", {"source": ["shop"]}, received)
    assert put(friend) == "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDenied"):
        friend.describe_event_bus(Name=BUS)
    owner.put_permission(
        EventBusName="shop", Action="events:PutEvents", Principal=FRIEND, StatementId="a"
    )
    assert put(friend) is None
    with pytest.raises(ClientError, match="AccessDenied"):
        friend.put_rule(Name="r", EventBusName=BUS, EventPattern=PAID)
    (record,) = received.read()
    event = json.loads(record.data)
    assert event["account"] == FRIEND, "an event names the account that it comes from"


def test_a_policy_that_denies_holds_for_the_owner_who_can_mend_it(clients):
    owner, _ = clients
    owner.create_event_bus(Name="shop")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "events:*", "Resource": BUS}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner.put_permission(EventBusName="shop", Policy=policy)
    assert put(owner) == "AccessDeniedException"
    owner.remove_permission(EventBusName="shop", RemoveAllPermissions=True)
    assert put(owner) is None
