"""Domain names of APIs: a host and a path lead to a stage of a REST, HTTP or WebSocket API."""

from __future__ import annotations

import json
import socket as sockets
import urllib.error
import urllib.request

import pytest
from socket_front import PATIENCE, SocketFront, read
from websockets.sync.client import connect as open_socket

HOST = "api.shop.example"
HTTP = {"DomainNameConfigurations": [{}]}


class Domain:
    """A server that is called by a domain name."""

    def __init__(self, engine, server):
        import trunkline.aws

        self.url = server.url
        self.port = int(server.url.rpartition(":")[2])
        self.events = []
        engine.function("front", self._called)
        self.http, self.rest = (
            trunkline.aws.client(name, engine=engine, region_name="us-east-1")
            for name in ("apigatewayv2", "apigateway")
        )

    def _called(self, event, context):
        self.events.append(event)
        return {"statusCode": 200, "body": "here"}

    def call(self, path, host=HOST, **headers):
        """The status and the body of an answer."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", headers={"host": host, **headers})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def http_api(self, stage="$default"):
        """An HTTP API that is reached by domain names alone."""
        made = self.http.create_api(
            Name="a",
            ProtocolType="HTTP",
            Target="arn:aws:lambda:us-east-1:000000000000:function:front",
            DisableExecuteApiEndpoint=True,
        )
        if stage != "$default":
            self.http.create_stage(ApiId=made["ApiId"], StageName=stage, AutoDeploy=True)
        return made["ApiId"]


@pytest.fixture
def domain(engine, server):
    return Domain(engine, server)


def test_a_path_of_a_domain_name_reaches_the_stage_that_it_is_mapped_to(domain):
    assert domain.call("/orders")[0] == 403
    domain.http.create_domain_name(DomainName=HOST, **HTTP)
    assert domain.call("/orders") == (403, b'{"message":"Forbidden"}')
    for key, stage in (("", "$default"), ("v2/beta", "beta")):
        domain.http.create_api_mapping(
            DomainName=HOST, ApiId=domain.http_api(stage), Stage=stage, ApiMappingKey=key
        )
    for path, stage in (
        ("/orders", "$default"),
        ("/v2/beta/orders", "beta"),
        ("/v2/betamax", "$default"),
        ("/v2/beta", "beta"),
    ):
        assert domain.call(path) == (200, b"here"), path
        event = domain.events[-1]
        assert (event["requestContext"]["stage"], event["rawPath"]) == (stage, path)
        assert event["requestContext"]["domainName"] == HOST
    assert domain.call("/orders", host="other.shop.example")[0] == 403
    domain.http.delete_domain_name(DomainName=HOST)
    assert domain.call("/orders")[0] == 403


def test_a_rest_api_lies_at_a_base_path_with_and_without_a_stage(domain):
    rest = domain.rest
    api = rest.create_rest_api(name="r", disableExecuteApiEndpoint=True)["id"]
    (root,) = rest.get_resources(restApiId=api)["items"]
    named = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
    rest.put_method(**named, authorizationType="NONE")
    rest.put_integration(
        **named, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    rest.put_method_response(**named, statusCode="200")
    template = {"application/json": '{"path": "$context.path", "stage": "$context.stage"}'}
    rest.put_integration_response(**named, statusCode="200", responseTemplates=template)
    rest.create_deployment(restApiId=api, stageName="dev")
    rest.create_domain_name(domainName=HOST)
    rest.create_base_path_mapping(domainName=HOST, restApiId=api, basePath="shop", stage="dev")
    rest.create_base_path_mapping(domainName=HOST, restApiId=api)
    for path in ("/shop/", "/dev/"):
        status, body = domain.call(path)
        assert (status, json.loads(body)) == (200, {"path": path, "stage": "dev"})
    assert domain.call(f"/_aws/execute-api/{api}/dev/", host="localhost")[0] == 403


def test_a_websocket_api_is_reached_by_a_domain_name(engine, server, domain):
    front = SocketFront(engine, server)
    front.answer = lambda event: {"statusCode": 200, "body": json.dumps(event["requestContext"])}
    front.route("$default", replies=True)
    front.gateway.create_domain_name(DomainName=HOST, **HTTP)
    front.gateway.create_api_mapping(
        DomainName=HOST, ApiId=front.api, Stage="dev", ApiMappingKey="chat"
    )
    raw = sockets.create_connection(("127.0.0.1", domain.port), timeout=PATIENCE)
    with open_socket(f"ws://{HOST}/chat", sock=raw) as socket:
        socket.send("x")
        context = read(socket)
        assert (context["apiId"], context["stage"]) == (front.api, "dev")
        path = f"/chat/@connections/{context['connectionId']}"
        assert json.loads(domain.call(path)[1])["identity"]["sourceIp"] == "127.0.0.1"
        front.connections.post_to_connection(ConnectionId=context["connectionId"], Data=b"y")
        assert socket.recv(timeout=PATIENCE) == "y"


def test_a_name_belongs_to_one_account_and_never_to_a_service(engine, domain):
    import trunkline.aws

    domain.rest.create_domain_name(domainName=HOST)
    other = trunkline.aws.client(
        "apigatewayv2",
        engine=engine,
        region_name="us-east-1",
        aws_access_key_id="111111111111",
    )
    services = ("sqs.us-east-1.amazonaws.com", "on.aws", "s3.localhost", "a.execute-api.localhost")
    machine = ("127.0.0.1", "localhost.localdomain", "host.docker.internal")
    for name in (HOST, HOST.upper(), *services, *machine):
        with pytest.raises(other.exceptions.ConflictException):
            other.create_domain_name(DomainName=name, **HTTP)


def test_a_server_keeps_its_own_names(domain):
    failed = pytest.importorskip("botocore.exceptions").ClientError
    for name in ("localhost", "127.0.0.1", "s3.localhost"):
        for create in (
            lambda name=name: domain.rest.create_domain_name(domainName=name),
            lambda name=name: domain.http.create_domain_name(DomainName=name, **HTTP),
        ):
            with pytest.raises(failed) as refused:
                create()
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 409)
    domain.http.create_domain_name(DomainName="shop.localhost", **HTTP)


def test_calls_of_services_are_not_taken_by_a_domain_name(domain, server):
    name = "queues.test"
    domain.http.create_domain_name(DomainName=name, **HTTP)
    domain.http.create_api_mapping(DomainName=name, ApiId=domain.http_api(), Stage="$default")
    assert domain.call("/", host=name) == (200, b"here")
    target = domain.call("/", host=name, x_amz_target="AmazonSQS.ListQueues")
    assert b"here" not in target[1]
    credential = "Credential=000000000000/20260101/us-east-1/s3/aws4_request"
    signed = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
    date = "20260101T000000Z"
    listed = domain.call("/", host=name, authorization=signed, x_amz_date=date)
    assert b"ListAllMyBucketsResult" in listed[1]
    assert domain.call("/_trunkline/health", host=name)[0] == 200
