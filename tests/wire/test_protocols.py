"""Every protocol against botocore itself: its serialiser before us, its parser behind us."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from echo_service import EchoService

from trunkline.aws import ServiceError

pytest.importorskip("boto3")

WHEN = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
TOPIC = "arn:aws:sns:us-east-1:000000000000:t"


@pytest.fixture
def echo(engine):
    return EchoService(engine)


def plain(answer):
    """An answer without what botocore adds."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_json_1_1_carries_blobs_times_and_numbers(echo):
    kinesis = echo.client("kinesis", "Kinesis_20131202")
    record = {
        "SequenceNumber": "1",
        "Data": b"\x00\xffbytes",
        "PartitionKey": "ключ",
        "ApproximateArrivalTimestamp": WHEN.timestamp(),
    }
    echo.output = {"Records": [record], "MillisBehindLatest": 0, "NextShardIterator": "n"}
    answer = kinesis.get_records(ShardIterator="i", Limit=7)
    assert echo.calls == [("kinesis", "GetRecords", {"ShardIterator": "i", "Limit": 7})]
    assert answer["Records"][0]["Data"] == b"\x00\xffbytes"
    assert answer["Records"][0]["PartitionKey"] == "ключ"
    assert answer["Records"][0]["ApproximateArrivalTimestamp"] == WHEN
    echo.output = {"SequenceNumber": "1", "ShardId": "s"}
    kinesis.put_record(StreamName="a", Data=b"\xfe\x01", PartitionKey="p")
    assert echo.calls[-1][2]["Data"] == b"\xfe\x01"


def test_recursive_unions_come_through_json(echo):
    dynamodb = echo.client("dynamodb", "DynamoDB_20120810")
    item = {
        "id": {"S": "a"},
        "deep": {"M": {"list": {"L": [{"N": "1.5"}, {"BOOL": True}, {"NULL": True}]}}},
        "raw": {"B": b"\x00"},
    }
    echo.output = {"Item": item}
    dynamodb.put_item(TableName="t", Item=item)
    assert echo.calls[-1][2]["Item"] == item
    assert plain(dynamodb.get_item(TableName="t", Key={"id": {"S": "a"}})) == {"Item": item}


def test_rest_json_binds_labels_query_headers_and_bodies(echo):
    client = echo.client("lambda")
    echo.output = {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "ExecutedVersion": "3",
        "Payload": b'{"ok":1}',
    }
    answer = client.invoke(
        FunctionName="arn:aws:lambda:us-east-1:000000000000:function:f",
        Qualifier="$LATEST",
        LogType="Tail",
        Payload=b"\x00raw",
    )
    service, operation, given = echo.calls[-1]
    assert (service, operation) == ("lambda", "Invoke")
    assert given == {
        "FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "Qualifier": "$LATEST",
        "LogType": "Tail",
        "Payload": b"\x00raw",
    }
    assert answer["Payload"].read() == b'{"ok":1}'
    assert (answer["FunctionError"], answer["ExecutedVersion"]) == ("Unhandled", "3")


def test_rest_json_reads_what_is_in_the_body(echo):
    scheduler = echo.client("scheduler")
    echo.output = {"ScheduleArn": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s"}
    target = {
        "Arn": "arn:aws:sqs:us-east-1:000000000000:q",
        "RoleArn": "arn:aws:iam::000000000000:role/r",
    }
    given = {
        "Name": "s",
        "ScheduleExpression": "rate(1 minute)",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        "Target": target,
    }
    answer = scheduler.create_schedule(StartDate=WHEN, **given)
    sent = echo.calls[-1][2]
    assert sent.pop("ClientToken")  # botocore makes one
    assert sent.pop("StartDate") == WHEN.timestamp()
    assert sent == given
    assert answer["ScheduleArn"].endswith("/s")
    echo.output = {"Schedules": [{"Name": "s", "CreationDate": WHEN.timestamp()}]}
    listed = scheduler.list_schedules(MaxResults=5, NamePrefix="a.b-c")
    assert echo.calls[-1][1:] == ("ListSchedules", {"MaxResults": 5, "NamePrefix": "a.b-c"})
    assert listed["Schedules"][0]["CreationDate"] == WHEN


def test_rest_xml_binds_paths_headers_maps_and_streams(echo):
    s3 = echo.client("s3", config=Config(s3={"addressing_style": "path"}))
    echo.output = {"ETag": '"abc"', "VersionId": "v"}
    answer = s3.put_object(
        Bucket="bucket", Key="a/b c+d.txt", Body=b"\x00\x01", Metadata={"k": "v"}, ACL="private"
    )
    service, operation, given = echo.calls[-1]
    assert (service, operation) == ("s3", "PutObject")
    assert given["Bucket"] == "bucket"
    assert given["Key"] == "a/b c+d.txt"
    assert given["Metadata"] == {"k": "v"}
    assert given["ACL"] == "private"
    assert plain(answer)["ETag"] == '"abc"'
    echo.output = {"Body": b"content", "ContentLength": 7, "LastModified": WHEN.timestamp()}
    got = s3.get_object(Bucket="bucket", Key="a/b c+d.txt", Range="bytes=0-6")
    assert echo.calls[-1][2]["Range"] == "bytes=0-6"
    assert got["Body"].read() == b"content"
    assert got["LastModified"] == WHEN


def test_rest_xml_reads_and_writes_xml_bodies(echo):
    s3 = echo.client("s3", config=Config(s3={"addressing_style": "path"}))
    objects = [{"Key": "a<&>"}, {"Key": "b"}]
    echo.output = {"Deleted": objects}
    answer = s3.delete_objects(Bucket="bucket", Delete={"Objects": objects, "Quiet": False})
    assert echo.calls[-1][2]["Delete"] == {"Objects": objects, "Quiet": False}
    assert answer["Deleted"] == objects
    echo.output = {
        "Contents": [{"Key": "k", "Size": 3, "LastModified": WHEN.timestamp()}],
        "IsTruncated": False,
        "KeyCount": 1,
        "CommonPrefixes": [{"Prefix": "p/"}],
    }
    listed = s3.list_objects_v2(Bucket="bucket", Prefix="p", MaxKeys=2)
    assert echo.calls[-1][1] == "ListObjectsV2"
    assert listed["Contents"][0]["Size"] == 3
    assert listed["Contents"][0]["LastModified"] == WHEN
    assert listed["CommonPrefixes"] == [{"Prefix": "p/"}]


def test_operations_that_differ_in_a_query_key_are_told_apart(echo):
    s3 = echo.client("s3", config=Config(s3={"addressing_style": "path"}))
    s3.list_objects(Bucket="bucket")
    s3.get_bucket_tagging(Bucket="bucket")
    s3.get_bucket_versioning(Bucket="bucket")
    s3.head_bucket(Bucket="bucket")
    s3.get_object_tagging(Bucket="bucket", Key="k")
    # An empty answer to a copy is an error to botocore.
    echo.output = {"CopyObjectResult": {"ETag": '"e"'}}
    s3.copy_object(Bucket="bucket", Key="k", CopySource="/bucket/other")
    s3.upload_part(Bucket="bucket", Key="k", UploadId="u", PartNumber=1, Body=b"part")
    rules = {"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "p/"}}]}
    s3.put_bucket_lifecycle_configuration(Bucket="bucket", LifecycleConfiguration=rules)
    assert [operation for _, operation, _ in echo.calls] == [
        "ListObjects",
        "GetBucketTagging",
        "GetBucketVersioning",
        "HeadBucket",
        "GetObjectTagging",
        "CopyObject",
        "UploadPart",
        "PutBucketLifecycleConfiguration",
    ]


def test_query_carries_lists_and_maps_both_ways(echo):
    sns = echo.client("sns")
    echo.output = {"TopicArn": "t"}
    sent = {"Attributes": {"DisplayName": "b & c"}, "Tags": [{"Key": "k", "Value": "<v>"}]}
    assert sns.create_topic(Name="t", **sent)["TopicArn"] == "t"
    assert plain(echo.calls[-1][2]) == {"Name": "t", **sent}
    echo.output = {"Attributes": {"Owner": "me", "Empty": ""}}
    assert plain(sns.get_topic_attributes(TopicArn=TOPIC)) == echo.output


def test_cbor_carries_what_botocore_writes_and_reads(echo):
    parsers = pytest.importorskip("botocore.parsers")
    from botocore.serialize import create_serializer

    try:
        serializer = create_serializer("smithy-rpc-v2-cbor")
    except KeyError:
        pytest.skip("this botocore does not speak CBOR")
    # Clients prefer JSON where a service has both, so the halves of botocore are called directly.
    cloudwatch = echo.client("cloudwatch", "GraniteServiceVersion20100801", "monitoring")
    model = cloudwatch.meta.service_model.operation_model("GetMetricStatistics")
    given = {
        "Namespace": "имя",
        "MetricName": "m",
        "StartTime": WHEN,
        "EndTime": WHEN,
        "Period": 60,
        "Dimensions": [{"Name": "a", "Value": "b" * 300}],
    }
    point = {"Timestamp": WHEN.timestamp(), "Average": 1.5, "Unit": "Count"}

    def call():
        request = serializer.serialize_to_request(given, model)
        headers = [*request["headers"].items(), ("host", "trunkline.local")]
        dispatcher = cloudwatch._endpoint.http_session._dispatcher
        status, answered, body = dispatcher.call(
            (request["method"], request["url_path"], headers, request["body"], "http://a")
        )
        answer = {"status_code": status, "headers": dict(answered), "body": body}
        return parsers.create_parser("smithy-rpc-v2-cbor").parse(answer, model.output_shape)

    echo.output = {"Label": "l", "Datapoints": [point]}
    answer = call()
    times = {"StartTime": WHEN.timestamp(), "EndTime": WHEN.timestamp()}
    assert echo.calls[-1][1:] == ("GetMetricStatistics", given | times)
    assert answer["Datapoints"] == [point | {"Timestamp": WHEN}]
    echo.failure = ServiceError("InvalidParameterValueException", "no", 400)
    assert call()["Error"]["Message"] == "no"


@pytest.mark.parametrize(
    ("service", "prefix", "call", "error"),
    [
        ("lambda", None, {"FunctionName": "f"}, "ResourceNotFoundException"),
        ("s3", None, {"Bucket": "bucket", "Key": "k"}, "NoSuchKey"),
        ("kinesis", "Kinesis_20131202", {"ShardIterator": "i"}, "ExpiredIteratorException"),
        ("sns", None, {"TopicArn": TOPIC}, "NotFoundException"),
    ],
)
def test_errors_have_the_form_of_their_protocol(echo, service, prefix, call, error):
    options = {"config": Config(s3={"addressing_style": "path"})} if service == "s3" else {}
    client = echo.client(service, prefix, **options)
    verbs = {
        "lambda": "get_function",
        "s3": "get_object",
        "kinesis": "get_records",
        "sns": "get_topic_attributes",
    }
    echo.failure = ServiceError(error, "it is not there", 404)
    with pytest.raises(ClientError) as caught:
        getattr(client, verbs[service])(**call)
    answer = caught.value.response
    assert answer["Error"]["Code"] in (error, "NotFound")
    assert answer["Error"]["Message"] == "it is not there"
    assert answer["ResponseMetadata"]["RequestId"]


def test_a_stream_may_be_sent(echo):
    s3 = echo.client("s3", config=Config(s3={"addressing_style": "path"}))
    s3.put_object(Bucket="bucket", Key="k", Body=io.BytesIO(b"x" * 100_000))
    assert b"x" * 1_000 in echo.calls[-1][2]["Body"]


def test_botocore_reads_the_event_that_the_core_writes():
    from botocore.eventstream import EventStreamBuffer

    # A test of core/wire/src/codec/event.rs writes exactly this file.
    text = (Path(__file__).parents[1] / "fixtures" / "event_stream.hex").read_text()
    buffer = EventStreamBuffer()
    buffer.add_data(bytes.fromhex(text))
    (event,) = list(buffer)
    assert event.payload == b'{"n":1}'
    headers = dict(event.headers)
    assert headers.pop("uuid") == bytes(range(16))
    assert headers == {
        ":message-type": "event",
        ":event-type": "Chunk",
        ":content-type": "application/json",
        "flag": True,
        "off": False,
        "byte": -1,
        "short": -2,
        "int": -3,
        "long": -4,
        "bytes": b"\x00\x01",
        "time": 1_000,
    }
