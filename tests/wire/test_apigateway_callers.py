"""Who may call a REST API, and how often: keys, quotas, throttles and authorizers."""

from __future__ import annotations

from typing import Any

import pytest
from front import Front, function_uri

pytest.importorskip("boto3")


def test_a_key_belongs_to_a_plan_of_the_stage(make):
    front = make()
    front.mock("GET /", apiKeyRequired=True)
    front.deploy()
    client = front.client
    value = "a-value-of-twenty-chars"
    key = client.create_api_key(name="k", enabled=True, value=value)["id"]
    headers = {"x-api-key": value}
    forbidden = front.send("GET /", headers=headers)
    assert (forbidden.status, forbidden.json) == (403, {"message": "Forbidden"})
    plan = client.create_usage_plan(
        name="p",
        apiStages=[{"apiId": front.id, "stage": "dev"}],
        quota={"limit": 2, "period": "DAY"},
    )["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    assert front.send("GET /").status == 403
    assert [front.send("GET /", headers=headers).status for _ in range(3)] == [200, 200, 429]
    assert front.send("GET /", headers=headers).json == {"message": "Limit Exceeded"}


def test_a_quota_begins_anew_with_its_period(make, clock):
    front = make()
    front.mock("GET /", apiKeyRequired=True)
    front.deploy()
    client, value = front.client, "a-value-of-twenty-chars"
    key = client.create_api_key(name="k", enabled=True, value=value)["id"]
    stages = [{"apiId": front.id, "stage": "dev"}]
    quota = {"limit": 1, "period": "DAY"}
    plan = client.create_usage_plan(name="p", apiStages=stages, quota=quota)["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    headers = {"x-api-key": value}
    assert [front.send("GET /", headers=headers).status for _ in range(2)] == [200, 429]
    clock.advance(86_400)
    assert front.send("GET /", headers=headers).status == 200


def test_a_bucket_of_tokens_fills_on_the_engines_clock(make, clock):
    front = make()
    front.mock("GET /")
    front.deploy()
    front.client.update_stage(
        restApiId=front.id,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"},
        ],
    )
    assert [front.send("GET /").status for _ in range(3)] == [200, 200, 429]
    assert front.send("GET /").json == {"message": "Too Many Requests"}
    clock.advance(1)
    assert [front.send("GET /").status for _ in range(2)] == [200, 429]


def authorized(front: Front, arn: str, **given: Any) -> dict[str, Any]:
    """The members of a method that an authorizer guards."""
    authorizer = front.client.create_authorizer(
        restApiId=front.id,
        name="guard",
        authorizerUri=function_uri(arn),
        **{
            "type": "TOKEN",
            "identitySource": "method.request.header.Authorization",
            **given,
        },
    )["id"]
    return {"authorizationType": "CUSTOM", "authorizerId": authorizer}


def test_an_authorizer_decides_and_is_remembered(make, engine, clock):
    asked = []

    def guard(event, context):
        asked.append(event)
        token = event["authorizationToken"]
        if token == "unknown":
            raise RuntimeError("Unauthorized")
        if token == "broken":
            return {"principalId": "x"}
        effect = "Allow" if token == "ann" else "Deny"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        return {"principalId": token, "policyDocument": policy, "context": {"age": 7}}

    front = make()
    guarded = authorized(front, engine.function("guard", guard).arn)
    front.mock("GET /", '{"who": "$context.authorizer.principalId"}', **guarded)
    front.deploy()

    def send(token: str) -> Any:
        return front.send("GET /", headers={"authorization": token})

    assert (send("ann").json, send("ann").status) == ({"who": "ann"}, 200)
    assert len(asked) == 1
    assert asked[0]["methodArn"].endswith(f":{front.id}/dev/GET/")
    clock.advance(301)
    assert (send("ann").status, len(asked)) == (200, 2)
    denied = send("bob")
    told = "User is not authorized to access this resource with an explicit deny"
    assert (denied.status, denied.json) == (403, {"Message": told})
    for token, status in (("unknown", 401), ("broken", 500)):
        assert send(token).status == status
    missing = front.send("GET /")
    assert (missing.status, missing.json) == (401, {"message": "Unauthorized"})


def test_a_request_authorizer_sees_the_request(make, engine):
    def guard(event, context):
        assert event["type"] == "REQUEST"
        assert "body" not in event
        statement = {
            "Action": "execute-api:Invoke",
            "Effect": "Allow" if event["queryStringParameters"]["q"] == "7" else "Deny",
            "Resource": event["methodArn"],
        }
        return {"principalId": "p", "policyDocument": {"Statement": [statement]}}

    front = make()
    given = {"type": "REQUEST", "identitySource": "method.request.querystring.q"}
    guarded = authorized(front, engine.function("guard", guard).arn, **given)
    front.mock("GET /", **guarded)
    front.deploy()
    assert [front.send(f"GET /?q={q}").status for q in (7, 8)] == [200, 403]
    assert front.send("GET /").status == 401
