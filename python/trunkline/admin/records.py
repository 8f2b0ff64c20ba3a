"""Verbs of streams."""

from __future__ import annotations

from trunkline.admin.forms import bytes_of, check_limit, check_wait
from trunkline.admin.registry import reading
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine
    from trunkline.streams.stream import Stream

WAIT_MAX = 20
RECORDS_MAX = 10_000


def _stream(engine: Engine, name: str, account: str | None, region: str | None) -> Stream:
    return engine.stream(name, create=False, account=account, region=region)


def put_record(
    engine: Engine,
    stream: str,
    key: str,
    data: str | None = None,
    data_base64: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Put a record into a stream."""
    to = _stream(engine, stream, account, region)
    result = to.put(bytes_of(data, data_base64, "data"), key=key)
    return {"shard": result.shard, "sequence": result.sequence}


@reading
def records(
    engine: Engine,
    stream: str,
    shard: str | None = None,
    start: str | float = "earliest",
    after: str | None = None,
    max: int = 100,
    wait: float = 0,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Records of a stream in the order of their times; `after` is the sequence of the last one.

    `start` is ``earliest``, ``latest``, a sequence, or seconds since 1970.
    """
    check_wait(wait, WAIT_MAX)
    check_limit(max, RECORDS_MAX, "max")
    begin: Any = start
    if isinstance(start, (int, float)):
        from datetime import UTC, datetime

        try:
            begin = datetime.fromtimestamp(start, UTC)
        except (OSError, OverflowError, ValueError) as error:
            raise InvalidParameterValue(f"start is no time: {error}.") from error
    found = _stream(engine, stream, account, region).read(shard, begin, max, wait, after=after)
    return {"records": [record.as_dict() for record in found]}


@reading
def shards(
    engine: Engine, stream: str, account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The shards of a stream, and how far its readers are."""
    of = _stream(engine, stream, account, region)
    return {
        "shards": [{"id": one.id, "open": one.open} for one in of.shards()],
        "statistics": of.statistics().as_dict(),
    }
