"""Single aiobotocore clients that are answered in the process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from trunkline.aws.defaults import region_of, with_defaults
from trunkline.aws.dispatcher import dispatcher_of
from trunkline.aws.endpoint import bind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from trunkline import aio
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
    try:
        from aiobotocore.session import AioSession
    except ModuleNotFoundError as error:
        text = "An asynchronous client is aiobotocore's: pip install aiobotocore."
        raise ModuleNotFoundError(text, name=error.name) from error

    from trunkline.aws.aio_transport import AioLocalSession

    session = AioSession()
    region = region_name or region_of(session)
    # Not entered before its HTTP session is exchanged: entering opens the one it has.
    made = await session._create_client(service, region_name=region, **with_defaults(options))
    bind(made, AioLocalSession(dispatcher_of(_twin(engine))))
    async with made:
        yield made


def _twin(engine: Engine | aio.Engine) -> Engine:
    # The engine of `trunkline.aio` is a wrapper around the one that fronts are kept for.
    from trunkline import aio

    return engine.sync if isinstance(engine, aio.Engine) else engine
