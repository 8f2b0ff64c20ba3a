"""UpdateDestination: what is given takes the place of what was, the rest stays."""

from __future__ import annotations

from trunkline.aws.firehose import destinations
from trunkline.aws.firehose.delivery.runner import runner_of
from trunkline.aws.firehose.documents import named, read, status_of
from trunkline.aws.firehose.errors import in_use, invalid, outdated
from trunkline.aws.firehose.registry import operations
from trunkline.aws.firehose.streams import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.operation import Call

_S3, _HTTP = destinations.S3, destinations.HTTP
_UPDATES = {
    "extended_s3_destination_update": _S3,
    "s3_destination_update": _S3,
    "http_endpoint_destination_update": _HTTP,
    "redshift_destination_update": "Redshift",
    "elasticsearch_destination_update": "Elasticsearch",
    "amazonopensearchservice_destination_update": "AmazonOpenSearchService",
    "amazon_open_search_serverless_destination_update": "AmazonOpenSearchServerless",
    "splunk_destination_update": "Splunk",
    "snowflake_destination_update": "Snowflake",
    "iceberg_destination_update": "Iceberg",
}
_INSIDE = {"S3Update": "S3Configuration", "S3BackupUpdate": "S3BackupConfiguration"}
"""Members of an update that change members of another name."""


@operations.add("UpdateDestination", writes=True)
def update_destination(
    call: Call,
    *,
    delivery_stream_name: str,
    current_delivery_stream_version_id: str,
    destination_id: str,
    **given: Any,
) -> None:
    """Changes a destination. What is in the buffer is delivered as the destination is then."""
    chosen = [name for name in _UPDATES if name in given]
    if len(chosen) != 1:
        raise invalid("Exactly one destination configuration is supported for a Firehose")
    kind = _UPDATES[chosen[0]]
    with call.store.lock:
        document = read(call, delivery_stream_name)
        if status_of(document, call.store) != "ACTIVE":
            raise in_use(f"Firehose {delivery_stream_name} is not in the ACTIVE state.")
        current = document["version"]
        if current_delivery_stream_version_id != str(current):
            raise outdated(delivery_stream_name, current, current_delivery_stream_version_id)
        if destination_id != destinations.ID:
            raise invalid(f"Destination Id {destination_id} not found")
        if kind not in (_S3, _HTTP):
            raise refused(kind)
        if kind != document["destination"]["kind"]:
            raise invalid(
                f"Changing the destination type to or from {_HTTP} is not supported at this time."
            )
        config = _changed(call, kind, document["destination"]["config"], given[chosen[0]])
        replace(call, document, config)


def replace(call: Call, document: Document, config: dict[str, Any]) -> None:
    """Gives a delivery stream another configuration of its destination, which was checked."""
    document["destination"]["config"] = config
    document["version"] += 1
    document["updated"] = call.store.now()
    call.store.put(named(call, document["name"]).key, document)
    runner_of(call.store).start(document)


def _changed(
    call: Call, kind: str, current: Mapping[str, Any], update: Mapping[str, Any]
) -> dict[str, Any]:
    config = {**current}
    for member, value in update.items():
        if member in _INSIDE:
            config[_INSIDE[member]] = {**config.get(_INSIDE[member], {}), **value}
        elif member == "EndpointConfiguration":
            # An access key that is not given again stays.
            config[member] = {**config[member], **value}
        elif member == "BufferingHints":
            config[member] = {**config[member], **value}
        else:
            config[member] = value
    was = destinations.is_on(current, "DynamicPartitioningConfiguration")
    if destinations.is_on(config, "DynamicPartitioningConfiguration") != was:
        raise invalid("Dynamic partitioning cannot be enabled or disabled once a stream exists.")
    if kind == _HTTP:
        return destinations.http_endpoint(call.store.core, config)
    return destinations.extended_s3(call.store.core, config, "ExtendedS3DestinationUpdate")
