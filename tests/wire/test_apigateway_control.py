"""The control plane of API Gateway: patches, pages, references between parts, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front import uri

botocore = pytest.importorskip("botocore.exceptions")


@pytest.fixture
def client(connect: Any) -> Any:
    return connect("apigateway")


@pytest.fixture
def api(client: Any) -> dict[str, str]:
    made = client.create_rest_api(name="pets")
    return {"restApiId": made["id"], "resourceId": made["rootResourceId"]}


def refused(call: Any, **given: Any) -> tuple[str, int, str]:
    with pytest.raises(botocore.ClientError) as told:
        call(**given)
    answer = told.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


def patch(operation: str, path: str, value: str | None = None) -> dict[str, Any]:
    made = {"op": operation, "path": path}
    return made if value is None else {**made, "value": value}


def with_method(client: Any, api: dict[str, str]) -> None:
    client.put_method(**api, httpMethod="GET", authorizationType="NONE")
    client.put_integration(**api, httpMethod="GET", type="MOCK")


def test_apis_belong_to_an_account_and_a_region(client, connect, api):
    assert [one["id"] for one in client.get_rest_apis()["items"]] == [api["restApiId"]]
    for other in (connect("apigateway", "111111111111"), connect("apigateway", region="eu-west-1")):
        assert other.get_rest_apis()["items"] == []
        code, status, _ = refused(other.get_rest_api, restApiId=api["restApiId"])
        assert (code, status) == ("NotFoundException", 404)


def test_lists_have_pages(client):
    made = [client.create_rest_api(name=f"api-{number}")["id"] for number in range(5)]
    pages = client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 2})
    found = [[one["id"] for one in page["items"]] for page in pages]
    assert found == [made[:2], made[2:4], made[4:]]
    # A page goes on behind the last one shown, also if that is gone.
    first = client.get_rest_apis(limit=2)
    client.delete_rest_api(restApiId=made[1])
    again = client.get_rest_apis(position=first["position"])["items"]
    assert [one["id"] for one in again] == made[2:]
    assert refused(client.get_rest_apis, limit=0)[0] == "BadRequestException"
    assert refused(client.get_rest_apis, position="x")[0] == "BadRequestException"


def test_apis_that_were_made_before_their_order_was_kept_are_listed(client, engine):
    from trunkline.aws.store import Store

    made = [client.create_rest_api(name=f"api-{number}")["id"] for number in range(3)]
    store = Store(engine._core)
    prefix = "apigateway/order/000000000000/us-east-1/"
    for entry in list(store.every(prefix)):
        document = store.get(f"apigateway/api/000000000000/us-east-1/{entry['id']}")
        store.put(f"{prefix}{document['created']:020}{entry['id']}", None)
    assert list(store.every(prefix)) == []
    assert [one["id"] for one in client.get_rest_apis()["items"]] == made
    client.delete_rest_api(restApiId=made[0])
    assert [entry["id"] for entry in store.every(prefix)] == made[1:]


def test_a_patch_is_done_as_a_whole_or_not_at_all(client, api):
    patches = [patch("replace", "/name", "dogs"), patch("replace", "/nothing", "x")]
    code, status, _ = refused(
        client.update_rest_api, restApiId=api["restApiId"], patchOperations=patches
    )
    assert (code, status) == ("BadRequestException", 400)
    assert client.get_rest_api(restApiId=api["restApiId"])["name"] == "pets"


def test_keys_of_maps_are_escaped_in_paths(client, api):
    with_method(client, api)
    client.update_integration(
        **api,
        httpMethod="GET",
        patchOperations=[patch("add", "/requestTemplates/application~1json", "{}")],
    )
    told = client.get_integration(**api, httpMethod="GET")
    assert told["requestTemplates"] == {"application/json": "{}"}


def test_a_deployment_needs_methods_with_integrations(client, api):
    deploy = {"restApiId": api["restApiId"], "stageName": "dev"}
    message = "The REST API doesn't contain any methods"
    assert refused(client.create_deployment, **deploy)[2] == message
    client.put_method(**api, httpMethod="GET", authorizationType="NONE")
    assert refused(client.create_deployment, **deploy)[2] == "No integration defined for method"
    client.put_integration(**api, httpMethod="GET", type="MOCK")
    client.create_deployment(**deploy)


def test_what_is_in_use_is_not_deleted(client, api):
    with_method(client, api)
    only = {"restApiId": api["restApiId"]}
    deployment = client.create_deployment(**only, stageName="dev")["id"]
    told = refused(client.delete_deployment, **only, deploymentId=deployment)
    assert told[0] == "BadRequestException"
    authorizer = client.create_authorizer(
        **only,
        name="guard",
        type="TOKEN",
        authorizerUri=uri("lambda:path/2015-03-31/functions/arn:aws:lambda:x/invocations"),
        identitySource="method.request.header.Authorization",
    )["id"]
    patches = [
        patch("replace", "/authorizationType", "CUSTOM"),
        patch("replace", "/authorizerId", authorizer),
    ]
    client.update_method(**api, httpMethod="GET", patchOperations=patches)
    told = refused(client.delete_authorizer, **only, authorizerId=authorizer)
    assert told[:2] == ("ConflictException", 409)


@pytest.mark.parametrize(
    "given",
    [
        {"type": "HTTP", "integrationHttpMethod": "GET", "uri": "file:///etc/passwd"},
        {"type": "AWS", "integrationHttpMethod": "POST", "uri": "http://localhost"},
        {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri("sqs:path/1/q")},
        {"type": "MOCK", "timeoutInMillis": 29_001},
        {"type": "MOCK", "passthroughBehavior": "ALWAYS"},
    ],
)
def test_an_integration_that_cannot_work_is_refused(client, api, given):
    client.put_method(**api, httpMethod="GET", authorizationType="NONE")
    code, status, _ = refused(client.put_integration, **api, httpMethod="GET", **given)
    assert (code, status) == ("BadRequestException", 400)


def test_a_key_is_found_by_one_value(client):
    value = "a-value-of-twenty-chars"
    key = client.create_api_key(name="a", value=value)["id"]
    assert refused(client.create_api_key, name="b", value=value)[0] == "ConflictException"
    client.delete_api_key(apiKey=key)
    client.create_api_key(name="b", value=value)


def test_the_use_of_a_plan_is_told(client, api):
    with_method(client, api)
    client.create_deployment(restApiId=api["restApiId"], stageName="dev")
    plan = client.create_usage_plan(
        name="p",
        apiStages=[{"apiId": api["restApiId"], "stage": "dev"}],
        quota={"limit": 10, "period": "MONTH"},
    )["id"]
    key = client.create_api_key(name="a", enabled=True)["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    patches = [patch("replace", "/remaining", "4")]
    told = client.update_usage(usagePlanId=plan, keyId=key, patchOperations=patches)
    assert told["items"][key] == [[0, 4]]
    stages = [patch("remove", "/apiStages", f"{api['restApiId']}:dev")]
    assert refused(client.delete_usage_plan, usagePlanId=plan)[0] == "BadRequestException"
    client.update_usage_plan(usagePlanId=plan, patchOperations=stages)
    client.delete_usage_plan(usagePlanId=plan)


def test_domains_and_tags_are_kept(client, api):
    client.create_domain_name(domainName="api.example.com")
    mapping = {"domainName": "api.example.com", "restApiId": api["restApiId"]}
    client.create_base_path_mapping(**mapping, basePath="v1")
    items = client.get_base_path_mappings(domainName="api.example.com")["items"]
    assert items == [{"basePath": "v1", "restApiId": api["restApiId"]}]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api['restApiId']}"
    client.tag_resource(resourceArn=arn, tags={"team": "tea"})
    assert client.get_rest_api(restApiId=api["restApiId"])["tags"] == {"team": "tea"}


def test_a_model_may_not_reach_out(client, api, engine):
    """A reference that no model of the API is fails, and nothing is fetched."""
    only = {"restApiId": api["restApiId"]}
    schema = json.dumps({"$ref": "http://127.0.0.1:9/schema.json"})
    client.create_model(**only, name="Far", contentType="application/json", schema=schema)
    validator = client.create_request_validator(**only, name="v", validateRequestBody=True)["id"]
    client.put_method(
        **api,
        httpMethod="POST",
        authorizationType="NONE",
        requestValidatorId=validator,
        requestModels={"application/json": "Far"},
    )
    client.put_integration(**api, httpMethod="POST", type="MOCK")
    told = client.test_invoke_method(**api, httpMethod="POST", body="{}")
    assert told["status"] == 500
    assert "cannot be used" in told["log"]
