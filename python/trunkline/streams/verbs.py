"""What an engine offers of streams: the part of :class:`trunkline.Engine` that is about them."""

from __future__ import annotations

from trunkline import validation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import RLock

    from trunkline._core import Engine as CoreEngine
    from trunkline._types import Seconds
    from trunkline.limits import Limits
    from trunkline.streams.stream import Stream


class StreamVerbs:
    """The verbs of an engine that are about streams."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]
        _defining: RLock
        limits: Limits

    def stream(
        self,
        name: str,
        *,
        shards: int | None = None,
        retention: Seconds | None = None,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Stream:
        """Get the stream `name`, or create it with `shards` shards of equal width (1).

        Records are kept for `retention` seconds (86,400 to 31,536,000; 86,400).
        Options that are given are compared with an existing stream; options that are left out are
        not. ``create=False`` finds a stream and never creates one.

        Raises ResourceInUse if an option differs from the existing stream's, ResourceNotFound with
        ``create=False``, InvalidParameterValue, EngineClosed.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> stream = engine.stream("clicks", shards=4, retention=86_400)
        >>> engine.stream("clicks", shards=8)
        Traceback (most recent call last):
        trunkline.errors.ResourceInUse: A stream already exists with the same name and a different \
value for shards; leave the option out, or change the stream with resize().
        """
        from trunkline.streams.definition import get_or_create

        full_name = (*validation.owner(self._owner, account, region), name)
        return get_or_create(self, full_name, shards, retention, create)

    def streams(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Stream]:
        """The streams whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> stream = engine.stream("clicks")
        >>> engine.streams()
        [<Stream 'clicks'>]
        """
        from trunkline.streams.stream import Stream

        found = self._core.streams(
            *validation.owner(self._owner, account, region), validation.text(prefix, "prefix")
        )
        return [Stream(self, core) for core in found]
