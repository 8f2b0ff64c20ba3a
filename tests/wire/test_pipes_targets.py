"""EventBridge Pipes: enrichments, batches, and all kinds of sources and targets."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pipe_calls import TARGET, arn, create, is_empty, receive, take, visible, wait_until

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def pipes(connect):
    return connect("pipes")


@pytest.fixture
def source(sqs):
    return sqs.create_queue(QueueName="source")["QueueUrl"]


@pytest.fixture
def target(sqs):
    return sqs.create_queue(QueueName="target")["QueueUrl"]


@pytest.fixture
def hook(connect):
    """An API destination that keeps what it is sent, and answers what a test says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers["Content-Length"])
            server.taken.append(json.loads(self.rfile.read(size)))
            body = json.dumps(server.answer(server.taken[-1])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.taken, server.answer, server.events = [], lambda _: {}, connect("events")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def destination(hook):
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}}
    connection = hook.events.create_connection(
        Name="c", AuthorizationType="API_KEY", AuthParameters=key
    )
    return hook.events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=f"http://127.0.0.1:{hook.server_port}/",
        HttpMethod="POST",
    )["ApiDestinationArn"]


def test_a_batch_waits_for_its_window(pipes, sqs, source, target, clock, hook):
    batching = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 60}
    create(pipes, target=destination(hook), SourceParameters={"SqsQueueParameters": batching})
    sqs.send_message(QueueUrl=source, MessageBody="1")
    wait_until(lambda: not visible(sqs, source))
    sqs.send_message(QueueUrl=source, MessageBody="2")
    wait_until(lambda: not visible(sqs, source))
    assert hook.taken == []
    clock.advance(61)
    wait_until(lambda: hook.taken)
    assert [record["body"] for record in hook.taken[0]] == ["1", "2"]
    wait_until(lambda: is_empty(sqs, source))


def test_an_enrichment_makes_what_the_target_gets(pipes, sqs, source, target, hook):
    hook.answer = lambda given: [{"n": one["n"] * 2} for one in given for _ in range(2)]
    create(
        pipes,
        Enrichment=destination(hook),
        EnrichmentParameters={"InputTemplate": "<$.body>"},
        TargetParameters={"InputTemplate": '{"twice": <$.n>}'},
    )
    sqs.send_message(QueueUrl=source, MessageBody='{"n": 4}')
    found = []
    wait_until(lambda: found.extend(receive(sqs, target)) or len(found) == 2)
    assert [json.loads(body) for body in found] == [{"twice": 8}, {"twice": 8}]
    hook.answer = lambda given: []
    sqs.send_message(QueueUrl=source, MessageBody='{"n": 5}')
    wait_until(lambda: is_empty(sqs, source))
    assert is_empty(sqs, target)


def test_a_target_names_the_items_that_failed(pipes, sqs, source, hook):
    hook.answer = lambda given: {
        "batchItemFailures": [
            {"itemIdentifier": one["messageId"]} for one in given if one["body"] == "bad"
        ]
    }
    sqs.send_message(QueueUrl=source, MessageBody="good")
    sqs.send_message(QueueUrl=source, MessageBody="bad")
    create(pipes, target=destination(hook))
    wait_until(lambda: sum(len(batch) for batch in hook.taken) == 2)

    def one_is_left():
        names = ["ApproximateNumberOfMessagesNotVisible"]
        told = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=names)["Attributes"]
        return told[names[0]] == "1"

    wait_until(one_is_left)


def test_a_bus_gets_events(pipes, sqs, source, target, connect):
    events = connect("events")
    bus = events.create_event_bus(Name="bus")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="bus", EventPattern='{"account":["000000000000"]}')
    events.put_targets(Rule="all", EventBusName="bus", Targets=[{"Id": "q", "Arn": TARGET}])
    own = {"DetailType": "$.body.kind", "Source": "shop"}
    parameters = {"InputTemplate": "<$.body>", "EventBridgeEventBusParameters": own}
    create(pipes, target=bus, TargetParameters=parameters)
    sqs.send_message(QueueUrl=source, MessageBody='{"kind": "Paid"}')
    event = json.loads(receive(sqs, target)[0])
    assert (event["source"], event["detail-type"]) == ("shop", "Paid")
    assert event["detail"] == {"kind": "Paid"}


def test_a_topic_and_a_log_group_get_records(pipes, sqs, source, target, connect):
    sns, logs = connect("sns"), connect("logs")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=TARGET, Attributes=raw)
    create(pipes, target=topic, TargetParameters={"InputTemplate": "<$.body>"})
    sqs.send_message(QueueUrl=source, MessageBody="x")
    assert receive(sqs, target) == ["x"]
    pipes.delete_pipe(Name="pipe")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="s")
    parameters = {"InputTemplate": "<$.body>", "CloudWatchLogsParameters": {"LogStreamName": "s"}}
    create(pipes, "logs", target=arn("logs", "log-group:group"), TargetParameters=parameters)
    sqs.send_message(QueueUrl=source, MessageBody="line")
    wait_until(lambda: logs.get_log_events(logGroupName="group", logStreamName="s")["events"])
    [event] = logs.get_log_events(logGroupName="group", logStreamName="s")["events"]
    assert event["message"] == "line"


def test_streams_are_sources_and_targets(pipes, sqs, source, target, engine):
    stream = engine.stream("clicks")
    position = {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}
    parameters = {"InputTemplate": "<$.body>", "KinesisStreamParameters": {"PartitionKey": "k"}}
    create(pipes, target=arn("kinesis", "stream/clicks"), TargetParameters=parameters)
    create(
        pipes,
        "out",
        source=arn("kinesis", "stream/clicks"),
        SourceParameters={
            **position,
            "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"n": [1, 3]}}'}]},
        },
        TargetParameters={"InputTemplate": "<$.data.n>"},
    )
    for number in (1, 2, 3):
        sqs.send_message(QueueUrl=source, MessageBody=json.dumps({"n": number}))
    found = []
    wait_until(lambda: found.extend(take(sqs, target)) or len(found) == 2)
    assert sorted(found) == ["1", "3"]
    assert stream.readers() == ["pipe-out"]
    pipes.delete_pipe(Name="out")
    assert stream.readers() == []


def test_records_are_given_up_as_the_pipe_says(pipes, sqs, clock, engine):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    stream = engine.stream("clicks")
    own = {
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 2,
        "DeadLetterConfig": {"Arn": arn("sqs", "dead")},
    }
    stream.put("x", key="k")
    create(
        pipes,
        source=arn("kinesis", "stream/clicks"),
        target=arn("sqs", "gone"),
        SourceParameters={"KinesisStreamParameters": own},
    )

    def is_dead():
        clock.advance(5)
        return not is_empty(sqs, dead)

    wait_until(is_dead)
    told = json.loads(take(sqs, dead)[0])
    assert told["context"]["condition"] == "RetryAttemptsExhausted"
    assert told["context"]["approximateInvokeCount"] == 3
    assert told["KinesisBatchInfo"]["batchSize"] == 1


def test_a_batch_that_fails_is_halved_until_what_fails_is_alone(pipes, sqs, clock, engine, hook):
    sent, dead = [], sqs.create_queue(QueueName="dead")["QueueUrl"]
    stream = engine.stream("clicks")
    for number in range(8):
        stream.put(str(number), key="k")

    def fail_with_five(records):
        numbers = [base64.b64decode(record["data"]).decode() for record in records]
        if "5" in numbers:
            named = [{"itemIdentifier": record["eventID"]} for record in records]
            return {"batchItemFailures": named}
        sent.extend(numbers)
        return {}

    hook.answer = fail_with_five
    own = {
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 1,
        "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "DeadLetterConfig": {"Arn": arn("sqs", "dead")},
    }
    create(
        pipes,
        source=arn("kinesis", "stream/clicks"),
        target=destination(hook),
        SourceParameters={"KinesisStreamParameters": own},
    )

    def is_dead():
        clock.advance(5)
        return not is_empty(sqs, dead)

    wait_until(is_dead)
    wait_until(lambda: len(sent) == 7)
    assert sent == ["0", "1", "2", "3", "4", "6", "7"]
    told = json.loads(take(sqs, dead)[0])
    assert told["KinesisBatchInfo"]["batchSize"] == 1


def test_a_shard_goes_in_parts_that_keep_the_order_of_their_keys(pipes, engine, hook):
    stream = engine.stream("clicks")
    for number in range(40):
        stream.put(str(number), key=f"k{number % 5}")
    own = {"StartingPosition": "TRIM_HORIZON", "ParallelizationFactor": 4}
    create(
        pipes,
        source=arn("kinesis", "stream/clicks"),
        target=destination(hook),
        SourceParameters={"KinesisStreamParameters": own},
    )
    wait_until(lambda: sum(map(len, hook.taken)) == 40)
    assert len(hook.taken) > 1
    order = {}
    for record in (record for batch in hook.taken for record in batch):
        order.setdefault(record["partitionKey"], []).append(int(record["sequenceNumber"]))
    assert all(numbers == sorted(numbers) for numbers in order.values())


def test_a_batch_that_takes_long_is_not_received_twice(pipes, sqs, clock, engine):
    url = sqs.create_queue(QueueName="source", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    begun, release, taken = threading.Event(), threading.Event(), []

    def slow(event, context):
        taken.append(event)
        begun.set()
        release.wait(60)

    engine.function("slow", slow, timeout=120)
    create(pipes, target=arn("lambda", "function:slow"))
    sqs.send_message(QueueUrl=url, MessageBody="slow")
    assert begun.wait(60)
    for _ in range(3):
        # The visibility timeout of a second ends within two steps unless it is extended.
        clock.advance(0.6)
        # The second call begins when the first is done.
        engine.faults.delay("extend", 0, times=2)
        wait_until(lambda: len(engine.faults) == 0)
    release.set()
    wait_until(lambda: is_empty(sqs, url))
    assert len(taken) == 1


def test_a_pipe_whose_stream_is_missing_fails_and_can_be_deleted(pipes, target):
    position = {"KinesisStreamParameters": {"StartingPosition": "LATEST"}}
    create(pipes, source=arn("kinesis", "stream/gone"), SourceParameters=position)
    found = pipes.describe_pipe(Name="pipe")
    assert found["CurrentState"] == "CREATE_FAILED"
    assert found["StateReason"] == "Kinesis stream gone does not exist."
    assert pipes.delete_pipe(Name="pipe")["CurrentState"] == "DELETING"
    assert pipes.list_pipes()["Pipes"] == []
