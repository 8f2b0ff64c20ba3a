"""How channels are kept: a document each, and a reader of the stream for what was delivered."""

from __future__ import annotations

from trunkline._core import Buckets
from trunkline.aws.arns import read_resource
from trunkline.aws.firehose.places import read_place
from trunkline.aws.kept_name import KeptName
from trunkline.aws.kinesis.errors import in_use, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

    Document = dict[str, Any]

PREFIX = "kinesis-background/channels/"
"""The start of all keys; the table of services names its first part."""


class ChannelName(KeptName):
    """Which channel.

    >>> ChannelName("000000000000", "us-east-1", "lake").arn
    'arn:aws:kinesis:us-east-1:000000000000:channel/lake'
    """

    prefix = PREFIX
    service = "kinesis"
    kind = "channel"

    @property
    def reader(self) -> str:
        """The reader of the stream by which the channel gets its records."""
        return f"channel-{self.name}"


def name_of(document: Document) -> ChannelName:
    """Which channel a document is of."""
    return ChannelName(document["account"], document["region"], document["name"])


def stream_of(document: Document) -> tuple[str, str, str]:
    """The full name of the stream of a channel."""
    account, region, name = document["stream"]
    return account, region, name


def all_of(store: Store, below: str = "") -> Iterator[Document]:
    """The channels, by their keys; those that are gone by now are removed."""
    for document in store.every(PREFIX, below):
        if _is_there(store, document):
            yield document


def of_stream(store: Store, stream: tuple[str, str, str]) -> list[Document]:
    """The channels on a stream: they are where it is."""
    owner = f"{stream[0]}/{stream[1]}/"
    return [document for document in all_of(store, owner) if stream_of(document) == stream]


def _is_there(store: Store, document: Document) -> bool:
    if "gone" not in document or store.lasts(document["gone"]):
        return True
    store.put(name_of(document).key, None)
    return False


def find(call: Call, arn: str) -> Document:
    """The channel of this resource name; the caller's right to it was checked."""
    resource = read_resource(arn)
    if resource is not None and resource.resource.startswith("channel/"):
        name = resource.resource.removeprefix("channel/")
        found = call.store.get(ChannelName(resource.account, resource.region, name).key)
        if found is not None and _is_there(call.store, found):
            return found
    raise not_found(f"Channel {arn} not found.")


def find_active(call: Call, arn: str) -> Document:
    """The same, for a channel that nothing changes at the moment."""
    document = find(call, arn)
    if (status := status_of(document, call.store)) != "ACTIVE":
        raise in_use(f"Channel {arn} not ACTIVE, instead in state {status}")
    return document


def status_of(document: Document, store: Store) -> str:
    """CREATING, UPDATING, DELETING, FAILED or ACTIVE."""
    if "gone" in document:
        return "DELETING"
    if store.lasts(document["active"]):
        return "CREATING"
    if "failed" in document:
        return "FAILED"
    return "UPDATING" if store.lasts(document.get("updated", 0)) else "ACTIVE"


def failure_of(store: Store, destination: dict[str, Any]) -> str | None:
    """Why nothing can be delivered to a destination; None if it can."""
    for name in ("StorageConfiguration", "DeadLetterQueueS3Configuration"):
        part = destination[name]
        place, owner = read_place(part["BucketARN"]), part["ExpectedBucketOwner"]
        bucket = None if place is None else Buckets(store.core).find(place.bucket)
        if bucket is None:
            return f"The bucket {part['BucketARN']} does not exist."
        if bucket.account != owner:
            return f"The bucket {part['BucketARN']} does not belong to the account {owner}."
    return None
