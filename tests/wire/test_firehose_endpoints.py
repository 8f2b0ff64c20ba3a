"""HTTP endpoints of Firehose."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from firehose_calls import deliver, failures, objects, only, put, s3, until
from http_endpoint import Endpoint

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    return connect("firehose")


def _accepts(request):
    body = request.body
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    told = json.loads(body)
    return 200, json.dumps({"requestId": told["requestId"], "timestamp": 1}).encode()


def _to_endpoint(firehose, endpoint, **given):
    options = {
        "EndpointConfiguration": {"Url": f"{endpoint.url}/in", "AccessKey": "secret"},
        "S3Configuration": s3(ErrorOutputPrefix="errors/"),
        **given,
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks", HttpEndpointDestinationConfiguration=options
    )


def test_an_endpoint_gets_the_documented_request(engine, firehose):
    with Endpoint(_accepts) as endpoint:
        common = [{"AttributeName": "env", "AttributeValue": "test"}]
        _to_endpoint(
            firehose,
            endpoint,
            RequestConfiguration={"ContentEncoding": "GZIP", "CommonAttributes": common},
        )
        put(firehose, "a", "b")
        deliver(engine)
        [request] = endpoint.got
    told = json.loads(gzip.decompress(request.body))
    assert [base64.b64decode(one["data"]) for one in told["records"]] == [b"a", b"b"]
    assert told["timestamp"] == 1_700_000_000_000
    headers = request.headers
    assert headers["x-amz-firehose-request-id"] == told["requestId"]
    assert headers["x-amz-firehose-access-key"] == "secret"
    assert headers["x-amz-firehose-protocol-version"] == "1.0"
    assert headers["x-amz-firehose-source-arn"].endswith(":deliverystream/clicks")
    assert json.loads(headers["x-amz-firehose-common-attributes"]) == {
        "commonAttributes": {"env": "test"}
    }
    assert objects(engine) == {}
    [shown] = firehose.describe_delivery_stream(DeliveryStreamName="clicks")[
        "DeliveryStreamDescription"
    ]["Destinations"]
    description = shown["HttpEndpointDestinationDescription"]
    assert "AccessKey" not in description["EndpointConfiguration"]


@pytest.mark.parametrize(
    "answer", [(500, b"busy"), (200, b"{}"), (200, b'{"requestId": "other", "timestamp": 1}')]
)
def test_an_endpoint_is_tried_again_with_the_same_request(engine, firehose, clock, answer):
    answers = [answer]
    with Endpoint(lambda request: answers.pop() if answers else _accepts(request)) as endpoint:
        _to_endpoint(firehose, endpoint, BufferingHints={"IntervalInSeconds": 0, "SizeInMBs": 1})
        put(firehose, "a")
        until(lambda: endpoint.got)
        until(lambda: clock.advance(10) or len(endpoint.got) == 2)
        deliver(engine)
        first, second = endpoint.got
    assert first.body == second.body
    assert objects(engine) == {}


def test_what_an_endpoint_does_not_take_in_time_is_backed_up(engine, firehose, clock):
    with Endpoint(lambda request: (503, b'{"errorMessage": "closed"}')) as endpoint:
        _to_endpoint(
            firehose,
            endpoint,
            BufferingHints={"IntervalInSeconds": 0, "SizeInMBs": 1},
            RetryOptions={"DurationInSeconds": 60},
        )
        put(firehose, "a")
        until(lambda: clock.advance(10) or objects(engine))
        assert len(endpoint.got) > 2
    [failed] = failures(engine, "http-endpoint-failed")
    assert base64.b64decode(failed["rawData"]) == b"a"
    assert failed["errorCode"] == "HttpEndpoint.DestinationException"
    assert "closed" in failed["errorMessage"]


def test_all_data_is_backed_up_if_that_is_wanted(engine, firehose):
    with Endpoint(_accepts) as endpoint:
        _to_endpoint(firehose, endpoint, S3BackupMode="AllData")
        put(firehose, "a", "b")
        deliver(engine)
        assert len(endpoint.got) == 1
    assert only(engine)[1] == b"ab"
