"""What an engine offers of topics: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._types import TopicDedupScope
    from trunkline.topics.topic import Topic


class TopicVerbs:
    """The verbs of an engine that are about topics."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def topic(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
        content_based_dedup: bool | None = None,
        dedup_scope: TopicDedupScope | None = None,
    ) -> Topic:
        """Get the topic `name`, or create it. A name that ends in ``.fifo`` is a FIFO topic.

        ``create=False`` finds a topic and never creates one. `account` and `region` are part of the
        name. Only a FIFO topic has `content_based_dedup`, where the SHA-256 of the body stands in
        for a missing dedup_id, and `dedup_scope`, where a dedup_id counts: in the ``"topic"`` or in
        its ``"group"``. Options that are given are compared with an existing topic.

        Raises ResourceNotFound with ``create=False``, InvalidParameterValue for a name or an option
        that is not allowed or differs from the existing topic's, EngineClosed.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.topic("orders.fifo", content_based_dedup=True).settings()["dedup_scope"]
        'topic'
        """
        from trunkline.topics.settings import by_group
        from trunkline.topics.topic import Topic

        validation.flag(create, "create")
        if content_based_dedup is not None:
            validation.flag(content_based_dedup, "content_based_dedup")
        if not isinstance(name, str):
            raise TypeError(f"a topic name must be a str, not {type(name).__name__}")
        full_name = (*validation.owner(self._owner, account, region), validation.text(name, "name"))
        core = self._core.topic(full_name, create, content_based_dedup, by_group(dedup_scope))
        if core is None:
            raise ResourceNotFound(
                f"The topic {name} does not exist; check the name, or create it first."
            )
        return Topic(self, core)  # type: ignore[arg-type]

    def topics(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Topic]:
        """The topics whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic = engine.topic("orders")
        >>> engine.topics()
        [<Topic 'orders'>]
        """
        from trunkline.topics.topic import Topic

        found = self._core.topics(
            *validation.owner(self._owner, account, region), validation.text(prefix, "prefix")
        )
        return [Topic(self, core) for core in found]  # type: ignore[arg-type]
