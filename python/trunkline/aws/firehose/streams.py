"""Creating, describing, listing and deleting delivery streams."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.arns import read_resource
from trunkline.aws.firehose import destinations
from trunkline.aws.firehose.delivery.runner import runner_of
from trunkline.aws.firehose.documents import PREFIX, buffer_of, name_of, named, read, status_of
from trunkline.aws.firehose.encryption import DISABLED, enabled
from trunkline.aws.firehose.errors import exists, invalid
from trunkline.aws.firehose.registry import operations
from trunkline.aws.firehose.tags import merged
from trunkline.aws.limits import FIREHOSE_LIST_DEFAULT
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.operation import Call

_SERVED = {
    "extended_s3_destination_configuration": destinations.S3,
    "s3_destination_configuration": destinations.S3,
    "http_endpoint_destination_configuration": destinations.HTTP,
}
_REFUSED = {
    "redshift_destination_configuration": "Redshift",
    "elasticsearch_destination_configuration": "Elasticsearch",
    "amazonopensearchservice_destination_configuration": "AmazonOpenSearchService",
    "amazon_open_search_serverless_destination_configuration": "AmazonOpenSearchServerless",
    "splunk_destination_configuration": "Splunk",
    "snowflake_destination_configuration": "Snowflake",
    "iceberg_destination_configuration": "Iceberg",
}
_SOURCES = {"msk_source_configuration": "MSK", "database_source_configuration": "Database"}


def refused(kind: str) -> Exception:
    """A destination of another kind was given."""
    return invalid(
        f"Destinations of {kind} are not served here. There are: ExtendedS3, S3, HttpEndpoint."
    )


def _destination(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = [name for name in (*_SERVED, *_REFUSED) if name in given]
    if len(chosen) != 1:
        raise invalid("Exactly one destination configuration is supported for a Firehose")
    name = chosen[0]
    if name in _REFUSED:
        raise refused(_REFUSED[name])
    core, kind = call.store.core, _SERVED[name]
    if kind == destinations.HTTP:
        config = destinations.http_endpoint(core, given[name])
    else:
        config = destinations.extended_s3(core, given[name], "ExtendedS3DestinationConfiguration")
    return {"kind": kind, "config": config}


def _source(call: Call, type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    foreign = next((kind for name, kind in _SOURCES.items() if name in given), None)
    if foreign is not None or type in ("MSKAsSource", "DatabaseAsSource"):
        raise invalid(f"Sources of {foreign or type} are not served here.")
    kinesis = given.get("kinesis_stream_source_configuration")
    if type == "DirectPut":
        if kinesis is not None:
            raise invalid(
                "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type"
            )
        hint = given.get("direct_put_source_configuration")
        return {} if hint is None else {"hint": hint["ThroughputHintInMBs"]}
    if kinesis is None:
        raise invalid("KinesisSourceStreamConfig must be specified for KinesisStreamAsSource.")
    arn = kinesis["KinesisStreamARN"]
    stream = read_resource(arn)
    name = None if stream is None else (stream.account, stream.region, stream.name)
    if name is None or call.store.core.find_stream(name) is None:
        raise invalid(f"Kinesis stream {arn} does not exist.")
    # Records that come from now on are delivered, those of a restart before the first included.
    started = int(call.store.now() * 1_000)
    return {"arn": arn, "role": kinesis["RoleARN"], "started": started}


@operations.add("CreateDeliveryStream", writes=True)
def create_delivery_stream(
    call: Call,
    *,
    delivery_stream_name: str,
    delivery_stream_type: str = "DirectPut",
    delivery_stream_encryption_configuration_input: Mapping[str, Any] | None = None,
    tags: Sequence[Mapping[str, Any]] = (),
    **given: Any,
) -> dict[str, Any]:
    """Creates a delivery stream, which delivers what is put into it from now on."""
    name = named(call, delivery_stream_name)
    destination = _destination(call, given)
    source = _source(call, delivery_stream_type, given)
    encryption = delivery_stream_encryption_configuration_input
    if encryption is not None and delivery_stream_type != "DirectPut":
        raise invalid("Encryption is only applicable for DirectPut stream type.")
    now = call.store.now()
    document = {
        "account": call.account,
        "region": call.region,
        "name": delivery_stream_name,
        "number": uuid4().hex,
        "type": delivery_stream_type,
        "created": now,
        "updated": None,
        "active_at": now + call.store.seconds("stream_change_duration"),
        "version": 1,
        "source": source,
        "destination": destination,
        "encryption": DISABLED if encryption is None else enabled(encryption),
        "tags": merged({}, tags),
    }
    with call.store.lock:
        if call.store.get(name.key) is not None:
            raise exists(delivery_stream_name, call.account)
        core = call.store.core
        left = buffer_of(core, name)
        if left is not None:
            left.remove()
        if delivery_stream_type == "DirectPut":
            # What was not delivered is kept for as long as anything is.
            core.create_stream(name.buffer, 1, call.store.limit("stream_retention_max"))
        call.store.put(name.key, document)
    runner_of(call.store).start(document)
    return {"DeliveryStreamARN": name.arn}


@operations.add("DeleteDeliveryStream", writes=True)
def delete_delivery_stream(
    call: Call, *, delivery_stream_name: str, allow_force_delete: bool = False
) -> None:
    """Removes a delivery stream with what it has not delivered."""
    with call.store.lock:
        document = read(call, delivery_stream_name)
        name = name_of(document)
        call.store.put(name.key, None)
        runner_of(call.store).stop(name.key)
        buffer = buffer_of(call.store.core, name)
        if buffer is not None:
            buffer.remove()
    source = read_resource(document["source"].get("arn", ""))
    if source is not None:
        stream = call.store.core.find_stream((source.account, source.region, source.name))
        try:
            if stream is not None:
                stream.remove_reader(f"firehose-{delivery_stream_name}")
        except TrunklineError:
            # Nothing was read from it.
            return


@operations.add("DescribeDeliveryStream")
def describe_delivery_stream(
    call: Call,
    *,
    delivery_stream_name: str,
    limit: int = 1,
    exclusive_start_destination_id: str | None = None,
) -> dict[str, Any]:
    """What is known of a delivery stream."""
    document = read(call, delivery_stream_name)
    is_behind = (exclusive_start_destination_id or "") >= destinations.ID
    shown = [] if is_behind else [destinations.told(document["destination"])]
    told: dict[str, Any] = {
        "DeliveryStreamName": document["name"],
        "DeliveryStreamARN": name_of(document).arn,
        "DeliveryStreamStatus": status_of(document, call.store),
        "DeliveryStreamEncryptionConfiguration": document["encryption"],
        "DeliveryStreamType": document["type"],
        "VersionId": str(document["version"]),
        "CreateTimestamp": document["created"],
        "Destinations": shown,
        "HasMoreDestinations": False,
    }
    if document["updated"] is not None:
        told["LastUpdateTimestamp"] = document["updated"]
    source = _told_source(document)
    if source:
        told["Source"] = source
    return {"DeliveryStreamDescription": told}


def _told_source(document: Document) -> dict[str, Any]:
    source = document["source"]
    if "arn" in source:
        return {
            "KinesisStreamSourceDescription": {
                "KinesisStreamARN": source["arn"],
                "RoleARN": source["role"],
                "DeliveryStartTimestamp": source["started"] / 1_000,
            }
        }
    if "hint" in source:
        return {"DirectPutSourceDescription": {"ThroughputHintInMBs": source["hint"]}}
    return {}


@operations.add("ListDeliveryStreams")
def list_delivery_streams(
    call: Call,
    *,
    limit: int = FIREHOSE_LIST_DEFAULT,
    delivery_stream_type: str | None = None,
    exclusive_start_delivery_stream_name: str | None = None,
) -> dict[str, Any]:
    """The names of delivery streams, sorted, page by page."""
    found, following = call.store.page(
        f"{PREFIX}{call.account}/{call.region}/",
        after=exclusive_start_delivery_stream_name,
        limit=limit,
        keep=lambda document: delivery_stream_type in (None, document["type"]),
    )
    names = [document["name"] for document in found]
    return {"DeliveryStreamNames": names, "HasMoreDeliveryStreams": following is not None}
