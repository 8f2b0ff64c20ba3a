"""Partner event sources: both sides."""

from __future__ import annotations

import json

import pytest
from event_calls import arn, refused

NAME = "aws.partner/example.com/shop/paid"
CUSTOMER = "111111111111"
ENTRY = {"Source": NAME, "DetailType": "Paid", "Detail": '{"sum": 1.50}'}


@pytest.fixture
def partner(connect):
    return connect("events")


@pytest.fixture
def customer(connect):
    return connect("events", account=CUSTOMER)


def states(partner):
    told = partner.list_partner_event_source_accounts(EventSourceName=NAME)
    return {one["Account"]: one["State"] for one in told["PartnerEventSourceAccounts"]}


def test_events_of_a_partner_reach_the_bus_of_an_account_that_accepts_them(
    connect, partner, customer
):
    made = partner.create_partner_event_source(Name=NAME, Account=CUSTOMER)
    assert made["EventSourceArn"] == arn(f"event-source/{NAME}", account="")
    assert states(partner) == {CUSTOMER: "PENDING"}
    offered = customer.describe_event_source(Name=NAME)
    assert (offered["CreatedBy"], offered["State"]) == ("example.com", "PENDING")
    assert partner.put_partner_events(Entries=[ENTRY])["FailedEntryCount"] == 0
    bus = customer.create_event_bus(Name=NAME, EventSourceName=NAME)["EventBusArn"]
    assert bus == arn(f"event-bus/{NAME}", account=CUSTOMER)
    assert states(partner) == {CUSTOMER: "ACTIVE"}
    sqs = connect("sqs", account=CUSTOMER)
    url = sqs.create_queue(QueueName="paid")["QueueUrl"]
    pattern = json.dumps({"source": [{"prefix": "aws.partner/example.com"}]})
    customer.put_rule(Name="r", EventBusName=NAME, EventPattern=pattern)
    target = {"Id": "q", "Arn": arn("paid", "sqs", account=CUSTOMER)}
    customer.put_targets(Rule="r", EventBusName=NAME, Targets=[target])

    def put():
        partner.put_partner_events(Entries=[ENTRY])
        told = sqs.receive_message(QueueUrl=url).get("Messages", [])
        return [json.loads(message["Body"]) for message in told]

    (event,) = put()
    assert (event["source"], event["account"]) == (NAME, CUSTOMER)
    assert event["detail"] == {"sum": 1.5}
    customer.deactivate_event_source(Name=NAME)
    assert put() == []
    refused(customer.deactivate_event_source, "InvalidStateException", Name=NAME)
    customer.activate_event_source(Name=NAME)
    assert len(put()) == 1
    partner.delete_partner_event_source(Name=NAME, Account=CUSTOMER)
    assert customer.describe_event_source(Name=NAME)["State"] == "DELETED"
    refused(partner.describe_partner_event_source, "ResourceNotFoundException", Name=NAME)
    answer = partner.put_partner_events(Entries=[ENTRY])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_sources_are_listed_page_by_page(partner, customer):
    names = [f"aws.partner/example.com/shop/{letter}" for letter in "abc"]
    for name in names:
        partner.create_partner_event_source(Name=name, Account=CUSTOMER)
    partner.create_partner_event_source(Name=names[0], Account="222222222222")
    refused(
        partner.create_partner_event_source,
        "ResourceAlreadyExistsException",
        Name=names[0],
        Account=CUSTOMER,
    )
    first = partner.list_partner_event_sources(NamePrefix="aws.partner/example.com/", Limit=2)
    rest = partner.list_partner_event_sources(
        NamePrefix="aws.partner/example.com/", NextToken=first["NextToken"]
    )
    told = first["PartnerEventSources"] + rest["PartnerEventSources"]
    assert [one["Name"] for one in told] == names
    assert [one["Name"] for one in customer.list_event_sources()["EventSources"]] == names
    accounts = partner.list_partner_event_source_accounts(EventSourceName=names[0])
    assert [one["Account"] for one in accounts["PartnerEventSourceAccounts"]] == [
        CUSTOMER,
        "222222222222",
    ]


def test_a_bus_needs_the_source_of_its_name(partner, customer):
    create = customer.create_event_bus
    refused(create, "ResourceNotFoundException", Name=NAME, EventSourceName=NAME)
    refused(create, "ValidationException", Name=NAME)
    partner.create_partner_event_source(Name=NAME, Account=CUSTOMER)
    refused(create, "ValidationException", Name="other", EventSourceName=NAME)
    refused(customer.activate_event_source, "InvalidStateException", Name=NAME)
    create(Name=NAME, EventSourceName=NAME)
    customer.delete_event_bus(Name=NAME)
    assert customer.describe_event_source(Name=NAME)["State"] == "PENDING"


def test_an_offer_that_is_not_accepted_ends_after_two_weeks(clock, partner, customer):
    partner.create_partner_event_source(Name=NAME, Account=CUSTOMER)
    clock.advance(13 * 86_400)
    assert customer.describe_event_source(Name=NAME)["State"] == "PENDING"
    clock.advance(86_400)
    refused(customer.describe_event_source, "ResourceNotFoundException", Name=NAME)


def test_an_entry_fails_for_itself(partner):
    partner.create_partner_event_source(Name=NAME, Account=CUSTOMER)
    entries = [ENTRY, ENTRY | {"Detail": "[]"}, {"Source": NAME}]
    answer = partner.put_partner_events(Entries=entries)
    assert answer["FailedEntryCount"] == 2
    codes = [one.get("ErrorCode") for one in answer["Entries"]]
    assert codes == [None, "MalformedDetail", "InvalidArgument"]
