"""Channels: what delivers the records of a stream to a bucket. `channel_worker` says how.

A channel holds the records of one object in memory until they are due: `DataFreshnessInSeconds` of
what comes, at most 64 MiB, and then one object is written. At 10 MB a second and the default of 300
seconds that is an object each 6.7 seconds, and 64 MiB of memory a channel.
"""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.kinesis import channel_store, names
from trunkline.aws.kinesis.account import check_channels
from trunkline.aws.kinesis.channel_objects import check_template
from trunkline.aws.kinesis.channel_store import ChannelName, name_of, status_of, stream_of
from trunkline.aws.kinesis.channel_worker import LEASE_MS, runner_of
from trunkline.aws.kinesis.errors import in_use, invalid, violation
from trunkline.aws.kinesis.names import change_duration
from trunkline.aws.kinesis.queues import on_demand_stream, only_one, passes
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import CHANNEL_FRESHNESS_SECONDS, CHANNELS_PAGE
from trunkline.aws.pages import page
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.kinesis.channel_store import Document
    from trunkline.aws.operation import Call

ERRORS = "errors/"
"""What the keys of failed records begin with, unless the channel says."""


def _described(call: Call, document: Document) -> dict[str, Any]:
    status = status_of(document, call.store)
    told = {
        **_identity(document, status),
        "ServiceExecutionRoleARN": document["role"],
        "StreamConfigurationList": [
            {**_stream(document), "RecordConfiguration": document["records"]}
        ],
        "S3DestinationConfiguration": document["destination"],
        "LoggingConfiguration": {"CloudWatchLogs": document["log"]},
    }
    if document["encryption"] is not None:
        told["EncryptionConfiguration"] = document["encryption"]
    return told


def _identity(document: Document, status: str) -> dict[str, Any]:
    told = {
        "ChannelName": document["name"],
        "ChannelARN": name_of(document).arn,
        "ChannelId": document["number"],
        "ChannelStatus": status,
        "ChannelCreationTimestamp": document["created"],
    }
    return told | ({"ChannelStatusReason": document["failed"]} if status == "FAILED" else {})


def _stream(document: Document) -> dict[str, Any]:
    return {
        "StreamARN": names.stream_arn(stream_of(document)),
        "StreamCreationTimestamp": document["stream_created"],
    }


def _freshness(given: Mapping[str, Any]) -> int:
    seconds: int = given.get("DataFreshnessInSeconds", CHANNEL_FRESHNESS_SECONDS)
    if seconds < 0:
        raise invalid("DataFreshnessInSeconds must not be negative.")
    return seconds


def _destination(given: Mapping[str, Any]) -> dict[str, Any]:
    """A destination with its defaults."""
    storage = {"StorageClass": "STANDARD", **given["StorageConfiguration"]}
    if storage["StorageClass"] != "STANDARD":
        raise invalid(f"The storage class {storage['StorageClass']} is not served. Use STANDARD.")
    check_template(storage)
    own = {name: storage[name] for name in ("BucketARN", "ExpectedBucketOwner")}
    letters = {"ErrorOutputPrefix": ERRORS, **given.get("DeadLetterQueueS3Configuration", own)}
    return {
        "DataFreshnessInSeconds": _freshness(given),
        "DeadLetterQueueS3Configuration": letters,
        "StorageConfiguration": storage,
    }


def _check_records(records: Mapping[str, str]) -> None:
    if records["RecordFormatType"] == "GSR_JSON":
        raise violation("The record format GSR_JSON is supported only for streaming tables.")
    if "GSRSchemaARN" in records:
        raise invalid("Schemas of the Glue Schema Registry are not served. Leave out GSRSchemaARN.")


def _log(number: str, name: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    defaults = {
        "Enabled": False,
        "LogGroupName": f"/aws/kinesis/{name}/{number}",
        "LogStreamName": "DestinationDelivery",
    }
    return {**defaults, **(given or {}).get("CloudWatchLogs", {})}


@operations.add("CreateChannel", writes=True)
def create_channel(
    call: Call,
    *,
    channel_name: str,
    service_execution_role_arn: str,
    stream_configuration_list: Sequence[Mapping[str, Any]],
    s3_destination_configuration: Mapping[str, Any] | None = None,
    s3_tables_destination_configuration: Mapping[str, Any] | None = None,
    encryption_configuration: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    logging_configuration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Creates a channel; it is CREATING for a while, and delivers what is put from now on."""
    if (s3_destination_configuration is None) is (s3_tables_destination_configuration is None):
        raise violation(
            "Either S3DestinationConfiguration or S3TablesDestinationConfiguration must be "
            "specified, but not both."
        )
    if s3_destination_configuration is None:
        raise invalid(
            "Streaming tables of S3 Tables are not served. Specify S3DestinationConfiguration."
        )
    records = dict(only_one(stream_configuration_list)["RecordConfiguration"])
    _check_records(records)
    destination = _destination(s3_destination_configuration)
    if encryption_configuration and encryption_configuration["KeyId"].endswith("alias/aws/kinesis"):
        raise invalid("The service key aws/kinesis cannot be used for channels.")
    check_tags(tags or {}, {}, channel_name, call.account)
    name, number = ChannelName(call.account, call.region, channel_name), uuid4().hex
    now = call.store.now()
    with call.store.lock:
        stream = on_demand_stream(call, "Channels")
        known = [one["name"] for one in channel_store.all_of(call.store, _own(call))]
        if channel_name in known:
            raise in_use(f"Channel {channel_name} under account {call.account} already exists.")
        check_channels(call, len(known))
        document = {
            "account": call.account,
            "region": call.region,
            "name": channel_name,
            "number": number,
            "stream": list(stream.full_name),
            "stream_created": stream.created_at,
            "created": now,
            "active": now + change_duration(call) / 1_000,
            "role": service_execution_role_arn,
            "records": records,
            "destination": destination,
            "encryption": encryption_configuration and dict(encryption_configuration),
            "log": _log(number, channel_name, logging_configuration),
            "tags": dict(tags or {}),
        }
        failed = channel_store.failure_of(call.store, destination)
        if failed is not None:
            document["failed"] = failed
        else:
            source = call.store.core.find_stream(stream.full_name)
            assert source is not None
            source.reader(name.reader, "latest", LEASE_MS).leave()
        call.store.put(name.key, document)
    if failed is None:
        runner_of(call.store).start(document)
    return {"ChannelDescription": _described(call, document)}


def _own(call: Call) -> str:
    return f"{call.account}/{call.region}/"


@operations.add("DescribeChannel")
def describe_channel(call: Call, *, channel_arn: str) -> dict[str, Any]:
    """A channel, with its destination."""
    return {"ChannelDescription": _described(call, channel_store.find(call, channel_arn))}


@operations.add("ListChannels")
def list_channels(
    call: Call,
    *,
    stream_filter: Sequence[Mapping[str, Any]] = (),
    max_results: int = CHANNELS_PAGE,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The channels of the caller, sorted by name; those on some streams, if it names them."""
    found = [
        document
        for document in channel_store.all_of(call.store, _own(call))
        if passes(stream_filter, stream_of(document), document["stream_created"])
    ]
    name, refusal = lambda document: str(document["name"]), lambda: invalid("Invalid NextToken.")
    shown, rest = page(found, name, min(max_results, CHANNELS_PAGE), next_token, refusal)
    summaries = [
        {
            **_identity(document, status_of(document, call.store)),
            "ChannelDestinationType": "S3",
            "Streams": [_stream(document)],
        }
        for document in shown
    ]
    return {"ChannelSummaries": summaries, **rest}


@operations.add("UpdateChannel", writes=True)
def update_channel(
    call: Call,
    *,
    channel_arn: str,
    s3_destination_configuration: Mapping[str, Any] | None = None,
    s3_tables_destination_configuration: Mapping[str, Any] | None = None,
    logging_configuration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Changes how fresh data is, or where deliveries are logged; UPDATING for a while."""
    if s3_tables_destination_configuration is not None:
        raise violation("The destination of the channel is a bucket, and no streaming table.")
    if s3_destination_configuration is None and logging_configuration is None:
        raise violation("Specify S3DestinationConfiguration or LoggingConfiguration.")
    with call.store.lock:
        document = channel_store.find_active(call, channel_arn)
        if s3_destination_configuration is not None:
            seconds = _freshness(s3_destination_configuration)
            document["destination"]["DataFreshnessInSeconds"] = seconds
        if logging_configuration is not None:
            document["log"] |= logging_configuration["CloudWatchLogs"]
        document["updated"] = call.store.now() + change_duration(call) / 1_000
        call.store.put(name_of(document).key, document)
    # It looks at what it has gathered anew.
    runner_of(call.store).start(document)
    return {"ChannelDescription": _described(call, document)}


@operations.add("DeleteChannel", writes=True)
def delete_channel(call: Call, *, channel_arn: str) -> None:
    """Ends the delivery; what was not delivered is not. The channel is DELETING for a while."""
    with call.store.lock:
        document = channel_store.find(call, channel_arn)
        if "gone" in document:
            return
        name = name_of(document)
        runner_of(call.store).stop(name.key)
        duration = change_duration(call)
        document["gone"] = call.store.now() + duration / 1_000
        call.store.put(name.key, document if duration else None)
    stream = call.store.core.find_stream(stream_of(document))
    try:
        if stream is not None:
            stream.remove_reader(name.reader)
    except TrunklineError:
        # The channel failed, and read nothing.
        return


def check_no_channels(call: Call, stream: tuple[str, str, str]) -> None:
    """Raises for a stream that has channels."""
    if channel_store.of_stream(call.store, stream):
        account, _, name = stream
        raise in_use(
            f"Stream {name} under account {account} has channels. Delete them with DeleteChannel "
            "before you delete the stream."
        )
