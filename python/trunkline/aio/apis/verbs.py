"""What an engine offers of APIs: the part of :class:`trunkline.aio.Engine` about them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aio.apis.api import Api
    from trunkline.engine import Engine


class ApiVerbs:
    """The verbs of an engine for asyncio that are about APIs."""

    __slots__ = ()

    if TYPE_CHECKING:
        sync: Engine

    def api(self, name: str, *, account: str | None = None, region: str | None = None) -> Api:
        """Get or create an API, as :meth:`trunkline.Engine.api` does.

        Not a coroutine: an API that exists costs no wait, and one that is created costs one sync.
        """
        from trunkline.aio.apis.api import Api

        return Api(self.sync.api(name, account=account, region=region))

    def apis(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Api]:
        """The APIs whose name starts with `prefix`, as :meth:`trunkline.Engine.apis` lists them.

        >>> import trunkline
        >>> trunkline.aio.open().apis()
        []
        """
        from trunkline.aio.apis.api import Api

        return [Api(api) for api in self.sync.apis(prefix, account=account, region=region)]
