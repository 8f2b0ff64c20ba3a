"""Global endpoints of EventBridge over the wire."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from event_calls import ACCOUNT, PAID, arn, entry, refused

HOME, OTHER = "us-east-1", "eu-west-1"
ROUTING = {
    "FailoverConfig": {
        "Primary": {"HealthCheck": "arn:aws:route53:::healthcheck/1"},
        "Secondary": {"Route": OTHER},
    }
}
BUSES = [{"EventBusArn": arn("event-bus/shop", region=region)} for region in (HOME, OTHER)]
ROLE = "arn:aws:iam::000000000000:role/replicate"
PLAIN = {"ReplicationConfig": {"State": "DISABLED"}}


@pytest.fixture
def put(server):
    """PutEvents as SDKs send it to a global endpoint: signed with version 4A, for all regions."""

    def put(id, *entries, account=ACCOUNT):
        scope = f"{account}/20261127/events/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSEvents.PutEvents",
            "X-Amz-Date": "20261127T000000Z",
            "X-Amz-Region-Set": "*",
            "Authorization": f"AWS4-ECDSA-P256-SHA256 Credential={scope}, "
            "SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=3046",
        }
        body = json.dumps({"EndpointId": id, "Entries": entries}).encode()
        try:
            with urlopen(Request(server.url, body, headers)) as answer:
                return json.load(answer)
        except HTTPError as error:
            return json.load(error)

    return put


@pytest.fixture
def regions(connect):
    """A bus of one name in both regions, with a rule that leads to a queue there."""
    for region in (HOME, OTHER):
        events, sqs = connect("events", region=region), connect("sqs", region=region)
        sqs.create_queue(QueueName="paid")
        events.create_event_bus(Name="shop")
        events.put_rule(Name="paid", EventBusName="shop", EventPattern=PAID)
        target = {"Id": "q", "Arn": arn("paid", "sqs", region=region)}
        events.put_targets(Rule="paid", EventBusName="shop", Targets=[target])
    return connect


def told(connect, region):
    """What the queue of a region got: the number of each event, and the region that it names."""
    sqs = connect("sqs", region=region)
    url = sqs.get_queue_url(QueueName="paid")["QueueUrl"]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    read = [json.loads(message["Body"]) for message in got]
    return [(event["detail"]["n"], event["region"]) for event in read]


def test_events_for_an_endpoint_go_to_its_bus_in_the_primary_region(regions, put):
    # The order of the buses says nothing: the secondary region is the one of the routing.
    made = regions("events", region=OTHER).create_endpoint(
        Name="e", RoutingConfig=ROUTING, EventBuses=BUSES[::-1], **PLAIN
    )
    described = regions("events", region=OTHER).describe_endpoint(Name=made["Name"])
    id = described["EndpointId"]
    entries = [
        entry({"n": 1}, EventBusName="shop"),
        entry({"n": 2}, EventBusName=BUSES[0]["EventBusArn"]),
        entry({"n": 3}, EventBusName=BUSES[1]["EventBusArn"]),
        # As on AWS, an entry that names no bus is for the default one.
        entry({"n": 4}),
    ]
    assert put(id, *entries)["FailedEntryCount"] == 0
    assert told(regions, HOME) == [(1, HOME), (2, HOME), (3, HOME)]
    assert told(regions, OTHER) == []


def test_with_replication_both_buses_get_an_event_once(regions, put):
    events = regions("events")
    events.create_endpoint(Name="e", RoutingConfig=ROUTING, EventBuses=BUSES, RoleArn=ROLE)
    id = events.describe_endpoint(Name="e")["EndpointId"]
    assert put(id, entry({"n": 1}, EventBusName="shop"))["FailedEntryCount"] == 0
    # What is put in a region itself is a custom event of the bus, too.
    regions("events", region=OTHER).put_events(Entries=[entry({"n": 2}, EventBusName="shop")])
    for region in (HOME, OTHER):
        assert told(regions, region) == [(1, HOME), (2, OTHER)]
    (rule,) = events.list_rules(EventBusName="shop", NamePrefix="GlobalEndpoint-")["Rules"]
    assert rule["ManagedBy"] == "events.amazonaws.com"
    refused(events.disable_rule, "ManagedRuleException", Name=rule["Name"], EventBusName="shop")
    events.update_endpoint(Name="e", ReplicationConfig={"State": "DISABLED"})
    assert put(id, entry({"n": 3}, EventBusName="shop"))["FailedEntryCount"] == 0
    assert (told(regions, HOME), told(regions, OTHER)) == ([(3, HOME)], [])


def test_an_endpoint_that_is_gone_or_of_another_account_takes_nothing(regions, put):
    events = regions("events")
    events.create_endpoint(Name="e", RoutingConfig=ROUTING, EventBuses=BUSES, RoleArn=ROLE)
    id = events.describe_endpoint(Name="e")["EndpointId"]
    bound = entry({"n": 1}, EventBusName="shop")
    assert put(id, bound, account="111111111111")["__type"] == "ResourceNotFoundException"
    events.delete_endpoint(Name="e")
    assert put(id, bound)["message"] == f"Endpoint {id} does not exist."
    assert events.list_rules(EventBusName="shop", NamePrefix="GlobalEndpoint-")["Rules"] == []
    refused(events.describe_endpoint, "ResourceNotFoundException", Name="e")
    assert told(regions, HOME) == []


def test_an_endpoint_has_two_buses_of_one_name_in_different_regions(regions):
    events = regions("events")
    made = {"RoutingConfig": ROUTING, "EventBuses": BUSES}
    other = [BUSES[0], {"EventBusArn": arn("event-bus/default", region=OTHER)}]
    moved = ROUTING["FailoverConfig"] | {"Secondary": {"Route": "us-west-2"}}
    elsewhere = {"FailoverConfig": moved}
    for wrong in (
        {"EventBuses": [BUSES[0], BUSES[0]]},
        {"EventBuses": other},
        {"RoutingConfig": elsewhere},
        # Replication, which is on unless it is switched off, needs a role.
        {"ReplicationConfig": {"State": "ENABLED"}},
        {},
    ):
        refused(events.create_endpoint, "ValidationException", Name="e", **made | wrong)
    gone = [{"EventBusArn": arn("event-bus/x", region=region)} for region in (HOME, OTHER)]
    code = "ResourceNotFoundException"
    refused(events.create_endpoint, code, Name="e", **made | PLAIN | {"EventBuses": gone})
    events.create_endpoint(Name="e", **made, **PLAIN)
    assert events.update_endpoint(Name="e", Description="d")["EventBuses"] == BUSES
    described = events.describe_endpoint(Name="e")
    assert (described["State"], described["Description"]) == ("ACTIVE", "d")
    assert [one["Name"] for one in events.list_endpoints()["Endpoints"]] == ["e"]
