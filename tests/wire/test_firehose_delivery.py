"""When Firehose delivers, under which keys, and what it does to records."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile

import pytest
from firehose_calls import (
    ERRORS,
    create,
    deliver,
    failures,
    objects,
    only,
    processing,
    put,
    s3,
    until,
)

pytest.importorskip("boto3")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    return connect("firehose")


def test_a_buffer_is_delivered_after_its_interval(engine, firehose, clock):
    create(firehose, BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 60})
    put(firehose, "a\n", "b\n")
    clock.advance(30)
    put(firehose, "c\n")
    assert objects(engine) == {}
    clock.advance(31)
    until(lambda: objects(engine))
    key, data = only(engine)
    assert data == b"a\nb\nc\n"
    name = r"2023/11/14/22/clicks-1-2023-11-14-22-13-20-[0-9a-f-]{36}"
    assert re.fullmatch(name, key)


def test_a_buffer_is_delivered_once_it_is_full(engine, firehose):
    create(firehose, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    records = [bytes([65 + number]) * 300_000 for number in range(8)]
    for record in records:
        put(firehose, record)
    until(lambda: objects(engine))
    deliver(engine)
    contents = list(objects(engine).values())
    assert len(contents) > 1
    # An object ends with the record that fills it.
    assert all(len(one) < 1_048_576 + 300_000 for one in contents)
    assert sorted(b"".join(contents)) == sorted(b"".join(records))


def test_an_interval_of_zero_waits_for_nothing(engine, firehose):
    create(firehose, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    put(firehose, "a")
    until(lambda: objects(engine))
    assert only(engine)[1] == b"a"


@pytest.mark.parametrize(
    ("prefix", "zone", "expected"),
    [
        ("", "", "2023/11/14/22/"),
        ("raw/", "", "raw/2023/11/14/22/"),
        ("raw", "Asia/Tokyo", "raw2023/11/15/07/"),
        ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/", "", "y=2023/m=11/"),
        ("!{timestamp:yyyy-MM-dd'T'HH.mm.ss.SSS}/", "", "2023-11-14T22.13.20.000/"),
        ("!{timestamp:DDD}/!{timestamp:EEE}/", "America/Los_Angeles", "318/Tue/"),
        ("!{firehose:random-string}/", "", "[a-zA-Z0-9]{11}/2023/11/14/22/"),
    ],
)
def test_keys_begin_as_the_prefix_says(engine, firehose, prefix, zone, expected):
    create(firehose, Prefix=prefix, ErrorOutputPrefix=ERRORS, CustomTimeZone=zone)
    put(firehose, "a")
    deliver(engine)
    assert re.match(f"{expected}clicks-1-2023-11-1", only(engine)[0])


def _unzip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        [name] = archive.namelist()
        return archive.read(name)


def _from_hadoop(data):
    cramjam = pytest.importorskip("cramjam")
    whole, at = b"", 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        packed = int.from_bytes(data[at + 4 : at + 8], "big")
        part = bytes(cramjam.snappy.decompress_raw(data[at + 8 : at + 8 + packed]))
        assert len(part) == length
        whole, at = whole + part, at + 8 + packed
    return whole


def _from_snappy(data):
    return bytes(pytest.importorskip("cramjam").snappy.decompress(data))


@pytest.mark.parametrize(
    ("format", "extension", "read"),
    [
        ("GZIP", ".gz", gzip.decompress),
        ("ZIP", ".zip", _unzip),
        ("Snappy", ".snappy", _from_snappy),
        ("HADOOP_SNAPPY", ".snappy", _from_hadoop),
    ],
)
def test_objects_are_compressed(engine, firehose, format, extension, read):
    if "SNAPPY" in format.upper():
        pytest.importorskip("cramjam")
    create(firehose, CompressionFormat=format)
    body = b"one coffee\n" * 40_000
    put(firehose, body)
    deliver(engine)
    key, data = only(engine)
    assert key.endswith(extension)
    assert len(data) < len(body) // 4
    assert read(data) == body


def test_an_extension_takes_the_place_of_that_of_the_format(engine, firehose):
    create(firehose, CompressionFormat="GZIP", FileExtension=".json.gz")
    put(firehose, "{}")
    deliver(engine)
    assert only(engine)[0].endswith(".json.gz")


def test_a_delimiter_is_added_to_each_record(engine, firehose):
    create(firehose, ProcessingConfiguration=processing(("AppendDelimiterToRecord", {})))
    put(firehose, "a", "b")
    deliver(engine)
    assert only(engine)[1] == b"a\nb\n"


@pytest.mark.parametrize(
    ("parameters", "record", "expected"),
    [
        ({"SubRecordType": "JSON"}, '{"a":1}{"a":2}\n[{"a":3}]', b'{"a":1};{"a":2};{"a":3};'),
        ({"SubRecordType": "DELIMITED", "Delimiter": "fA=="}, "x|y||z", b"x;y;z;"),
    ],
)
def test_aggregated_records_come_apart(engine, firehose, parameters, record, expected):
    steps = ("RecordDeAggregation", parameters), ("AppendDelimiterToRecord", {"Delimiter": ";"})
    create(firehose, ProcessingConfiguration=processing(*steps))
    put(firehose, record)
    deliver(engine)
    assert only(engine)[1] == expected


def test_log_events_are_taken_out_of_their_batches(engine, firehose):
    steps = ("Decompression", {}), ("CloudWatchLogProcessing", {"DataMessageExtraction": "true"})
    create(firehose, ErrorOutputPrefix=ERRORS, ProcessingConfiguration=processing(*steps))
    batch = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": "a"}, {"message": "b"}]}
    put(firehose, gzip.compress(json.dumps(batch).encode()), "no gzip")
    deliver(engine)
    assert only(engine, prefix="2023/")[1] == b"a\nb\n"
    [failed] = failures(engine, "processing-failed")
    assert base64.b64decode(failed["rawData"]) == b"no gzip"


def _transform(event, context):
    assert event["deliveryStreamArn"].endswith(":deliverystream/clicks")
    results = {b"drop": "Dropped", b"fail": "ProcessingFailed"}
    records = []
    for record in event["records"]:
        data = base64.b64decode(record["data"])
        records.append(
            {
                "recordId": record["recordId"],
                "result": results.get(data, "Ok"),
                "data": base64.b64encode(data.upper() + b"\n").decode(),
                "metadata": {"partitionKeys": {"first": data[:1].decode()}},
            }
        )
    return {"records": [one for one in records if "bG9zdA" not in one["data"]]}


def _with_function(engine, handler):
    function = engine.function("transform", handler)
    return ("Lambda", {"LambdaArn": function.arn, "NumberOfRetries": "1"})


def test_a_function_transforms_records(engine, firehose):
    step = _with_function(engine, _transform)
    create(firehose, ErrorOutputPrefix=ERRORS, ProcessingConfiguration=processing(step))
    put(firehose, "a", "drop", "fail", "b")
    deliver(engine)
    assert only(engine, prefix="2023/")[1] == b"A\nB\n"
    [failed] = failures(engine, "processing-failed")
    assert base64.b64decode(failed["rawData"]) == b"fail"
    assert failed["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert failed["lambdaArn"].endswith(":function:transform")
    assert failed["arrivalTimestamp"] == 1_700_000_000_000


def test_a_function_that_fails_is_called_again(engine, firehose):
    calls = []

    def handler(event, context):
        calls.append(event["invocationId"])
        if len(calls) == 1:
            raise RuntimeError("not yet")
        return _transform(event, context)

    create(firehose, ProcessingConfiguration=processing(_with_function(engine, handler)))
    put(firehose, "a")
    deliver(engine)
    assert only(engine)[1] == b"A\n"
    assert len(calls) == 2
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    "answer", [None, {"records": 1}, {"records": []}, {"records": [{"recordId": []}]}, "boom"]
)
def test_records_of_a_function_that_answers_nothing_are_kept_as_failed(engine, firehose, answer):
    def handler(event, context):
        if answer == "boom":
            raise RuntimeError(answer)
        return answer

    step = _with_function(engine, handler)
    create(firehose, ErrorOutputPrefix=ERRORS, ProcessingConfiguration=processing(step))
    put(firehose, "a", "b")
    deliver(engine)
    told = failures(engine, "processing-failed")
    assert [base64.b64decode(one["rawData"]) for one in told] == [b"a", b"b"]


def test_source_records_are_backed_up_as_they_came(engine, firehose):
    engine.bucket("backup")
    step = _with_function(engine, _transform)
    create(
        firehose,
        ProcessingConfiguration=processing(step),
        S3BackupMode="Enabled",
        S3BackupConfiguration=s3("arn:aws:s3:::backup", Prefix="as-it-came/"),
    )
    put(firehose, "a", "drop")
    deliver(engine)
    assert only(engine)[1] == b"A\n"
    assert only(engine, "backup", "as-it-came/")[1] == b"adrop"
