"""Coroutine functions that get what rules and subscriptions deliver."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any


def on_loop(function: Callable[[Any], Awaitable[object]]) -> Callable[[Any], object]:
    """A plain function that has `function` run by the running loop, and waits for it."""
    loop = asyncio.get_running_loop()

    async def run(delivered: Any) -> object:
        return await function(delivered)

    def handle(delivered: Any) -> object:
        return asyncio.run_coroutine_threadsafe(run(delivered), loop).result()

    handle.__module__ = function.__module__
    handle.__name__ = getattr(function, "__name__", type(function).__name__)
    handle.__qualname__ = getattr(function, "__qualname__", handle.__name__)
    handle.__wrapped__ = function  # type: ignore[attr-defined]
    return handle
