"""EventBridge over the wire, with boto3: buses, rules, targets and PutEvents."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from event_calls import ACCOUNT, PAID, QUEUE_ARN, REGION, arn, bodies, entry, lead, refused


def test_an_event_reaches_the_queue_of_a_rule_that_matches(events, sqs, queue):
    lead(events)
    answer = events.put_events(Entries=[entry({"id": 1}), entry(DetailType="Sent")])
    assert answer["FailedEntryCount"] == 0
    first, _ = (result["EventId"] for result in answer["Entries"])
    (body,) = bodies(sqs, queue)
    event = json.loads(body)
    assert list(event) == [
        *("version", "id", "detail-type", "source", "account", "time", "region"),
        *("resources", "detail"),
    ]
    assert event["id"] == first
    assert (event["account"], event["region"], event["detail"]) == (ACCOUNT, REGION, {"id": 1})
    assert body.endswith('"detail":{"id":1}}'), "white space between tokens goes"


def test_every_entry_succeeds_or_fails_for_itself(events, sqs, queue):
    lead(events)
    entries = [
        entry({"n": 1}),
        entry(Source=""),
        {"Source": "shop", "Detail": "{}"},
        {"Source": "shop", "DetailType": "Paid"},
        entry(Detail="[1]"),
        entry(Source="aws.s3"),
        entry(EventBusName="absent"),
        entry({"n": 2}),
    ]
    answer = events.put_events(Entries=entries)
    results = answer["Entries"]
    assert [result.get("ErrorCode") for result in results] == [
        *(None, "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail"),
        *("NotAuthorizedForSourceException", None, None),
    ]
    assert answer["FailedEntryCount"] == 5
    reason = "Parameter DetailType is not valid. Reason: DetailType is a required argument."
    assert results[2]["ErrorMessage"] == reason
    assert results[4]["ErrorMessage"] == "Detail is malformed."
    assert [json.loads(body)["detail"]["n"] for body in bodies(sqs, queue)] == [1, 2]


def test_entries_that_are_too_many_or_too_large_are_refused_together(events):
    refused(events.put_events, "ValidationException", Entries=[entry()] * 11)
    large = entry({"text": "x" * 200_000})
    refused(
        events.put_events,
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
        Entries=[large, large],
    )
    assert events.put_events(Entries=[large])["FailedEntryCount"] == 0


def test_a_bus_over_the_wire_is_that_of_the_engine(events, sqs, queue, engine):
    made = events.create_event_bus(Name="shop", Description="orders", Tags=[])
    assert made["EventBusArn"] == arn("event-bus/shop")
    assert [bus.name for bus in engine.buses()] == ["shop"]
    events.put_rule(Name="paid", EventBusName="shop", EventPattern=PAID)
    events.put_targets(
        Rule="paid", EventBusName=made["EventBusArn"], Targets=[{"Id": "q", "Arn": QUEUE_ARN}]
    )
    put = engine.bus("shop").put({"source": "shop", "detail-type": "Paid", "detail": {}})
    assert (put.matched, put.delivered) == (1, 1)
    events.put_events(Entries=[entry(EventBusName="shop"), entry(EventBusName="default")])
    assert len(bodies(sqs, queue)) == 2
    described = events.describe_event_bus(Name="shop")
    assert (described["Name"], described["Description"]) == ("shop", "orders")
    events.remove_targets(Rule="paid", EventBusName="shop", Ids=["q"])
    events.delete_rule(Name="paid", EventBusName="shop")
    events.delete_event_bus(Name="shop")
    events.delete_event_bus(Name="shop")
    refused(
        events.describe_event_bus,
        "ResourceNotFoundException",
        "Event bus shop does not exist.",
        Name="shop",
    )


def test_a_rule_of_the_process_is_seen_and_kept_over_the_wire(events, sqs, queue, engine):
    rule = engine.bus().rule("paid", {"source": ["shop"]}, engine.queue("paid"), input={"a": 1})
    listed = events.list_targets_by_rule(Rule="paid")["Targets"]
    assert listed == [{"Id": "main", "Arn": QUEUE_ARN, "Input": '{"a":1}'}]
    assert events.list_rule_names_by_target(TargetArn=QUEUE_ARN)["RuleNames"] == ["paid"]
    events.put_targets(Rule="paid", Targets=[{"Id": "2", "Arn": QUEUE_ARN, "InputPath": "$.id"}])
    put = events.put_events(Entries=[entry()])["Entries"][0]["EventId"]
    assert sorted(bodies(sqs, queue)) == sorted(['{"a":1}', json.dumps(put)])
    assert [target["id"] for target in rule.targets()] == ["main", "2"]


def test_a_function_of_the_process_stays_when_the_wire_adds_a_target(events, sqs, queue, engine):
    import threading

    got, called = [], threading.Event()

    def handle(event):
        got.append(event["detail"])
        called.set()

    engine.bus().rule("paid", {"source": ["shop"]}, handle)
    events.put_targets(Rule="paid", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])
    events.put_events(Entries=[entry({"n": 1})])
    assert called.wait(60)
    assert got == [{"n": 1}]
    assert len(bodies(sqs, queue)) == 1


def test_putting_a_rule_again_keeps_its_targets_and_resets_the_rest(events):
    events.put_rule(Name="r", EventPattern=PAID, Description="d", State="DISABLED")
    again = json.dumps({"source": ["bank"]})
    events.put_rule(Name="r", EventPattern=again)
    rule = events.describe_rule(Name="r")
    assert (rule["State"], rule["EventPattern"]) == ("ENABLED", again)
    assert "Description" not in rule


def test_a_rule_goes_only_without_targets(events, queue):
    lead(events)
    refused(
        events.delete_rule,
        "ValidationException",
        "Rule can't be deleted since it has targets.",
        Name="paid",
    )
    events.remove_targets(Rule="paid", Ids=["q", "absent"])
    events.delete_rule(Name="paid")
    events.delete_rule(Name="paid")
    text = "Rule paid does not exist on EventBus default."
    refused(events.describe_rule, "ResourceNotFoundException", text, Name="paid")


def test_a_target_of_a_service_that_is_not_served_is_refused_with_what_there_is(events, queue):
    events.put_rule(Name="r", EventPattern=PAID)
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="r", Targets=[{"Id": "c", "Arn": arn("cluster/c", "ecs")}])
    message = caught.value.response["Error"]["Message"]
    assert "ecs" in message
    assert "sqs" in message
    answer = events.put_targets(
        Rule="r", Targets=[{"Id": "a", "Arn": arn("absent", "sqs")}, {"Id": "q", "Arn": QUEUE_ARN}]
    )
    assert [failed["TargetId"] for failed in answer["FailedEntries"]] == ["a"]
    listed = events.list_targets_by_rule(Rule="r")["Targets"]
    assert [target["Id"] for target in listed] == ["q"]


def test_a_fifo_queue_gets_events_in_its_group(events, sqs):
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName="paid.fifo", Attributes=attributes)["QueueUrl"]
    events.put_rule(Name="r", EventPattern=PAID)
    target = {"Id": "q", "Arn": arn("paid.fifo", "sqs")}
    refused(
        events.put_targets,
        "ValidationException",
        "Parameter(s) SqsParameters must be specified for target: q.",
        Rule="r",
        Targets=[target],
    )
    events.put_targets(Rule="r", Targets=[target | {"SqsParameters": {"MessageGroupId": "g"}}])
    events.put_events(Entries=[entry({"n": n}) for n in range(3)])
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
    )
    groups = [message["Attributes"]["MessageGroupId"] for message in answer["Messages"]]
    assert groups == ["g"] * 3


def test_lists_go_on_where_their_page_ends(events):
    for number in range(5):
        events.create_event_bus(Name=f"b{number}")
    names, token = [], {}
    while True:
        page = events.list_event_buses(NamePrefix="b", Limit=2, **token)
        names += [bus["Name"] for bus in page["EventBuses"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert names == [f"b{number}" for number in range(5)]
    refused(events.list_event_buses, "ValidationException", NextToken="\u00ff")


def test_a_policy_of_a_bus_is_made_of_statements(events):
    events.put_permission(Action="events:PutEvents", Principal="111111111111", StatementId="a")
    events.put_permission(Action="events:PutEvents", Principal="*", StatementId="b")
    policy = json.loads(events.describe_event_bus()["Policy"])
    assert [statement["Principal"] for statement in policy["Statement"]] == [
        {"AWS": "arn:aws:iam::111111111111:root"},
        "*",
    ]
    events.remove_permission(StatementId="a")
    text = "Statement with the provided id does not exist."
    refused(events.remove_permission, "ResourceNotFoundException", text, StatementId="a")
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()


def test_tags_belong_to_buses_and_rules(events):
    made = events.put_rule(Name="r", EventPattern=PAID, Tags=[{"Key": "a", "Value": "1"}])
    for resource in (arn("event-bus/default"), made["RuleArn"]):
        events.tag_resource(ResourceARN=resource, Tags=[{"Key": "b", "Value": "2"}])
        events.untag_resource(ResourceARN=resource, TagKeys=["a", "absent"])
        tags = events.list_tags_for_resource(ResourceARN=resource)["Tags"]
        assert tags == [{"Key": "b", "Value": "2"}]


def test_a_pattern_is_tried_without_a_rule(events):
    event = json.dumps(
        {
            "id": "1",
            "source": "shop",
            "detail-type": "Paid",
            "account": ACCOUNT,
            "region": REGION,
            "time": "2024-01-01T00:00:00Z",
            "detail": {},
        }
    )
    assert events.test_event_pattern(EventPattern=PAID, Event=event)["Result"] is True
    other = json.dumps({"source": ["bank"]})
    assert events.test_event_pattern(EventPattern=other, Event=event)["Result"] is False
    text = "Parameter Event is not valid."
    refused(events.test_event_pattern, "ValidationException", text, EventPattern=PAID, Event="[1]")
    refused(
        events.test_event_pattern, "InvalidEventPatternException", EventPattern="{", Event=event
    )


def test_topics_and_streams_are_targets(events, sqs, queue, engine):
    engine.topic("news").subscribe(engine.queue("paid"))
    engine.stream("clicks")
    events.put_rule(Name="r", EventPattern=PAID)
    targets = [
        {"Id": "t", "Arn": arn("news", "sns"), "InputPath": "$.detail"},
        {
            "Id": "s",
            "Arn": arn("stream/clicks", "kinesis"),
            "KinesisParameters": {"PartitionKeyPath": "$.detail.user"},
        },
    ]
    assert events.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    events.put_events(Entries=[entry({"user": "u"})])
    assert bodies(sqs, queue) == ['{"user":"u"}']
    (record,) = engine.stream("clicks").read()
    assert (record.key, record.json()["detail"]) == ("u", {"user": "u"})
    absent = [
        {"Id": "a", "Arn": arn("stream/none", "kinesis")},
        {"Id": "b", "Arn": arn("x", "sns")},
    ]
    assert events.put_targets(Rule="r", Targets=absent)["FailedEntryCount"] == 2


def post(server, path, body, method="POST"):
    request = urllib.request.Request(server.url + path, data=body.encode(), method=method)
    with urllib.request.urlopen(request) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def test_any_client_puts_events_as_json_lines(server, engine):
    queue = engine.queue("paid")
    engine.bus("shop").rule("paid", {"source": ["shop"]}, queue)
    event = {"source": "shop", "detail-type": "Paid", "detail": {"n": 1}}
    lines = "\n".join([json.dumps(event), "{}", json.dumps(event), ""])
    first, second, third = post(server, "/_trunkline/buses/shop/events", lines)
    assert (first["matched"], first["delivered"], first["failed"]) == (1, 1, 0)
    assert second["error"] == "InvalidParameterValue"
    assert {message.json()["id"] for message in queue.receive(10)} == {first["id"], third["id"]}
    with pytest.raises(urllib.error.HTTPError, match="404"):
        post(server, "/_trunkline/buses/absent/events", lines)
    with pytest.raises(urllib.error.HTTPError, match="405"):
        post(server, "/_trunkline/buses/shop/events", lines, method="PUT")


def test_an_event_that_its_target_does_not_take_is_a_dead_letter(events, sqs, queue):
    gone = sqs.create_queue(QueueName="gone")["QueueUrl"]
    events.put_rule(Name="r", EventPattern=PAID)
    target = {"Id": "g", "Arn": arn("gone", "sqs"), "InputPath": "$.detail"}
    target["DeadLetterConfig"] = {"Arn": QUEUE_ARN}
    events.put_targets(Rule="r", Targets=[target])
    sqs.delete_queue(QueueUrl=gone)
    events.put_events(Entries=[entry({"n": 1})])
    answer = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])
    (letter,) = answer["Messages"]
    assert json.loads(letter["Body"])["detail"] == {"n": 1}, "the event as it was put"
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["RULE_ARN"] == arn("rule/r")
    assert (told["TARGET_ARN"], told["ERROR_CODE"]) == (target["Arn"], "NO_RESOURCE")
    assert "ERROR_MESSAGE" in told


def test_a_bus_with_rules_stays(events):
    events.create_event_bus(Name="shop")
    events.put_rule(Name="r", EventBusName="shop", EventPattern=PAID)
    text = "Cannot delete event bus shop since it has rules."
    refused(events.delete_event_bus, "ValidationException", text, Name="shop")
    events.delete_rule(Name="r", EventBusName="shop")
    events.delete_event_bus(Name="shop")


def test_an_input_that_cannot_be_is_refused_for_the_whole_request(events, queue):
    events.put_rule(Name="r", EventPattern=PAID)
    target = {"Id": "q", "Arn": QUEUE_ARN}
    one = "Only one of Input, InputPath, or InputTransformer must be provided for target q."
    placeholder = "InputTemplate for target q contains invalid placeholder b."
    for rest, text in (
        ({"Input": "{}", "InputPath": "$.id"}, one),
        ({"InputTransformer": {"InputTemplate": '"<b>"'}}, placeholder),
    ):
        targets = [target | rest]
        refused(events.put_targets, "ValidationException", text, Rule="r", Targets=targets)
    refused(events.put_targets, "ResourceNotFoundException", Rule="absent", Targets=[target])


def test_an_event_is_forwarded_to_another_account_but_to_no_third(connect, engine):
    owners = [digit * 12 for digit in "123"]
    clients = [connect("events", account=owner) for owner in owners]
    queues = []
    for place, (owner, client) in enumerate(zip(owners, clients, strict=True)):
        url = connect("sqs", account=owner).create_queue(QueueName="paid")["QueueUrl"]
        queues.append((connect("sqs", account=owner), url))
        targets = [{"Id": "q", "Arn": arn("paid", "sqs", owner)}]
        if place < 2:
            targets.append({"Id": "b", "Arn": arn("event-bus/default", account=owners[place + 1])})
        client.put_rule(Name="r", EventPattern=PAID)
        assert client.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    clients[0].put_events(Entries=[entry()])
    first, second, third = (bodies(*queue) for queue in queues)
    assert json.loads(first[0])["account"] == json.loads(second[0])["account"] == owners[0]
    assert third == []
    clients[1].put_events(Entries=[entry()])
    assert len(bodies(*queues[2])) == 1, "an event of its own is forwarded"


def test_a_trace_goes_with_an_event_to_queues_also_through_buses(events, sqs, queue):
    events.create_event_bus(Name="front")
    events.put_rule(Name="on", EventBusName="front", EventPattern=PAID)
    target = {"Id": "b", "Arn": arn("event-bus/default")}
    assert events.put_targets(Rule="on", EventBusName="front", Targets=[target])
    lead(events)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    given = [
        entry({"n": 1}, TraceHeader=trace),
        entry({"n": 2}, EventBusName="front", TraceHeader=trace),
        entry({"n": 3}),
    ]
    events.put_events(Entries=given)
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["AWSTraceHeader"]
    )
    traces = {
        json.loads(message["Body"])["detail"]["n"]: message.get("Attributes")
        for message in answer["Messages"]
    }
    header = {"AWSTraceHeader": trace}
    assert traces == {1: header, 2: header, 3: {}}
    assert trace not in repr([message["Body"] for message in answer["Messages"]])


def test_the_trace_of_a_request_holds_for_entries_that_have_none(events, sqs, queue):
    lead(events)
    events.meta.events.register(
        "before-send.events.PutEvents",
        lambda request, **_: request.headers.__setitem__("X-Amzn-Trace-Id", "Root=1-a-b"),
    )
    events.put_events(Entries=[entry(), entry(TraceHeader="Root=1-c-d")])
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    found = {message["Attributes"]["AWSTraceHeader"] for message in answer["Messages"]}
    assert found == {"Root=1-a-b", "Root=1-c-d"}


def test_of_repeated_keys_in_a_detail_the_last_holds(events, sqs, queue):
    lead(events, pattern=json.dumps({"detail": {"state": ["new"]}}))
    details = ['{"state":"new","state":"old"}', '{"state":"old", "a":{"b":1,"b":2}, "state":"new"}']
    events.put_events(Entries=[entry() | {"Detail": detail} for detail in details])
    (body,) = bodies(sqs, queue)
    assert '"detail":{"a":{"b":2},"state":"new"}' in body
