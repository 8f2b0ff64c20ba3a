"""Where the rows of a pump go: destinations of the application, and pumps that read them."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from uuid import uuid4

from trunkline.aws.arns import read_resource
from trunkline.aws.invoker import InvocationFailed
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.invoker import ServiceInvoker

_BATCH = 500


class Undelivered(Exception):
    """A destination did not take rows: the pump tries again."""


def plain(value: Any) -> Any:
    """A value as JSON has it; times as the service writes them.

    >>> plain(datetime(2026, 1, 2, 3, 4))
    '2026-01-02 03:04:00.000'
    """
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def text_of(row: dict[str, Any]) -> str:
    """A row as JSON."""
    return json.dumps(row, default=plain)


def as_csv(text: str) -> str:
    """A row of JSON as a line of CSV.

    >>> as_csv('{"A": 1, "B": "x, y", "C": null}')
    '1,"x, y",\\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(json.loads(text).values())
    return out.getvalue()


class Sinks:
    """All that a pump's rows go to; takes the place of :class:`trunkline.analytics.sinks.Sink`."""

    def __init__(self, sends: Iterable[Callable[[Sequence[str]], None]]) -> None:
        self._sends = tuple(sends)

    def send(self, texts: Sequence[str], id: str) -> None:
        """Hands rows to each; raises Undelivered when one did not take them."""
        for send in self._sends:
            for start in range(0, len(texts), _BATCH):
                send(texts[start : start + _BATCH])

    def has(self, texts: Sequence[str], since: float) -> bool:
        """Nothing tells what was taken before a crash: rows are delivered at least once."""
        return False


def to_stream(core: CoreEngine, name: tuple[str, str, str]) -> Callable[[Sequence[str]], None]:
    """Puts rows into a stream, spread over its shards."""
    from trunkline._begun import begun

    def send(texts: Sequence[str]) -> None:
        stream = core.find_stream(name)
        if stream is None:
            raise Undelivered(f"the stream {name[2]} is not there")
        try:
            records: Any = [(uuid4().hex, text) for text in texts]
            begun(stream.begin_put_batch, records, None)
        except TrunklineError as error:
            raise Undelivered(str(error)) from error

    return send


def to_delivery_stream(clients: ServiceInvoker, arn: str) -> Callable[[Sequence[str]], None]:
    """Puts rows into a delivery stream of Firehose."""
    found = read_resource(arn)
    assert found is not None, "the address was read when the output was added"
    where = {"account": found.account, "region": found.region}

    def send(texts: Sequence[str]) -> None:
        records = [{"Data": text.encode()} for text in texts]
        given = {"DeliveryStreamName": found.name, "Records": records}
        try:
            clients.invoke("firehose", "PutRecordBatch", given, **where)
        except InvocationFailed as error:
            raise Undelivered(str(error)) from error

    return send


def formatted(
    send: Callable[[Sequence[str]], None], format: str
) -> Callable[[Sequence[str]], None]:
    """A destination that gets rows in its format, ``JSON`` or ``CSV``."""
    if format == "JSON":
        return send
    return lambda texts: send([as_csv(text) for text in texts])
