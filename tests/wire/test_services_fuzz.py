"""Requests made from the models of the services with a control plane alone.

Whatever comes, the answer has the form of AWS, no thread fails, and the engine works on.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_requests import BASE, Words, check, http_request, model_of, requests

import trunkline
from trunkline.aws.dispatcher import dispatcher_of
from trunkline.aws.services import SERVICES

HEAD = "arn:aws:events:us-east-1:000000000000:"
OTHER = "us-east-1:000000000000:"
NAMES = ["default", "shop", "none", "r", "a", "c", "d", "", "/", "x" * 300]
ARNS = [
    *(HEAD + rest for rest in ("event-bus/default", "event-bus/shop", "rule/r", "rule/shop/r")),
    *(HEAD + rest for rest in ("archive/a", "connection/c/1", "api-destination/d/1", "rule/", "")),
    *(f"arn:aws:sqs:{OTHER}{name}" for name in ("q", "none", "q.fifo")),
    *(f"arn:aws:{rest}" for rest in (f"kinesis:{OTHER}stream/s", "lambda:us-east-1:1:function:f")),
    *(f"arn:aws:{rest}" for rest in (f"lambda:{OTHER}function:f", f"states:{OTHER}stateMachine:m")),
    *(f"arn:aws:logs:{OTHER}{rest}" for rest in ("log-group:g", "log-group:g:*", "log-group:")),
    *(f"arn:aws:{rest}" for rest in (f"pipes:{OTHER}pipe/p", f"scheduler:{OTHER}schedule-group/g")),
    *(f"arn:aws:schemas:{OTHER}{rest}" for rest in ("registry/r", "schema/r/s", "discoverer/d")),
    *("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "arn:aws:iam::000000000000:role/r"),
    *("arn:", "", "x", "arn:aws:events:::"),
]
DOCUMENTS = ["{}", '{"a":1}', "[1]", "{", '{"a":' * 3_000, '{"a":1,"a":2}', "[" * 3_000]
PASS = '{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}'
SCHEMA = '{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{}}'
PATTERNS = ['{"source":["shop"]}', '{"a":[{"numeric":["<",1]}]}', '{"body":[{"prefix":"a"}]}']
OAUTH = {
    "AuthorizationEndpoint": ["http://127.0.0.1:9/token", "x"],
    "InvocationEndpoint": ["https://example.com/*", "http://[", "x"],
    "HttpMethod": ["POST", "GET", "x"],
}
TIMES = ["rate(1 minute)", "cron(0 1 * * ? *)", "at(2030-01-01T00:00:00)"]
KNOWN = {
    "EventPattern": [*PATTERNS, *DOCUMENTS],
    "Pattern": [*PATTERNS, *DOCUMENTS],
    "ScheduleExpression": [*TIMES, "rate(0 days)", "cron(", "at(x)"],
    "ScheduleExpressionTimezone": ["UTC", "Europe/Zurich", "Mars/Base", ""],
    "Detail": DOCUMENTS,
    "Event": [*DOCUMENTS, '{"id":"1"}', "x"],
    "Policy": ['{"Statement":[1]}', '{"Statement":{"Sid":"a"}}', *DOCUMENTS],
    "Input": [*DOCUMENTS, "x", "<aws.scheduler.attempt-number>"],
    "InputPath": ["$.detail", "$", "$[", "x"],
    "InputTemplate": ["<a>", '"<a>"', "<", '{"a":<a>}', "<aws.events.event>", "<$.body>"],
    "NextToken": ["Yg==", "\u00ff", "x"],
    "nextToken": ["Yg==", "\u00ff", "x"],
    "Source": ["shop", "aws.s3", "", *ARNS],
    "Target": ARNS,
    "Enrichment": ARNS,
    "definition": [PASS, *DOCUMENTS],
    "Content": [SCHEMA, '{"$schema":"x"}', *DOCUMENTS],
    "Events": [*DOCUMENTS],
    "SchemaVersion": ["1", "0", "x", "9" * 30],
    "Language": ["Python36", "Java8", "x"],
    "Type": ["OpenApi3", "JSONSchemaDraft4", "x"],
    "BucketARN": ["arn:aws:s3:::lake", "arn:file:///x:s3:::y", "arn:file://..:s3:::..", "x"],
    "Prefix": ["a/", "!{timestamp:yyyy}/", "!{firehose:x}", "!{", "x" * 600],
    "ErrorOutputPrefix": ["e/", "!{firehose:error-output-type}/", "!{timestamp:b}"],
    "MetadataExtractionQuery": ["{a: .a}", "env", "{"],
    "ParameterValue": ["{a: .a}", "JQ-1.6", "JSON", "fA==", "0.2", "nan", "x", *ARNS[:2]],
    "TableName": ["struct<a:int>", "struct<a:array<array<", "clicks"],
    "CustomTimeZone": ["UTC", "Asia/Tokyo", "../etc/passwd", "Mars/Base"],
    "filterPattern": ["a", "?a ?b", "{ $.a = 1 }", '"', "%x%", ""],
    "logGroupName": ["g", "none", "", "x" * 600, "a b"],
    "logStreamName": ["s", "none", "", "a:b"],
    **OAUTH,
}
WORDS = Words(
    KNOWN, ARNS, [*NAMES, "p", "g", "s"], ["a", "1", "events:PutEvents", "000000000000", "ENABLED"]
)

NOT_BUILT = 501


@dataclass(frozen=True)
class Fuzzed:
    """A service, and what of it is asked for."""

    service: str
    prepare: object = lambda engine: None
    operations: frozenset = field(default_factory=frozenset)

    @property
    def model(self):
        return model_of(self.service)

    def __str__(self):
        return self.service


def with_rules(engine):
    for bus in (engine.bus(), engine.bus("shop")):
        bus.rule("r", {"source": ["shop"]}, engine.queue("q"))
    engine.bus().archive("a")


def built(service):
    """The operations that a service has here, and one that it lacks."""
    operations = next(one for one in SERVICES if one.name == service).operations()
    lacking = sorted(set(model_of(service).operation_names) - set(operations))[:1]
    return frozenset([*operations, *lacking])


POLLS = {"PollForDecisionTask", "PollForActivityTask", "GetActivityTask"}
FUZZED = [
    Fuzzed("events", with_rules),
    Fuzzed("scheduler"),
    Fuzzed("pipes"),
    Fuzzed("schemas"),
    Fuzzed("logs", operations=built("logs")),
    Fuzzed("apigateway", operations=built("apigateway")),
    Fuzzed("apigatewayv2", operations=built("apigatewayv2")),
    Fuzzed("firehose", lambda engine: engine.bucket("lake")),
    # A poll of a list that is empty would wait for a minute.
    Fuzzed("swf", operations=frozenset(model_of("swf").operation_names) - POLLS),
    Fuzzed("stepfunctions", operations=built("stepfunctions") - POLLS),
]


@pytest.fixture(scope="module")
def world():
    """An engine, its dispatcher, and what went wrong in threads or was logged as a failure."""
    failed, before = [], threading.excepthook
    threading.excepthook = lambda told: failed.append(told.exc_value)
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: failed.append(record.getMessage())
    logging.getLogger("trunkline").addHandler(handler)
    with trunkline.open() as engine:
        yield engine, dispatcher_of(engine), failed
    threading.excepthook = before
    logging.getLogger("trunkline").removeHandler(handler)


def prepare(fuzzed, engine, dispatcher):
    """The same world for every example: a failure comes from one request alone."""
    dispatcher.call(("POST", "/_trunkline/reset", [], b"", BASE))
    engine.queue("q")
    engine.stream("s")
    fuzzed.prepare(engine)
    for name, made in MADE.get(fuzzed.service, ()):
        status = dispatcher.call(http_request(fuzzed.model, name, made))[0]
        assert status in (200, 201), (name, status)


ROLE = "arn:aws:iam::000000000000:role/r"
SWF_TYPE = {"domain": "shop", "name": "r", "version": "1"}
MADE = {
    "swf": [
        ("RegisterDomain", {"name": "shop", "workflowExecutionRetentionPeriodInDays": "7"}),
        (
            "RegisterWorkflowType",
            {
                **SWF_TYPE,
                "defaultTaskStartToCloseTimeout": "60",
                "defaultExecutionStartToCloseTimeout": "600",
                "defaultTaskList": {"name": "d"},
                "defaultChildPolicy": "TERMINATE",
            },
        ),
        ("RegisterActivityType", SWF_TYPE),
        (
            "StartWorkflowExecution",
            {
                "domain": "shop",
                "workflowId": "p",
                "workflowType": {"name": "r", "version": "1"},
            },
        ),
    ],
    "stepfunctions": [
        ("CreateActivity", {"name": "a"}),
        ("CreateStateMachine", {"name": "r", "definition": PASS, "roleArn": ROLE}),
    ],
    "scheduler": [
        ("CreateScheduleGroup", {"Name": "g"}),
        (
            "CreateSchedule",
            {
                "Name": "a",
                "ScheduleExpression": "rate(1 hour)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": ARNS[9], "RoleArn": ROLE},
            },
        ),
    ],
    "schemas": [
        ("CreateRegistry", {"RegistryName": "r"}),
        (
            "CreateSchema",
            {"RegistryName": "r", "SchemaName": "s", "Type": "OpenApi3", "Content": SCHEMA},
        ),
    ],
    "firehose": [
        (
            "CreateDeliveryStream",
            {
                "DeliveryStreamName": "s",
                "ExtendedS3DestinationConfiguration": {
                    "RoleARN": ROLE,
                    "BucketARN": "arn:aws:s3:::lake",
                },
            },
        ),
    ],
    "apigateway": [
        ("CreateRestApi", {"name": "shop"}),
        ("CreateUsagePlan", {"name": "p"}),
        ("CreateDomainName", {"domainName": "shop.example"}),
    ],
    "logs": [
        ("CreateLogGroup", {"logGroupName": "g"}),
        ("CreateLogStream", {"logGroupName": "g", "logStreamName": "s"}),
        (
            "PutLogEvents",
            {
                "logGroupName": "g",
                "logStreamName": "s",
                "logEvents": [{"timestamp": 1_900_000_000_000, "message": "a"}],
            },
        ),
    ],
}
"""What there is before each request."""


def is_unharmed(engine):
    """An event still reaches its queue."""
    queue = engine.queue("unharmed")
    bus = engine.bus("unharmed")
    bus.rule("all", {"source": ["s"]}, queue)
    assert bus.put({"source": "s", "detail-type": "t", "detail": {}}).delivered == 1
    with queue.receive()[0] as message:
        assert message.json()["source"] == "s"


def ask(fuzzed, world, request):
    engine, dispatcher, failed = world
    prepare(fuzzed, engine, dispatcher)
    name, made = request
    protocol = fuzzed.model.metadata["protocol"]
    answer = dispatcher.call(http_request(fuzzed.model, name, made))
    allowed = (200, 201, 202, 204, 304, 400, 403, 404, 405, 409, 413, 429, NOT_BUILT)
    check(fuzzed.model, name, protocol, answer, allowed)
    assert failed == [], (name, made)
    is_unharmed(engine)


@pytest.mark.parametrize("fuzzed", FUZZED, ids=str)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_requests_are_answered_as_aws_does(world, fuzzed, data):
    ask(fuzzed, world, data.draw(requests(fuzzed.model, WORDS, fuzzed.operations)))


FOUND = [
    ("events", "PutEvents", {"Entries": [{"Time": 1e300, "Source": "s"}]}),
    ("events", "StartReplay", {"EventStartTime": -1e300, "EventEndTime": 1e300}),
    ("stepfunctions", "CreateActivity", {"name": "b", "tags": [{}]}),
]
"""Requests that once failed."""


@pytest.mark.parametrize(("service", "name", "made"), FOUND)
def test_what_once_failed_does_not_fail_again(world, service, name, made):
    fuzzed = next(one for one in FUZZED if one.service == service)
    ask(fuzzed, world, (name, made))


def test_an_input_that_the_model_of_logs_refuses_is_an_invalid_parameter(world):
    _, dispatcher, _ = world
    model = model_of("logs")
    for made in ({}, {"logGroupName": ""}, {"logGroupName": "a b"}):
        status, _, content = dispatcher.call(http_request(model, "CreateLogGroup", made))
        assert status == 400
        assert json.loads(content)["__type"].rpartition("#")[2] == "InvalidParameterException"
