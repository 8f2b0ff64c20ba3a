"""Conversion of records to Parquet and ORC, from a schema that the request has."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal

import pytest
from firehose_calls import ERRORS, create, deliver, failures, only, put
from refusals import refused

pytest.importorskip("boto3")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.usefixtures("clock")

ROW = "struct<id:bigint,name:string,at:timestamp,price:decimal(6,2),tags:array<string>>"
EVENT = {"id": 1, "name": "tea", "at": "2026-01-02T03:04:05Z", "price": 2.5, "tags": ["a"]}


@pytest.fixture
def firehose(engine, connect):
    engine.bucket("lake")
    return connect("firehose")


def conversion(row=ROW, serializer=None, deserializer=None):
    return {
        "Enabled": True,
        "SchemaConfiguration": {"DatabaseName": "d", "TableName": row},
        "InputFormatConfiguration": {"Deserializer": deserializer or {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": serializer or {"ParquetSerDe": {}}},
    }


def converting(firehose, **given):
    create(
        firehose, ErrorOutputPrefix=ERRORS, DataFormatConversionConfiguration=conversion(**given)
    )


def read_parquet(data):
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(data)).to_pylist()


def read_orc(data):
    from pyarrow import orc

    return orc.read_table(io.BytesIO(data)).to_pylist()


@pytest.mark.parametrize(
    ("serializer", "extension", "read"),
    [
        ({"ParquetSerDe": {}}, ".parquet", read_parquet),
        (
            {"ParquetSerDe": {"Compression": "GZIP", "WriterVersion": "V2"}},
            ".parquet",
            read_parquet,
        ),
        ({"OrcSerDe": {}}, ".orc", read_orc),
        ({"OrcSerDe": {"Compression": "NONE"}}, ".orc", read_orc),
    ],
)
def test_records_become_rows(engine, firehose, serializer, extension, read):
    converting(firehose, serializer=serializer)
    put(firehose, json.dumps(EVENT), json.dumps({"ID": 2}) + json.dumps({"id": "3"}))
    deliver(engine)
    key, data = only(engine)
    assert key.endswith(extension)
    first, second, third = read(data)
    assert first == {
        "id": 1,
        "name": "tea",
        "at": datetime.datetime(2026, 1, 2, 3, 4, 5),
        "price": Decimal("2.50"),
        "tags": ["a"],
    }
    assert (second["id"], second["name"], third["id"]) == (2, None, 3)


@pytest.mark.parametrize(
    "record",
    [
        b"no json",
        b"[1]",
        b"",
        b"\xff",
        b'{"id": "x"}',
        b'{"id": 9223372036854775808}',
        b'{"id": 1e400}',
        b'{"price": 123456}',
        b'{"price": NaN}',
        b'{"tags": {"a": 1}}',
        b'{"at": "yesterday"}',
        b'{"at": 1e300}',
        b'{"name": "\\ud800"}',
        b'{"name": ' + b"[" * 50_000,
    ],
)
def test_a_record_that_fits_no_row_fails_alone(engine, firehose, record):
    converting(firehose)
    put(firehose, '{"id": 1}', record, '{"id": 2}')
    deliver(engine)
    _, data = only(engine, prefix="2023/")
    assert [row["id"] for row in read_parquet(data)] == [1, 2]
    [failed] = failures(engine, "format-conversion-failed")
    assert failed["lastErrorCode"] == "DataFormatConversion.ParseError"
    assert failed["dataCatalogTable"]["tableName"] == ROW


def test_keys_are_mapped_as_the_deserializer_says(engine, firehose):
    options = {
        "ConvertDotsInJsonKeysToUnderscores": True,
        "ColumnToJsonKeyMappings": {"at": "ts"},
    }
    row = "struct<a_b:int,at:timestamp,d:date,ok:boolean,m:map<string,double>,s:struct<x:int>>"
    converting(firehose, row=row, deserializer={"OpenXJsonSerDe": options})
    event = {"a.b": 1, "TS": 1_700_000_000, "d": "2026-01-02", "ok": True, "m": {"k": 1}}
    put(firehose, json.dumps({**event, "s": {"x": 7}}))
    deliver(engine)
    [found] = read_parquet(only(engine)[1])
    assert found == {
        "a_b": 1,
        "at": datetime.datetime(2023, 11, 14, 22, 13, 20),
        "d": datetime.date(2026, 1, 2),
        "ok": True,
        "m": [("k", 1.0)],
        "s": {"x": 7},
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"row": "clicks"}, "Glue"),
        ({"row": "struct<a>"}, "no schema"),
        ({"row": "struct<a:int,a:int>"}, "no schema"),
        ({"row": "struct<a:" + "array<" * 100 + "int" + ">" * 101}, "no schema"),
        ({"row": "struct<a:decimal(40,2)>"}, "no schema"),
        ({"serializer": {"ParquetSerDe": {}, "OrcSerDe": {}}}, "exactly one"),
    ],
)
def test_a_conversion_that_cannot_work_is_refused(firehose, given, told):
    code, message = refused(converting, firehose, **given)
    assert code == "InvalidArgumentException"
    assert told in message
