"""APIs for event loops: a request to one is a coroutine."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from trunkline.apis.api import Api as SyncApi
    from trunkline.apis.api import ApiAnswer, ServedApi


class Api:
    """An API of an engine; :meth:`trunkline.aio.Engine.api` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         orders = engine.queue("orders")
    ...         api = engine.api("front").route("POST /orders", orders)
    ...         return (await api.request("POST", "/orders", "tea")).status
    >>> asyncio.run(main())
    202
    """

    __slots__ = {"sync": "The same API for threads."}

    def __init__(self, api: SyncApi) -> None:
        self.sync: SyncApi = api

    @property
    def name(self) -> str:
        """The name, unique among the APIs that programs made in its account and region."""
        return self.sync.name

    @property
    def id(self) -> str:
        """The id, by which clients of API Gateway name it."""
        return self.sync.id

    @property
    def path(self) -> str:
        """Where the API lies on every server of the engine."""
        return self.sync.path

    def routes(self) -> list[str]:
        """The routes, in the order of their paths."""
        return self.sync.routes()

    def route(
        self, route: str, target: object, *, group: str | None = None, key_required: bool = False
    ) -> Api:
        """Let a method and a path lead to `target`, as :meth:`trunkline.Api.route` does.

        Not a coroutine: routes are set up once.
        """
        self.sync.route(route, target, group=group, key_required=key_required)
        return self

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        """Send a request to the API without a socket. `path` may have a query string."""
        return await asyncio.to_thread(self.sync.request, method, path, body, headers=headers)

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> ServedApi:
        """Serve HTTP from threads of this program, as :meth:`trunkline.Api.serve` does."""
        return self.sync.serve(host=host, port=port)

    async def remove(self) -> None:
        """Remove the API with its routes. What they lead to stays."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
