"""A delivery stream: put records, have them delivered, and see how it stands."""

from __future__ import annotations

from trunkline._begun import begun
from trunkline._core import milliseconds
from trunkline.aws.errors import ProgramErrors
from trunkline.aws.firehose import destinations, documents
from trunkline.aws.firehose.delivery.runner import runner_of
from trunkline.aws.firehose.streams import delete_delivery_stream
from trunkline.aws.limits import FIREHOSE_RECORD_BYTES_MAX
from trunkline.errors import InvalidParameterValue, UnsupportedOperation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from trunkline._core import Stream as CoreStream
    from trunkline._types import Body, Seconds
    from trunkline.aws.operation import Call
    from trunkline.engine import Engine

_FLUSH_MS_MAX = 86_400_000
"""The longest wait for a flush, in milliseconds: a day."""


class DeliveryStream:
    """A delivery stream of an engine; :meth:`Engine.delivery_stream` makes it. Any thread may call
    every method. It is a target of rules and topics, and Firehose's clients see it, too.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> clicks = engine.delivery_stream("clicks", engine.bucket("lake"), newline=True)
    >>> clicks.put('{"page": 1}')
    >>> clicks.flush()
    >>> [stored] = engine.bucket("lake").list()
    >>> engine.bucket("lake").get(stored.key).bytes()
    b'{"page": 1}\\n'
    """

    __slots__ = ("_call", "_engine", "_name")

    def __init__(self, engine: Engine, call: Call, name: str) -> None:
        self._engine = engine
        self._call = call
        self._name = documents.named(call, name)

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self._name.name

    @property
    def arn(self) -> str:
        """The ARN, by which rules, pipes, schedules and topics name it."""
        return self._name.arn

    @property
    def _core(self) -> CoreStream:
        """The buffer, which targets are told."""
        found = documents.buffer_of(self._engine._core, self._name)
        if found is None:
            document = self._document()
            raise UnsupportedOperation(
                f"The delivery stream {self.name} has the type {document['type']}: put records "
                "into its source."
            )
        return found

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules and subscriptions name it: a stream, and its id."""
        return "stream", self._core.id

    def _document(self) -> documents.Document:
        self._engine._core.check_open()
        with ProgramErrors(InvalidParameterValue):
            return documents.read(self._call, self.name)

    @staticmethod
    def _entry(data: Body) -> tuple[str, Body]:
        """The key and the data of a record, which is not too large."""
        length = len(data.encode()) if isinstance(data, str) else memoryview(data).nbytes
        if length > FIREHOSE_RECORD_BYTES_MAX:
            raise InvalidParameterValue(
                f"Value of {length} bytes for parameter data is invalid. Reason: A record has at "
                f"most {FIREHOSE_RECORD_BYTES_MAX} bytes. Put a reference to what is large."
            )
        return documents.KEY, data

    def put(self, data: Body) -> None:
        """Put a record of at most 1,000 KiB; return once it is as durable as the engine promises.

        It is delivered at least once, also after a crash. Raises InvalidParameterValue,
        ResourceNotFound, UnsupportedOperation if the records come from a stream.
        """
        key, body = self._entry(data)
        begun(self._core.begin_put, body, key)

    def put_batch(self, records: Iterable[Body]) -> None:
        """Put records, in order, with one wait for the disk; all of them or none.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> clicks = engine.delivery_stream("clicks", engine.bucket("lake"))
        >>> clicks.put_batch(["a", "b"])
        >>> clicks.statistics()
        {'waiting': 2}
        """
        batch = [self._entry(data) for data in records]
        if batch:
            begun(self._core.begin_put_batch, batch)

    def flush(self, timeout: Seconds = 60.0) -> None:
        """Have what was put until now delivered at once; return when it is.

        Raises TimeoutError if it takes longer than `timeout` seconds: the bucket does not exist,
        or an endpoint does not answer, for example.
        """
        seconds = milliseconds(timeout, "timeout", 0, _FLUSH_MS_MAX) / 1_000
        self._document()
        if not runner_of(self._call.store).flush(self._name.key, seconds):
            raise TimeoutError(
                f"What was put into the delivery stream {self.name} was not delivered within "
                f"{seconds} seconds; the log says why."
            )

    def settings(self) -> dict[str, Any]:
        """What it was given, by the names that Firehose has."""
        told = destinations.told(self._document()["destination"])
        return next(one for name, one in reversed(told.items()) if name != "DestinationId")

    def statistics(self) -> dict[str, int]:
        """How it stands: records that are ``waiting`` to be delivered."""
        document = self._document()
        name = self._name
        if document["type"] == "DirectPut":
            stream: CoreStream | None = self._core
        else:
            from trunkline.aws.arns import read_resource

            source = read_resource(document["source"]["arn"])
            assert source is not None
            stream = self._engine._core.find_stream((source.account, source.region, source.name))
        if stream is None:
            return {"waiting": 0}
        told = stream.statistics()
        # The reader is made when the first record is looked for.
        unread = told.records if document["type"] == "DirectPut" else 0
        return {"waiting": told.readers.get(f"firehose-{name.name}", unread)}

    def remove(self) -> None:
        """Remove it with what it has not delivered. Objects and files stay."""
        with ProgramErrors(InvalidParameterValue):
            delete_delivery_stream(self._call, delivery_stream_name=self.name)

    def __repr__(self) -> str:
        return f"<DeliveryStream {self.name!r}>"
