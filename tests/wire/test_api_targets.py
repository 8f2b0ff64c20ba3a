"""APIs of API Gateway as targets of rules, and as targets and enrichments of pipes."""

from __future__ import annotations

import json

import pytest
from event_calls import PAID, arn, entry

import trunkline
import trunkline.aws

pytest.importorskip("boto3")

ROLE = "arn:aws:iam::000000000000:role/pipes"
TO_QUEUE = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"


@pytest.fixture
def engine():
    with trunkline.open() as opened:
        yield opened


def client(engine, service):
    return trunkline.aws.client(service, engine=engine)


def api_with(engine, path, status="200", template=None):
    """A REST API whose POST of `path` sends the body to the queue `api`, or answers by itself."""
    gateway = client(engine, "apigateway")
    api = gateway.create_rest_api(name="front")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"]}
    for part in path.split("/"):
        made = gateway.create_resource(
            restApiId=api["id"], parentId=place["resourceId"], pathPart=part
        )
        place["resourceId"] = made["id"]
    place["httpMethod"] = "POST"
    gateway.put_method(**place, authorizationType="AWS_IAM")
    gateway.put_method_response(**place, statusCode=status)
    if template is None:
        gateway.put_integration(
            **place,
            type="AWS",
            integrationHttpMethod="POST",
            uri="arn:aws:apigateway:us-east-1:sqs:path/000000000000/api",
            requestParameters={
                "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
            },
            requestTemplates={"application/json": TO_QUEUE},
            credentials=ROLE,
        )
    else:
        gateway.put_integration(
            **place,
            type="MOCK",
            requestTemplates={"application/json": json.dumps({"statusCode": int(status)})},
        )
    gateway.put_integration_response(
        **place, statusCode=status, responseTemplates={"application/json": template or ""}
    )
    gateway.create_deployment(restApiId=api["id"], stageName="dev")
    return api["id"]


def target(api, path):
    return {"Id": "api", "Arn": arn(f"{api}/dev/POST/{path}", "execute-api"), "RoleArn": ROLE}


def lead(engine, **given):
    events = client(engine, "events")
    events.put_rule(Name="paid", EventPattern=PAID)
    assert events.put_targets(Rule="paid", Targets=[given])["FailedEntryCount"] == 0
    return events


def test_an_event_is_sent_to_an_api(engine):
    queue = engine.queue("api")
    api = api_with(engine, "orders/{id}")
    given = target(api, "orders/*") | {"HttpParameters": {"PathParameterValues": ["a b"]}}
    events = lead(engine, **given, InputPath="$.detail")
    events.put_events(Entries=[entry({"n": 1})])
    [message] = queue.receive(wait=20)
    assert message.json() == {"n": 1}


@pytest.mark.parametrize("gone", [False, True])
def test_what_an_api_refuses_is_a_dead_letter(engine, gone):
    dead = engine.queue("dead")
    api = "nosuchapi0" if gone else api_with(engine, "orders", "400", '{"message": "no tea"}')
    events = lead(engine, **target(api, "orders"), DeadLetterConfig={"Arn": arn("dead", "sqs")})
    events.put_events(Entries=[entry({"n": 1})])
    [message] = dead.receive(wait=20)
    assert message.json()["detail"] == {"n": 1}
    assert ("HTTP 4" if gone else "no tea") in message.attributes["ERROR_MESSAGE"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"Arn": arn("front/dev", "execute-api")}, "API/STAGE/METHOD"),
        ({"HttpParameters": {"PathParameterValues": ["$.detail.n"]}}, "Give constants"),
        ({"HttpParameters": {"HeaderParameters": {"x": "$.detail.n"}}}, "Give constants"),
    ],
)
def test_a_target_that_cannot_be_called_is_refused(engine, given, why):
    events = client(engine, "events")
    events.put_rule(Name="paid", EventPattern=PAID)
    with pytest.raises(events.exceptions.ClientError, match=why):
        events.put_targets(Rule="paid", Targets=[target("front", "orders/*") | given])


def test_a_pipe_sends_to_an_api_and_is_enriched_by_one(engine):
    queue, source = engine.queue("api"), engine.queue("source")
    names = api_with(engine, "names", "200", '{"name": "tea"}')
    orders = api_with(engine, "orders")
    client(engine, "pipes").create_pipe(
        Name="p",
        RoleArn=ROLE,
        Source=arn("source", "sqs"),
        Enrichment=arn(f"{names}/dev/POST/names", "execute-api"),
        Target=arn(f"{orders}/dev/POST/orders", "execute-api"),
    )
    source.send("{}")
    [message] = queue.receive(wait=20)
    assert "tea" in json.dumps(message.json())
