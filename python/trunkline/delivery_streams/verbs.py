"""What an engine offers of delivery streams: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any, Literal, TypeAlias

    from trunkline._core import Engine as CoreEngine
    from trunkline.aio.buckets.bucket import Bucket as AsyncBucket
    from trunkline.aio.functions.function import Function as AsyncFunction
    from trunkline.aio.streams.stream import Stream as AsyncStream
    from trunkline.aws.operation import Call
    from trunkline.buckets.bucket import Bucket
    from trunkline.delivery_streams.delivery_stream import DeliveryStream
    from trunkline.functions.function import Function
    from trunkline.streams.stream import Stream

    Place: TypeAlias = Bucket | AsyncBucket | Path | str


class DeliveryStreamVerbs:
    """The verbs of an engine that are about delivery streams."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def delivery_stream(
        self,
        name: str,
        destination: Place | None = None,
        *,
        source: Stream | AsyncStream | None = None,
        prefix: str | None = None,
        error_prefix: str | None = None,
        time_zone: str | None = None,
        buffer_size: int | None = None,
        buffer_interval: int | None = None,
        compression: Literal["gzip", "zip", "snappy", "hadoop-snappy"] | None = None,
        newline: bool = False,
        transform: Function | AsyncFunction | None = None,
        partition_by: Mapping[str, str] | None = None,
        schema: object = None,
        format: Literal["parquet", "orc"] = "parquet",
        backup: Place | None = None,
        access_key: str | None = None,
        retry_for: int = 300,
        account: str | None = None,
        region: str | None = None,
    ) -> DeliveryStream:
        """Have records delivered to `destination`, as Amazon Data Firehose does.

        `destination` is a bucket, a folder (a Path or a ``file://`` address; objects become files
        below it) or the address of an HTTP endpoint. Without one, the delivery stream that has
        this name already is returned. Naming one again changes its destination and options.

        - `source`: a stream whose records are delivered, those that come from now on; without
          one, records are put.
        - `prefix`, `error_prefix`: what keys start with, with Firehose's expressions, such as
          ``year=!{timestamp:yyyy}/``; `time_zone` is that of their times (UTC).
        - `buffer_size`, `buffer_interval`: how many MiB, or seconds of the engine's clock, are
          gathered (5 and 300; 64 and 128 MiB at least where records are partitioned or converted).
        - `compression` of objects; `newline`: end each record with a line feed.
        - `transform`: a function that gets Firehose's event and returns its records.
        - `partition_by`: queries of jq by the names of partition keys, for the prefix.
        - `schema`: convert records of JSON to `format`: a schema of pyarrow, or Hive's type of a
          row, ``struct<id:bigint,name:string>``.
        - `backup`: where records are kept as they came; for an endpoint, those it does not take.
        - `access_key`, `retry_for`: of an endpoint, and for how many seconds it is tried again.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> clicks = engine.delivery_stream("clicks", engine.bucket("lake"), compression="gzip")
        >>> clicks.settings()["CompressionFormat"]
        'GZIP'
        >>> engine.delivery_stream("clicks").arn
        'arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks'
        """
        from trunkline.delivery_streams.delivery_stream import DeliveryStream

        options = {key: value for key, value in locals().items() if key not in _NO_OPTIONS}
        call = self._firehose(account, region)
        if not _is_name(validation.text(name, "name")):
            raise InvalidParameterValue(
                f"Value {name!r} for parameter name is invalid. Reason: A name has 1 to 64 "
                "letters, digits, dots, hyphens and underscores."
            )
        if destination is None:
            found = DeliveryStream(self, call, name)  # type: ignore[arg-type]
            found._document()
            _resume(call, name)
            return found
        _put(self, call, name, destination, source, options)
        return DeliveryStream(self, call, name)  # type: ignore[arg-type]

    def delivery_streams(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[DeliveryStream]:
        """The delivery streams whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> clicks = engine.delivery_stream("clicks", engine.bucket("lake"))
        >>> engine.delivery_streams()
        [<DeliveryStream 'clicks'>]
        """
        from trunkline.aws.firehose.documents import PREFIX
        from trunkline.delivery_streams.delivery_stream import DeliveryStream

        call = self._firehose(account, region)
        validation.text(prefix, "prefix")
        return [
            DeliveryStream(self, call, document["name"])  # type: ignore[arg-type]
            for document in call.store.every(f"{PREFIX}{call.account}/{call.region}/", prefix)
        ]

    def _firehose(self, account: str | None, region: str | None) -> Call:
        from trunkline.aws.operation import Call
        from trunkline.aws.store import Store

        self._core.check_open()
        owner = validation.owner(self._owner, account, region)
        return Call(Store(self._core), *owner, None, "", "")


def _is_name(name: str) -> bool:
    # Imported here: `import trunkline` does without it.
    import re

    return re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) is not None


_NO_OPTIONS = frozenset(
    ["self", "name", "destination", "source", "account", "region", "DeliveryStream"]
)


def _resume(call: Call, name: str) -> None:
    """Lets a delivery stream go on that an earlier opening left."""
    from trunkline.aws.firehose import documents
    from trunkline.aws.firehose.delivery.runner import runner_of

    runner_of(call.store).start(documents.read(call, name))


def _put(
    engine: Any, call: Call, name: str, destination: object, source: object, options: dict[str, Any]
) -> None:
    """Creates a delivery stream, or changes the one that there is."""
    from trunkline.aws.errors import ProgramErrors
    from trunkline.aws.firehose import destinations, documents, streams, updates
    from trunkline.delivery_streams import definition

    owner = (call.account, call.region)
    is_http = isinstance(destination, str) and destination.startswith(("http://", "https://"))
    kind = destinations.HTTP if is_http else destinations.S3
    type = "DirectPut" if source is None else "KinesisStreamAsSource"
    given: dict[str, Any] = {}
    if source is not None:
        given["kinesis_stream_source_configuration"] = definition.source_of(engine, source, owner)
    with ProgramErrors(InvalidParameterValue):
        if is_http:
            config = definition.http_configuration(engine, str(destination), options, owner)
            whole = destinations.http_endpoint(call.store.core, config)
            given["http_endpoint_destination_configuration"] = config
        else:
            config = definition.s3_configuration(engine, destination, options, owner)
            whole = destinations.extended_s3(call.store.core, config, "destination")
            given["extended_s3_destination_configuration"] = config
        there = call.store.get(documents.named(call, name).key)
        if there is None:
            streams.create_delivery_stream(
                call, delivery_stream_name=name, delivery_stream_type=type, **given
            )
        elif (there["type"], there["destination"]["kind"]) != (type, kind):
            raise InvalidParameterValue(
                f"The delivery stream {name} has the type {there['type']} and the destination "
                f"{there['destination']['kind']}, which cannot be changed; remove it first."
            )
        elif there["destination"]["config"] != whole:
            updates.replace(call, there, whole)
        else:
            _resume(call, name)
    call.store.flush()
