"""A new engine that answers every client: around a function, or in a block."""

from __future__ import annotations

from contextlib import ExitStack
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

    from trunkline.engine import Engine

    Given = ParamSpec("Given")
    Result = TypeVar("Result")

_FOR_LOCAL = ("services", "passthrough")


class Mock:
    """What `mock` makes: a decorator and a context manager, which may be used again."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._for_local = {name: options.pop(name) for name in _FOR_LOCAL if name in options}
        self._options = options
        self._entered: list[ExitStack] = []

    def __enter__(self) -> Engine:
        import trunkline
        from trunkline.aws.clients import local

        with ExitStack() as stack:
            engine = stack.enter_context(trunkline.open(**self._options))
            stack.enter_context(local(engine, **self._for_local))
            self._entered.append(stack.pop_all())
        return engine

    def __exit__(self, *_: object) -> None:
        self._entered.pop().close()

    def __call__(self, function: Callable[Given, Result]) -> Callable[Given, Result]:
        """The function, with an engine of its own for each call; coroutines too."""
        again: Any
        if iscoroutinefunction(function):

            @wraps(function)
            async def again(*args: Given.args, **given: Given.kwargs) -> Any:
                with self:
                    return await function(*args, **given)
        else:

            @wraps(function)
            def again(*args: Given.args, **given: Given.kwargs) -> Result:
                with self:
                    return function(*args, **given)

        return again  # type: ignore[no-any-return]


@overload
def mock(function: Callable[Given, Result], /) -> Callable[Given, Result]: ...


@overload
def mock(**options: Any) -> Mock: ...


def mock(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """A new engine in memory that answers every boto3 client, as `local` says.

    It decorates a function, with or without options, or is a block that gives the engine. `options`
    go to `trunkline.open`, but for ``services`` and ``passthrough``, which go to `local`.

    >>> import boto3, trunkline.aws
    >>> @trunkline.aws.mock
    ... def queues():
    ...     return boto3.client("sqs").list_queues().get("QueueUrls", [])
    >>> queues()
    []
    >>> with trunkline.aws.mock(services=["sqs"]) as engine:
    ...     url = boto3.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    ...     [queue.name for queue in engine.queues()]
    ['orders']
    """
    made = Mock(options)
    return made if function is None else made(function)
