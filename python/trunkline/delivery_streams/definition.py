"""What a delivery stream is given in the process, as Firehose's own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trunkline import validation
from trunkline.aws.arns import partition
from trunkline.aws.firehose.hive_types import row_of
from trunkline.aws.firehose.places import allow_folder, folder_arn
from trunkline.buckets.bucket import Bucket
from trunkline.errors import InvalidParameterValue
from trunkline.functions.function import Function
from trunkline.streams.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine

COMPRESSIONS: dict[str | None, str] = {
    None: "UNCOMPRESSED",
    "gzip": "GZIP",
    "zip": "ZIP",
    "snappy": "Snappy",
    "hadoop-snappy": "HADOOP_SNAPPY",
}
_SERIALIZERS = {"parquet": "ParquetSerDe", "orc": "OrcSerDe"}
_MBS = (1, 128)
_INTERVAL_MAX = 900
_RETRY_MAX = 7_200


def _plain(given: object) -> Any:
    return getattr(given, "sync", given)


def _check_owner(engine: Engine, resource: Any, field: str) -> None:
    if resource._engine is not engine:
        raise InvalidParameterValue(
            f"Value {resource!r} for parameter {field} is invalid. Reason: It belongs to another "
            "engine. Name a resource of this engine."
        )


def bucket_arn(engine: Engine, place: object, field: str) -> str:
    """The bucket ARN of a bucket, or of a folder, which may be written from now on."""
    plain = _plain(place)
    if isinstance(plain, Bucket):
        _check_owner(engine, plain, field)
        return plain.arn
    if isinstance(plain, str) and plain.startswith("file://"):
        plain = Path(plain.removeprefix("file://"))
    if not isinstance(plain, Path):
        raise TypeError(
            f"{field} must be a Bucket, a Path or a file:// address, not {type(place).__name__}"
        )
    folder = plain.absolute()
    if "\0" in str(folder) or ":" in folder.name or folder == folder.parent or ".." in folder.parts:
        raise InvalidParameterValue(
            f"Value {place!r} for parameter {field} is invalid. Reason: A folder needs a name "
            "without a colon, and a path without '..' and NUL."
        )
    allow_folder(engine._core, folder)
    return folder_arn(folder)


def role(owner: tuple[str, str]) -> str:
    """The role in configurations of the program, which needs none."""
    account, region = owner
    return f"arn:{partition(region)}:iam::{account}:role/program"


def _hints(options: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    if options["buffer_size"] is not None:
        found["SizeInMBs"] = validation.count(options["buffer_size"], "buffer_size", *_MBS)
    if options["buffer_interval"] is not None:
        found["IntervalInSeconds"] = validation.count(
            options["buffer_interval"], "buffer_interval", 0, _INTERVAL_MAX
        )
    return found


def _compression(name: str | None) -> str:
    if not isinstance(name, str | None) or name not in COMPRESSIONS:
        known = ", ".join(str(one) for one in COMPRESSIONS)
        raise InvalidParameterValue(
            f"Value {name!r} for parameter compression is invalid. Reason: Must be one of {known}."
        )
    return COMPRESSIONS[name]


def _processing(engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
    found: list[tuple[str, dict[str, str]]] = []
    if options["transform"] is not None:
        function = _plain(options["transform"])
        if not isinstance(function, Function):
            raise TypeError(f"transform must be a Function, not {type(function).__name__}")
        _check_owner(engine, function, "transform")
        found.append(("Lambda", {"LambdaArn": function.arn}))
    if options["partition_by"]:
        if not isinstance(options["partition_by"], Mapping):
            given = type(options["partition_by"]).__name__
            raise TypeError(f"partition_by must be a dict of queries by names, not {given}")
        members = ", ".join(f"{name}: ({query})" for name, query in options["partition_by"].items())
        query = {"MetadataExtractionQuery": f"{{{members}}}", "JsonParsingEngine": "JQ-1.6"}
        found.append(("MetadataExtraction", query))
    if validation.flag(options["newline"], "newline"):
        found.append(("AppendDelimiterToRecord", {"Delimiter": "\\n"}))
    processors = [
        {
            "Type": kind,
            "Parameters": [
                {"ParameterName": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        }
        for kind, parameters in found
    ]
    return {"Enabled": bool(processors), "Processors": processors}


def _conversion(schema: Any, format: str, owner: tuple[str, str]) -> dict[str, Any]:
    if not isinstance(format, str) or format not in _SERIALIZERS:
        raise InvalidParameterValue(
            f"Value {format!r} for parameter format is invalid. Reason: Must be parquet or orc."
        )
    try:
        row = schema if isinstance(schema, str) else row_of(schema)
    except ValueError as error:
        raise InvalidParameterValue(
            f"Value for parameter schema is invalid. Reason: {error}."
        ) from None
    names = {"DatabaseName": "program", "TableName": row, "RoleARN": role(owner)}
    return {
        "Enabled": True,
        "SchemaConfiguration": names,
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {_SERIALIZERS[format]: {}}},
    }


def _text(options: Mapping[str, Any], field: str) -> str | None:
    given = options[field]
    return None if given is None else validation.text(given, field)


def s3_configuration(
    engine: Engine, place: object, options: Mapping[str, Any], owner: tuple[str, str]
) -> dict[str, Any]:
    """An ExtendedS3DestinationConfiguration."""
    config: dict[str, Any] = {
        "RoleARN": role(owner),
        "BucketARN": bucket_arn(engine, place, "destination"),
        "BufferingHints": _hints(options),
        "CompressionFormat": _compression(options["compression"]),
        "ProcessingConfiguration": _processing(engine, options),
        "DynamicPartitioningConfiguration": {"Enabled": bool(options["partition_by"])},
    }
    texts = {
        "Prefix": _text(options, "prefix"),
        "ErrorOutputPrefix": _text(options, "error_prefix"),
        "CustomTimeZone": _text(options, "time_zone"),
    }
    config |= {name: value for name, value in texts.items() if value is not None}
    if options["schema"] is not None:
        config["DataFormatConversionConfiguration"] = _conversion(
            options["schema"], options["format"], owner
        )
    if options["backup"] is not None:
        arn = bucket_arn(engine, options["backup"], "backup")
        config["S3BackupMode"] = "Enabled"
        config["S3BackupConfiguration"] = {"RoleARN": role(owner), "BucketARN": arn}
    return config


def http_configuration(
    engine: Engine, url: str, options: Mapping[str, Any], owner: tuple[str, str]
) -> dict[str, Any]:
    """An HttpEndpointDestinationConfiguration."""
    for field in ("partition_by", "schema", "time_zone"):
        if options[field]:
            raise InvalidParameterValue(
                f"Parameter {field} is invalid. Reason: It is for buckets and folders; leave it "
                "out for an endpoint."
            )
    if options["backup"] is None:
        raise InvalidParameterValue(
            "Parameter backup is missing. Reason: An endpoint needs a bucket or a folder for the "
            "records that it does not take."
        )
    encoding = _compression(options["compression"])
    if encoding not in ("UNCOMPRESSED", "GZIP"):
        raise InvalidParameterValue(
            "Parameter compression is invalid. Reason: An endpoint takes gzip, or None."
        )
    endpoint = {"Url": url, "Name": "endpoint"}
    if options["access_key"] is not None:
        endpoint["AccessKey"] = validation.text(options["access_key"], "access_key")
    backup: dict[str, Any] = {
        "RoleARN": role(owner),
        "BucketARN": bucket_arn(engine, options["backup"], "backup"),
    }
    texts = {
        "Prefix": _text(options, "prefix"),
        "ErrorOutputPrefix": _text(options, "error_prefix"),
    }
    backup |= {name: value for name, value in texts.items() if value is not None}
    seconds = validation.count(options["retry_for"], "retry_for", 0, _RETRY_MAX)
    return {
        "EndpointConfiguration": endpoint,
        "BufferingHints": _hints(options),
        "RequestConfiguration": {"ContentEncoding": "GZIP" if encoding == "GZIP" else "NONE"},
        "RetryOptions": {"DurationInSeconds": seconds},
        "ProcessingConfiguration": _processing(engine, options),
        "S3Configuration": backup,
    }


def source_of(engine: Engine, source: object, owner: tuple[str, str]) -> dict[str, Any]:
    """A KinesisStreamSourceConfiguration."""
    from trunkline.aws.kinesis.names import stream_arn

    plain = _plain(source)
    if not isinstance(plain, Stream):
        raise TypeError(f"source must be a Stream, not {type(source).__name__}")
    _check_owner(engine, plain, "source")
    _, account, region, name = engine._core.name_of(plain._core.id) or ("", "", "", "")
    return {"KinesisStreamARN": stream_arn((account, region, name)), "RoleARN": role(owner)}
