"""aiobotocore clients that are answered in the process: one, or all that are made meanwhile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING

from trunkline.aws.defaults import fill, region_of, with_defaults
from trunkline.aws.dispatcher import dispatcher_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from trunkline import aio
    from trunkline._core import WireDispatcher
    from trunkline.engine import Engine


@asynccontextmanager
async def aio_client(
    service: str,
    *,
    engine: Engine | aio.Engine,
    region_name: str | None = None,
    **options: Any,
) -> AsyncIterator[Any]:
    """An aiobotocore client of `engine`, for ``async with``.

    `options` go to aiobotocore as they are; a 12-digit ``aws_access_key_id`` names the account.
    Long polls take no thread and let the event loop go on.
    """
    from aiobotocore.session import AioSession

    from trunkline.aws.aio_transport import AioLocalSession

    session = AioSession()
    region = region_name or region_of(session)
    # Not entered before its HTTP session is exchanged: entering opens the one it has.
    made = await session._create_client(service, region_name=region, **with_defaults(options))
    made._endpoint.http_session = AioLocalSession(dispatcher_of(_twin(engine)))
    async with made:
        yield made


def _twin(engine: Engine | aio.Engine) -> Engine:
    # The engine of `trunkline.aio` is a wrapper around the one that fronts are kept for.
    from trunkline import aio

    return engine.sync if isinstance(engine, aio.Engine) else engine


def patch_aiobotocore(dispatcher: WireDispatcher) -> Callable[[], None]:
    """Lets `dispatcher` answer the clients that are made from now on; the result undoes it."""
    from aiobotocore.session import AioSession

    from trunkline.aws.aio_transport import AioLocalSession

    original = AioSession._create_client

    @wraps(original)
    async def create_client(session: Any, service_name: str, *args: Any, **options: Any) -> Any:
        fill(session, args, options)
        made = await original(session, service_name, *args, **options)
        made._endpoint.http_session = AioLocalSession(dispatcher)
        return made

    def undo() -> None:
        AioSession._create_client = original

    AioSession._create_client = create_client
    return undo
