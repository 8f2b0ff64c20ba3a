"""The encryption of delivery streams: its settings are kept and told, and encrypt nothing here."""

from __future__ import annotations

from trunkline.aws.firehose.documents import named, read, status_of
from trunkline.aws.firehose.errors import in_use, invalid
from trunkline.aws.firehose.registry import operations
from trunkline.aws.quotas import note_change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.operation import Call

DISABLED = {"Status": "DISABLED"}
OWNED = "AWS_OWNED_CMK"


def enabled(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings of an encryption that was asked for, checked."""
    told = {"KeyType": OWNED, **(given or {})}
    is_owned = told["KeyType"] == OWNED
    if is_owned and "KeyARN" in told:
        raise invalid("KeyARN must not be specified when KeyType is AWS_OWNED_CMK.")
    if not is_owned and "KeyARN" not in told:
        raise invalid("KeyARN must be specified when KeyType is CUSTOMER_MANAGED_CMK.")
    return {**told, "Status": "ENABLED"}


def _direct(call: Call, name: str) -> Document:
    document = read(call, name)
    if status_of(document, call.store) != "ACTIVE":
        raise in_use(f"Firehose {name} is not in the ACTIVE state.")
    if document["type"] != "DirectPut":
        raise invalid(
            f"This operation is not permitted on {document['type']} delivery stream type."
        )
    return document


def _note_change(call: Call, document: Document) -> None:
    change, created = "DeliveryStreamEncryption", float(document["created"])
    note_change(call, "firehose", change, document["name"], created)


@operations.add("StartDeliveryStreamEncryption", writes=True, stored_only=True)
def start_delivery_stream_encryption(
    call: Call,
    *,
    delivery_stream_name: str,
    delivery_stream_encryption_configuration_input: Mapping[str, Any] | None = None,
) -> None:
    """Notes that records are encrypted, which PutRecord tells from now on."""
    with call.store.lock:
        document = _direct(call, delivery_stream_name)
        _note_change(call, document)
        document["encryption"] = enabled(delivery_stream_encryption_configuration_input)
        call.store.put(named(call, delivery_stream_name).key, document)


@operations.add("StopDeliveryStreamEncryption", writes=True, stored_only=True)
def stop_delivery_stream_encryption(call: Call, *, delivery_stream_name: str) -> None:
    """Notes that records are encrypted no more."""
    with call.store.lock:
        document = _direct(call, delivery_stream_name)
        _note_change(call, document)
        document["encryption"] = DISABLED
        call.store.put(named(call, delivery_stream_name).key, document)
