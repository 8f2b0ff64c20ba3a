"""How delivery streams are kept: documents, and a stream of the engine for what is put into one.

That stream is in a region of its own, so that it takes no name of a Kinesis stream. It is the
buffer: a record is in it before it is acknowledged, and until it is delivered.
"""

from __future__ import annotations

from trunkline.aws.firehose.errors import missing
from trunkline.aws.kept_name import KeptName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Stream
    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

    Document = dict[str, Any]

PREFIX = "firehose/"
"""The start of all keys; the table of services names it too."""

KEY = "record"
"""The partition key of the records in a buffer."""


class DeliveryName(KeptName):
    """Which delivery stream.

    >>> DeliveryName("000000000000", "us-east-1", "clicks").arn
    'arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks'
    """

    prefix = PREFIX
    service = "firehose"
    kind = "deliverystream"

    @property
    def buffer(self) -> tuple[str, str, str]:
        """The full name of the stream that holds what was put and is not delivered."""
        return self.account, f"firehose.{self.region}", self.name


def named(call: Call, name: str) -> DeliveryName:
    """The delivery stream of this name in the account and region of the call."""
    return DeliveryName(call.account, call.region, name)


def name_of(document: Document) -> DeliveryName:
    """Which delivery stream a document is of."""
    return DeliveryName(document["account"], document["region"], document["name"])


def read(call: Call, name: str) -> Document:
    """The document of a delivery stream; raises if there is none."""
    found = call.store.get(named(call, name).key)
    if found is None:
        raise missing(name, call.account)
    return found


def status_of(document: Document, store: Store) -> str:
    """``CREATING`` for a while, then ``ACTIVE``."""
    return "CREATING" if store.lasts(document["active_at"]) else "ACTIVE"


def direct_put_id(core: CoreEngine, resource: Resource) -> int | None:
    """The id by which rules and topics deliver to a delivery stream; None if it takes nothing."""
    name = DeliveryName(resource.account, resource.region, resource.name)
    buffer = buffer_of(core, name)
    return None if buffer is None else buffer.id


def buffer_of(core: CoreEngine, name: DeliveryName) -> Stream | None:
    """The stream that holds what was put and is not delivered."""
    return core.find_stream(name.buffer)
