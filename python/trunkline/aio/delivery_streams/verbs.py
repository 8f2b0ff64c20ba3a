"""What an engine for asyncio offers of delivery streams."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aio.delivery_streams.delivery_stream import DeliveryStream
    from trunkline.delivery_streams.verbs import Place
    from trunkline.engine import Engine


class DeliveryStreamVerbs:
    """The verbs of an engine for asyncio that are about delivery streams."""

    __slots__ = ()

    if TYPE_CHECKING:
        sync: Engine

    def delivery_stream(
        self, name: str, destination: Place | None = None, **options: Any
    ) -> DeliveryStream:
        """Get, create or change a delivery stream, with the options of
        :meth:`trunkline.Engine.delivery_stream`. Not a coroutine.

        >>> import trunkline
        >>> engine = trunkline.aio.open()
        >>> engine.delivery_stream("clicks", engine.bucket("lake"), newline=True).name
        'clicks'
        """
        from trunkline.aio.delivery_streams.delivery_stream import DeliveryStream

        return DeliveryStream(self.sync.delivery_stream(name, destination, **options))

    def delivery_streams(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[DeliveryStream]:
        """The delivery streams whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().delivery_streams()
        []
        """
        from trunkline.aio.delivery_streams.delivery_stream import DeliveryStream

        found = self.sync.delivery_streams(prefix, account=account, region=region)
        return [DeliveryStream(stream) for stream in found]
