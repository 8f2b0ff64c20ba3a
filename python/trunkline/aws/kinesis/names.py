"""Streams and their resource names."""

from __future__ import annotations

from trunkline._core import WireStream
from trunkline.aws import quotas
from trunkline.aws.arns import partition
from trunkline.aws.kinesis.errors import in_use, invalid, no_such_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.operation import Call


def stream_arn(name: tuple[str, str, str]) -> str:
    """The resource name of a stream.

    >>> stream_arn(("000000000000", "us-east-1", "clicks"))
    'arn:aws:kinesis:us-east-1:000000000000:stream/clicks'
    """
    account, region, stream = name
    return f"arn:{partition(region)}:kinesis:{region}:{account}:stream/{stream}"


def find(call: Call) -> WireStream:
    """The stream that the input names."""
    if call.target is None:
        raise invalid("Either StreamName or StreamARN must be given.")
    stream = WireStream.find(call.store.core, call.target)
    if stream is None:
        raise no_such_stream(call.target)
    return stream


def find_active(call: Call) -> WireStream:
    """The stream that the input names, which nothing changes at the moment."""
    stream = find(call)
    check_active(stream)
    return stream


def check_active(stream: WireStream) -> None:
    """Raises for a stream that is being created, changed or deleted."""
    if (status := stream.status) != "ACTIVE":
        account, _, name = stream.full_name
        raise in_use(f"Stream {name} under account {account} not ACTIVE, instead in state {status}")


def change_duration(call: Call) -> int:
    """Milliseconds that a change of a stream lasts."""
    return call.store.limit("stream_change_duration")


def updating(call: Call, stream: WireStream) -> None:
    """The stream is UPDATING for a while."""
    stream.begin_change("UPDATING", change_duration(call))


def note_change(call: Call, change: str, stream: WireStream) -> None:
    """Counts a change of which a stream may have so many in 24 hours."""
    quotas.note_change(call, "kinesis", change, stream.full_name[2], stream.created_at)
