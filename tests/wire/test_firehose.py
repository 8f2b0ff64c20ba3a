"""Firehose: delivery streams, what is put into them, their tags and settings."""

from __future__ import annotations

import pytest
from firehose_calls import LAKE, ROLE, arn, create, deliver, objects, put, s3
from refusals import refused

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")

INVALID = "InvalidArgumentException"


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    return connect("firehose")


def describe(firehose, name="clicks"):
    answer = firehose.describe_delivery_stream(DeliveryStreamName=name)
    return answer["DeliveryStreamDescription"]


def test_a_delivery_stream_is_described_with_its_defaults(firehose):
    create(firehose)
    told = describe(firehose)
    assert told["DeliveryStreamARN"] == arn("clicks")
    assert (told["DeliveryStreamStatus"], told["DeliveryStreamType"]) == ("ACTIVE", "DirectPut")
    assert told["VersionId"] == "1"
    [destination] = told["Destinations"]
    assert destination["DestinationId"] == "destinationId-000000000001"
    told = destination["ExtendedS3DestinationDescription"]
    assert told["BufferingHints"] == {"SizeInMBs": 5, "IntervalInSeconds": 300}
    assert (told["CompressionFormat"], told["S3BackupMode"]) == ("UNCOMPRESSED", "Disabled")
    assert told["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}
    assert destination["S3DestinationDescription"]["BucketARN"] == LAKE


def test_delivery_streams_are_listed_and_deleted(firehose):
    for name in ("c", "a", "b"):
        create(firehose, name)
    page = firehose.list_delivery_streams(Limit=2)
    assert (page["DeliveryStreamNames"], page["HasMoreDeliveryStreams"]) == (["a", "b"], True)
    page = firehose.list_delivery_streams(ExclusiveStartDeliveryStreamName="b")
    assert (page["DeliveryStreamNames"], page["HasMoreDeliveryStreams"]) == (["c"], False)
    of_streams = firehose.list_delivery_streams(DeliveryStreamType="KinesisStreamAsSource")
    assert of_streams["DeliveryStreamNames"] == []
    firehose.delete_delivery_stream(DeliveryStreamName="b")
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == ["a", "c"]
    code, message = refused(firehose.delete_delivery_stream, DeliveryStreamName="b")
    assert code == "ResourceNotFoundException"
    assert message == "Firehose b under account 000000000000 not found."


def test_a_name_is_given_once(firehose):
    create(firehose)
    code, message = refused(create, firehose)
    assert code == "ResourceInUseException"
    assert message == "Firehose clicks under accountId 000000000000 already exists"


def test_a_stream_that_is_made_again_has_nothing_of_the_earlier_one(engine, firehose):
    create(firehose)
    put(firehose, "old")
    firehose.delete_delivery_stream(DeliveryStreamName="clicks")
    create(firehose)
    put(firehose, "new")
    deliver(engine)
    assert list(objects(engine).values()) == [b"new"]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Splunk", {"HECEndpoint": "x", "HECEndpointType": "Raw", "HECToken": "x"}),
        ("Elasticsearch", {"RoleARN": ROLE, "IndexName": "x"}),
        (
            "Redshift",
            {
                "RoleARN": ROLE,
                "ClusterJDBCURL": "jdbc:redshift://a.redshift.amazonaws.com:5439/d",
                "CopyCommand": {"DataTableName": "t"},
            },
        ),
    ],
)
def test_destinations_that_are_not_served_are_refused_by_name(firehose, kind, given):
    code, message = refused(
        firehose.create_delivery_stream,
        DeliveryStreamName="clicks",
        **{f"{kind}DestinationConfiguration": {**given, "S3Configuration": s3()}},
    )
    assert code == INVALID
    assert message.startswith(f"Destinations of {kind} are not served here.")


def test_a_delivery_stream_has_one_destination(firehose):
    one = "Exactly one destination configuration is supported for a Firehose"
    assert refused(firehose.create_delivery_stream, DeliveryStreamName="clicks") == (INVALID, one)
    both = {"ExtendedS3DestinationConfiguration": s3(), "S3DestinationConfiguration": s3()}
    assert refused(firehose.create_delivery_stream, DeliveryStreamName="clicks", **both)[1] == one


def test_records_have_ids_and_bounds(firehose):
    create(firehose)
    assert len(set(put(firehose, "a", "b"))) == 2
    one = firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b""})
    assert (one["Encrypted"], bool(one["RecordId"])) == (False, True)
    large = [{"Data": b"x" * 1_000_000}] * 5
    code, message = refused(firehose.put_record_batch, DeliveryStreamName="clicks", Records=large)
    assert (code, message) == (INVALID, "Records size exceeds 4 MB limit")
    most = b"x" * 1_024_000
    firehose.put_record(DeliveryStreamName="clicks", Record={"Data": most})
    code, _ = refused(
        firehose.put_record, DeliveryStreamName="clicks", Record={"Data": most + b"x"}
    )
    assert code == "ValidationException"
    missing = refused(firehose.put_record, DeliveryStreamName="none", Record={"Data": b"a"})
    assert missing[0] == "ResourceNotFoundException"


def test_tags_are_added_listed_page_by_page_and_removed(firehose):
    create(firehose)
    name = {"DeliveryStreamName": "clicks"}
    firehose.tag_delivery_stream(**name, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a"}])
    page = firehose.list_tags_for_delivery_stream(**name, Limit=1)
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "a", "Value": ""}], True)
    page = firehose.list_tags_for_delivery_stream(**name, ExclusiveStartTagKey="a")
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "b", "Value": "2"}], False)
    firehose.untag_delivery_stream(**name, TagKeys=["a", "none"])
    assert len(firehose.list_tags_for_delivery_stream(**name)["Tags"]) == 1
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(firehose.tag_delivery_stream, **name, Tags=many)[0] == "LimitExceededException"


def test_encryption_is_told(firehose):
    create(firehose)
    name = {"DeliveryStreamName": "clicks"}
    firehose.start_delivery_stream_encryption(**name)
    told = describe(firehose)["DeliveryStreamEncryptionConfiguration"]
    assert told == {"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}
    assert firehose.put_record(**name, Record={"Data": b"a"})["Encrypted"] is True
    firehose.stop_delivery_stream_encryption(**name)
    assert describe(firehose)["DeliveryStreamEncryptionConfiguration"] == {"Status": "DISABLED"}
    managed = {"KeyType": "CUSTOMER_MANAGED_CMK"}
    code, _ = refused(
        firehose.start_delivery_stream_encryption,
        **name,
        DeliveryStreamEncryptionConfigurationInput=managed,
    )
    assert code == INVALID


def update(firehose, version="1", **given):
    firehose.update_destination(
        DeliveryStreamName="clicks",
        CurrentDeliveryStreamVersionId=version,
        DestinationId="destinationId-000000000001",
        **given,
    )


def test_an_update_changes_what_it_names(engine, firehose):
    create(firehose, Prefix="a/", CompressionFormat="GZIP")
    update(firehose, ExtendedS3DestinationUpdate={"CompressionFormat": "UNCOMPRESSED"})
    told = describe(firehose)
    shown = told["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (told["VersionId"], shown["Prefix"]) == ("2", "a/")
    assert shown["CompressionFormat"] == "UNCOMPRESSED"
    put(firehose, "x")
    deliver(engine)
    [(key, data)] = objects(engine).items()
    assert data == b"x"
    assert "/clicks-2-" in key


def test_an_update_is_refused_that_is_outdated_or_of_another_kind(firehose):
    create(firehose)
    s3_update = {"ExtendedS3DestinationUpdate": {"Prefix": "a/"}}
    code, message = refused(update, firehose, "7", **s3_update)
    assert code == "ConcurrentModificationException"
    assert message == (
        "Cannot update firehose: clicks since the current version id: 1 and specified version id: "
        "7 do not match"
    )
    endpoint = {"EndpointConfiguration": {"Url": "https://example.com"}}
    code, message = refused(update, firehose, HttpEndpointDestinationUpdate=endpoint)
    assert code == INVALID
    assert message.startswith("Changing the destination type to or from HttpEndpoint")
    code, message = refused(
        firehose.update_destination,
        DeliveryStreamName="clicks",
        CurrentDeliveryStreamVersionId="1",
        DestinationId="other",
        **s3_update,
    )
    assert (code, message) == (INVALID, "Destination Id other not found")
    partitioned = {"DynamicPartitioningConfiguration": {"Enabled": True}}
    assert refused(update, firehose, ExtendedS3DestinationUpdate=partitioned)[0] == INVALID


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Prefix": "!{timestamp:yyyy}/"}, "ErrorOutputPrefix"),
        ({"Prefix": "!{firehose:error-output-type}/", "ErrorOutputPrefix": "e"}, "cannot contain"),
        ({"Prefix": "!{x", "ErrorOutputPrefix": "e"}, "The sequence !{"),
        ({"Prefix": "!{no:x}/", "ErrorOutputPrefix": "e"}, "Unknown expression"),
        ({"Prefix": "!{timestamp:b}/", "ErrorOutputPrefix": "e"}, "Invalid timestamp"),
        ({"Prefix": "x" * 600}, "512"),
        ({"ErrorOutputPrefix": "!{timestamp:yyyy}"}, "at least one instance"),
        ({"CustomTimeZone": "Mars/Base"}, "time zone"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "partition key"),
        ({"S3BackupMode": "Enabled"}, "S3BackupConfiguration"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "SchemaConfiguration"),
        ({"bucket": "arn:file:///tmp:s3:::lake"}, "not allowed"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(firehose, given, told):
    code, message = refused(create, firehose, **given)
    assert code == INVALID
    assert told in message


def test_a_delivery_stream_is_made_after_a_while_with_the_limits_of_aws(clock):
    import trunkline.aws

    with trunkline.open(clock=clock, limits=trunkline.Limits.aws()) as engine:
        firehose = trunkline.aws.client("firehose", engine=engine)
        create(firehose)
        assert describe(firehose)["DeliveryStreamStatus"] == "CREATING"
        code, _ = refused(firehose.put_record, DeliveryStreamName="clicks", Record={"Data": b"a"})
        assert code == "ResourceNotFoundException"
        clock.advance(60)
        assert describe(firehose)["DeliveryStreamStatus"] == "ACTIVE"
        put(firehose, "a")
