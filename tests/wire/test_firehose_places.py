"""Partitions, buckets, folders and Kinesis streams of Firehose."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from firehose_calls import (
    ERRORS,
    ROLE,
    create,
    deliver,
    failures,
    objects,
    only,
    processing,
    put,
    s3,
)
from refusals import refused

import trunkline
from trunkline.aws.firehose.delivery.objects import NotWritten, PreparedObject, write_object
from trunkline.aws.firehose.places import Place, allow_folder

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    return connect("firehose")


def _partitioned(firehose, query, prefix, *steps):
    extraction = {"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"}
    create(
        firehose,
        Prefix=prefix,
        ErrorOutputPrefix=ERRORS,
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        ProcessingConfiguration=processing(
            ("MetadataExtraction", extraction), ("AppendDelimiterToRecord", {}), *steps
        ),
    )


def test_records_are_partitioned_by_a_query(engine, firehose):
    pytest.importorskip("jq")
    _partitioned(
        firehose,
        '{shop: .shop.id, year: (.at | strptime("%Y-%m-%d") | mktime | strftime("%Y"))}',
        "shop=!{partitionKeyFromQuery:shop}/!{partitionKeyFromQuery:year}/!{timestamp:HH}/",
    )
    events = [
        {"shop": {"id": 7}, "at": "2025-01-02", "n": 1},
        {"shop": {"id": "x"}, "at": "2025-01-02", "n": 2},
        {"shop": {"id": 7}, "at": "2025-05-02", "n": 3},
        {"shop": {}, "at": "2025-05-02", "n": 4},
    ]
    put(firehose, *(json.dumps(event) for event in events), "no json", "")
    deliver(engine)
    found = {key.rpartition("/")[0]: data for key, data in objects(engine, prefix="shop=").items()}
    assert sorted(found) == ["shop=7/2025/22", "shop=x/2025/22"]
    assert [json.loads(line)["n"] for line in found["shop=7/2025/22"].splitlines()] == [1, 3]
    told = failures(engine, "processing-failed")
    assert {one["errorCode"] for one in told} == {"DynamicPartitioning.MetadataExtractionFailed"}
    assert len(told) == 3


def _letter(record):
    return base64.b64decode(record["data"])[:1].decode()


def _first_letters(event, context):
    return {
        "records": [
            {
                **record,
                "result": "Ok",
                "metadata": {"partitionKeys": {"first": _letter(record)}},
            }
            for record in event["records"]
        ]
    }


def test_records_are_partitioned_by_a_function(engine, firehose):
    first = engine.function("first", _first_letters)
    create(
        firehose,
        Prefix="!{partitionKeyFromLambda:first}/!{timestamp:yyyy}/",
        ErrorOutputPrefix=ERRORS,
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        ProcessingConfiguration=processing(("Lambda", {"LambdaArn": first.arn})),
    )
    put(firehose, "ab", "ac", "b")
    deliver(engine)
    found = {key[:7]: data for key, data in objects(engine).items()}
    assert found == {"a/2023/": b"abac", "b/2023/": b"b"}


def test_a_partition_key_of_a_function_that_is_null_is_missing(engine, firehose):
    def keys(event, context):
        found = [json.loads(base64.b64decode(record["data"])) for record in event["records"]]
        return {
            "records": [
                {**record, "result": "Ok", "metadata": {"partitionKeys": {"k": value}}}
                for record, value in zip(event["records"], found, strict=True)
            ]
        }

    create(
        firehose,
        Prefix="p/!{partitionKeyFromLambda:k}/",
        ErrorOutputPrefix=ERRORS,
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        ProcessingConfiguration=processing(
            ("Lambda", {"LambdaArn": engine.function("keys", keys).arn})
        ),
    )
    put(firehose, "null", "true", "7", '"a"', "[1]")
    deliver(engine)
    assert sorted(key.split("/")[1] for key in objects(engine, prefix="p/")) == ["7", "a", "true"]
    told = failures(engine, "processing-failed")
    assert [one["errorCode"] for one in told] == ["DynamicPartitioning.MissingPartitionKey"] * 2


@pytest.mark.parametrize("key", ["x" * 2_000, "\u00e4" * 300, "../../up"])
def test_a_partition_key_that_is_no_part_of_a_key_harms_nothing(engine, firehose, tmp_path, key):
    pytest.importorskip("jq")
    _partitioned(firehose, "{k: .k}", "p/!{partitionKeyFromQuery:k}/")
    put(firehose, json.dumps({"k": key}), '{"k": "good"}')
    deliver(engine)
    assert list(objects(engine, prefix="p/good/").values()) == [b'{"k": "good"}\n']


@pytest.mark.parametrize("query", ["{a: (.a * 1000000000)}", "{a: (.a" + " | . + ." * 60 + ")}"])
def test_a_query_that_multiplies_its_input_harms_itself_alone(engine, firehose, query):
    pytest.importorskip("jq")
    _partitioned(firehose, query, "!{partitionKeyFromQuery:a}/")
    put(firehose, '{"a": "xxxxxxxx"}', '{"a": 0}')
    deliver(engine)
    told = failures(engine, "processing-failed")
    assert b"xxxxxxxx" in base64.b64decode(told[0]["rawData"])
    assert [data for key, data in objects(engine, prefix="0/").items()] == [b'{"a": 0}\n']


@pytest.mark.parametrize(
    "query",
    [
        "{a: env.HOME}",
        "{a: $ENV.HOME}",
        "{a: input}",
        'import "a" as a; {a: 1}',
        "def f: f; {a: f}",
        "{a: [range(1e12)]}",
        "{a: (1 | until(false; .))}",
        "{a: [recurse(.)]}",
        "{a: input_filename}",
        '{a: "\\(env)"}',
        "{a: .a",
        "{a: halt}",
    ],
)
def test_a_query_can_neither_look_around_nor_go_on_for_ever(firehose, query):
    pytest.importorskip("jq")
    code, message = refused(_partitioned, firehose, query, "!{partitionKeyFromQuery:a}/")
    assert code == "InvalidArgumentException"
    assert message.startswith("MetadataExtractionQuery")


def test_a_folder_has_the_layout_of_a_bucket(engine, firehose, tmp_path):
    allow_folder(engine._core, tmp_path)
    create(firehose, bucket=f"arn:file://{tmp_path}:s3:::lake", CompressionFormat="GZIP")
    put(firehose, "a", "b")
    deliver(engine)
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.parent == tmp_path / "lake/2023/11/14/22"
    assert gzip.decompress(file.read_bytes()) == b"ab"


@pytest.mark.parametrize("given", [{"Prefix": "x" * 256 + "/"}, {"ErrorOutputPrefix": "x" * 106}])
def test_a_prefix_that_no_folder_takes_is_refused(engine, firehose, tmp_path, given):
    allow_folder(engine._core, tmp_path)
    code, message = refused(create, firehose, bucket=f"arn:file://{tmp_path}:s3:::lake", **given)
    assert (code, "255 bytes" in message) == ("InvalidArgumentException", True)


def test_a_value_that_is_too_long_for_a_folder_fails_its_record_alone(engine, firehose, tmp_path):
    pytest.importorskip("jq")
    allow_folder(engine._core, tmp_path)
    extraction = {"MetadataExtractionQuery": "{k: .k}", "JsonParsingEngine": "JQ-1.6"}
    create(
        firehose,
        bucket=f"arn:file://{tmp_path}:s3:::lake",
        Prefix="!{partitionKeyFromQuery:k}/",
        ErrorOutputPrefix=ERRORS,
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        ProcessingConfiguration=processing(("MetadataExtraction", extraction)),
    )
    put(firehose, json.dumps({"k": "x" * 300}), '{"k": "a"}')
    deliver(engine)
    assert len(list((tmp_path / "lake/a").iterdir())) == 1
    assert len(list((tmp_path / "lake/errors/processing-failed").iterdir())) == 1


def test_a_key_never_leads_out_of_its_folder(engine, firehose, tmp_path):
    pytest.importorskip("jq")
    allow_folder(engine._core, tmp_path / "lake")
    extraction = {"MetadataExtractionQuery": "{k: .k}", "JsonParsingEngine": "JQ-1.6"}
    create(
        firehose,
        bucket=f"arn:file://{tmp_path}:s3:::lake",
        Prefix="!{partitionKeyFromQuery:k}/",
        ErrorOutputPrefix=ERRORS,
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        ProcessingConfiguration=processing(("MetadataExtraction", extraction)),
    )
    put(firehose, '{"k": "../../out"}', '{"k": "/etc"}', '{"k": "a\\u0000b"}')
    deliver(engine)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert all(path.is_relative_to(tmp_path / "lake") for path in files)


def test_a_link_below_a_folder_is_not_followed_either(engine, tmp_path):
    inside, outside = tmp_path / "lake", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "a").symlink_to(outside)
    allow_folder(engine._core, inside)
    with pytest.raises(NotWritten, match="not allowed"):
        write_object(engine._core, PreparedObject(Place("lake", inside), "a/2026/b", b"1"))
    assert not list(outside.iterdir())
    write_object(engine._core, PreparedObject(Place("lake", inside), "c/2026/b", b"1"))
    assert (inside / "c/2026/b").read_bytes() == b"1"


@pytest.mark.parametrize("key", ["a\\u0000b", "/".join(["\u4e2d" * 30] * 15)])
def test_a_record_whose_key_no_bucket_takes_lets_the_others_pass(engine, firehose, key):
    pytest.importorskip("jq")
    _partitioned(firehose, "{k: .k}", "!{partitionKeyFromQuery:k}/")
    put(firehose, f'{{"k": "{key}"}}', '{"k": "c"}')
    deliver(engine)
    [failure] = failures(engine, "processing-failed")
    assert failure["errorCode"] == "DynamicPartitioning.InvalidPrefix"
    assert len(objects(engine)) == 2


def test_a_prefix_that_can_begin_no_key_is_refused(firehose):
    for prefix in ("a\0b/", "\u4e2d" * 400):
        code, message = refused(create, firehose, Prefix=prefix)
        assert (code, "874 bytes" in message) == ("InvalidArgumentException", True)


def test_a_link_out_of_an_allowed_folder_is_not_followed(engine, firehose, tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "lake").symlink_to(outside)
    allow_folder(engine._core, inside)
    code, message = refused(create, firehose, bucket=f"arn:file://{inside}:s3:::lake")
    assert (code, "not allowed" in message) == ("InvalidArgumentException", True)


def test_records_wait_for_their_bucket(engine, firehose):
    create(firehose, bucket="arn:aws:s3:::late")
    put(firehose, "a")
    put(firehose, "b")
    engine.bucket("late")
    deliver(engine)
    assert only(engine, "late")[1] == b"ab"


def test_the_records_of_a_kinesis_stream_are_delivered(engine, firehose, connect):
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="source", ShardCount=2)
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/source"
    kinesis.put_record(StreamName="source", Data=b"before", PartitionKey="k")
    source = {"KinesisStreamARN": arn, "RoleARN": ROLE}
    engine.clock.advance(1)
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration=source,
        ExtendedS3DestinationConfiguration=s3(),
    )
    packed = "f3899ac20a02706b1a0908001a0568656c6c6f1a0908001a05776f726c64"
    aggregated = bytes.fromhex(packed + "4747b0d63591c416fdae617529bdda27")
    for number in range(20):
        kinesis.put_record(StreamName="source", Data=b"%02d," % number, PartitionKey=str(number))
    kinesis.put_record(StreamName="source", Data=aggregated, PartitionKey="k")
    deliver(engine)
    _, data = only(engine)
    assert sorted(data.replace(b"hello", b"").replace(b"world", b"").split(b",")) == sorted(
        [b"", *(b"%02d" % number for number in range(20))]
    )
    assert b"hello" in data
    assert b"world" in data
    told = firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    shown = told["DeliveryStreamDescription"]["Source"]["KinesisStreamSourceDescription"]
    assert shown["KinesisStreamARN"] == arn
    code, _ = refused(firehose.put_record, DeliveryStreamName="clicks", Record={"Data": b"a"})
    assert code == "InvalidArgumentException"


def test_what_waits_is_delivered_after_the_engine_was_opened_again(tmp_path):
    with trunkline.open(tmp_path) as engine:
        clicks = engine.delivery_stream("clicks", engine.bucket("lake"))
        clicks.put("a")
    with trunkline.open(tmp_path) as engine:
        engine.delivery_stream("clicks").flush()
        assert only(engine)[1] == b"a"
