"""Destinations of delivery streams: what is given, with defaults, checked; and how it is told."""

from __future__ import annotations

from trunkline.aws.firehose import prefixes
from trunkline.aws.firehose.conversions import check_conversion
from trunkline.aws.firehose.delivery.compression import check_compression
from trunkline.aws.firehose.errors import invalid
from trunkline.aws.firehose.places import is_allowed, read_place
from trunkline.aws.firehose.processors import check_processing
from trunkline.aws.limits import (
    FIREHOSE_BUFFER,
    FIREHOSE_CONVERSION_MBS_DEFAULT,
    FIREHOSE_PARTITIONED_MBS_MIN,
    FIREHOSE_RETRY_SECONDS_DEFAULT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine

    Config = dict[str, Any]

ID = "destinationId-000000000001"
"""The id of the one destination that a delivery stream has."""

S3, HTTP = "ExtendedS3", "HttpEndpoint"


def is_on(config: Mapping[str, Any], member: str) -> bool:
    """Whether a part of a configuration is there and enabled, which it is unless it says not."""
    part = config.get(member)
    return part is not None and bool(part.get("Enabled", True))


def plain_s3(core: CoreEngine, given: Mapping[str, Any], where: str) -> Config:
    """A destination in S3 without processing, such as one for backups."""
    config = {
        "BufferingHints": {},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
        **given,
    }
    config["BufferingHints"] = {**FIREHOSE_BUFFER, **config["BufferingHints"]}
    place = read_place(config["BucketARN"])
    if place is None:
        raise invalid(f"{where}.BucketARN {config['BucketARN']} is not in correct format.")
    if place.folder is not None and not is_allowed(core, place.folder):
        raise invalid(
            f"The folder {place.folder} is not allowed. Start the server with --firehose-folder, "
            "or name the folder in engine.delivery_stream()."
        )
    check_compression(config["CompressionFormat"])
    is_partitioned = is_on(config, "DynamicPartitioningConfiguration")
    prefixes.check(
        config.get("Prefix", ""),
        config.get("ErrorOutputPrefix"),
        is_partitioned=is_partitioned,
        is_folder=place.folder is not None,
    )
    prefixes.zone_of(config.get("CustomTimeZone", ""))
    return config


def extended_s3(core: CoreEngine, given: Mapping[str, Any], where: str) -> Config:
    """A destination in S3 with all that it may have."""
    config = {"S3BackupMode": "Disabled", **plain_s3(core, given, where)}
    hints = given.get("BufferingHints", {})
    is_partitioned = is_on(config, "DynamicPartitioningConfiguration")
    if is_on(config, "DataFormatConversionConfiguration"):
        if config["CompressionFormat"] != "UNCOMPRESSED":
            raise invalid(
                "CompressionFormat must be UNCOMPRESSED when data format conversion is enabled. "
                "Choose the compression of the serializer."
            )
        check_conversion(config["DataFormatConversionConfiguration"])
        _check_size(hints, "data format conversion")
        config["BufferingHints"].setdefault("SizeInMBs", FIREHOSE_CONVERSION_MBS_DEFAULT)
        if "SizeInMBs" not in hints:
            config["BufferingHints"]["SizeInMBs"] = FIREHOSE_CONVERSION_MBS_DEFAULT
    elif is_partitioned:
        _check_size(hints, "dynamic partitioning")
        if "SizeInMBs" not in hints:
            config["BufferingHints"]["SizeInMBs"] = FIREHOSE_PARTITIONED_MBS_MIN
    names = prefixes.Prefix(config.get("Prefix", "")).names if is_partitioned else []
    check_processing(config.get("ProcessingConfiguration"), names)
    if config["S3BackupMode"] == "Enabled":
        backup = config.get("S3BackupConfiguration")
        if backup is None:
            raise invalid("S3BackupConfiguration must be specified when S3BackupMode is Enabled.")
        config["S3BackupConfiguration"] = plain_s3(core, backup, "S3BackupConfiguration")
    return config


def _check_size(hints: Mapping[str, int], feature: str) -> None:
    if hints.get("SizeInMBs", FIREHOSE_PARTITIONED_MBS_MIN) < FIREHOSE_PARTITIONED_MBS_MIN:
        raise invalid(
            f"BufferingHints.SizeInMBs must be at least {FIREHOSE_PARTITIONED_MBS_MIN} when "
            f"{feature} is enabled."
        )


def http_endpoint(core: CoreEngine, given: Mapping[str, Any]) -> Config:
    """A destination that is an HTTP endpoint, and the bucket for what it does not take."""
    if is_on(given, "SecretsManagerConfiguration"):
        raise invalid("SecretsManagerConfiguration is not served here. Give an AccessKey.")
    config = {
        "BufferingHints": {},
        "CloudWatchLoggingOptions": {"Enabled": False},
        "RequestConfiguration": {},
        "RetryOptions": {},
        "S3BackupMode": "FailedDataOnly",
        **given,
    }
    config["BufferingHints"] = {**FIREHOSE_BUFFER, **config["BufferingHints"]}
    config["RequestConfiguration"] = {"ContentEncoding": "NONE", **config["RequestConfiguration"]}
    config["RetryOptions"] = {
        "DurationInSeconds": FIREHOSE_RETRY_SECONDS_DEFAULT,
        **config["RetryOptions"],
    }
    check_processing(config.get("ProcessingConfiguration"), [])
    config["S3Configuration"] = plain_s3(core, config["S3Configuration"], "S3Configuration")
    return config


def told(destination: Mapping[str, Any]) -> dict[str, Any]:
    """A destination as DescribeDeliveryStream tells it."""
    config = dict(destination["config"])
    if destination["kind"] == HTTP:
        endpoint = config["EndpointConfiguration"]
        # The access key stands in no answer.
        config["EndpointConfiguration"] = {
            name: endpoint[name] for name in ("Url", "Name") if name in endpoint
        }
        config["S3DestinationDescription"] = config.pop("S3Configuration")
        return {"DestinationId": ID, "HttpEndpointDestinationDescription": config}
    if "S3BackupConfiguration" in config:
        config["S3BackupDescription"] = config.pop("S3BackupConfiguration")
    plain = {name: config[name] for name in _PLAIN if name in config}
    return {
        "DestinationId": ID,
        "S3DestinationDescription": plain,
        "ExtendedS3DestinationDescription": config,
    }


_PLAIN = (
    "RoleARN",
    "BucketARN",
    "Prefix",
    "ErrorOutputPrefix",
    "BufferingHints",
    "CompressionFormat",
    "EncryptionConfiguration",
    "CloudWatchLoggingOptions",
)
