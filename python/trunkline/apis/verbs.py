"""What an engine offers of APIs: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.apis.api import Api


class ApiVerbs:
    """The verbs of an engine that are about APIs."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def api(self, name: str, *, account: str | None = None, region: str | None = None) -> Api:
        """Get the API `name`, or create it: routes over HTTP that lead to resources of the engine.

        An API is kept with its routes, and every server of the engine answers for it.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> api = engine.api("front").route("POST /orders", engine.queue("orders"))
        >>> api.routes()
        ['POST /orders']
        """
        from trunkline.apis.api import get_or_create

        owner = validation.owner(self._owner, account, region)
        self._core.check_open()
        return get_or_create(self, validation.text(name, "name"), *owner)  # type: ignore[arg-type]

    def apis(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Api]:
        """The APIs whose name starts with `prefix`, sorted by name.

        Those that clients of API Gateway made are among them; of several with one name, those that
        were made first come first.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> api = engine.api("front")
        >>> engine.apis()
        [<Api 'front'>]
        """
        from trunkline.apis.api import every

        owner = validation.owner(self._owner, account, region)
        self._core.check_open()
        return every(self, validation.text(prefix, "prefix"), *owner)  # type: ignore[arg-type]
