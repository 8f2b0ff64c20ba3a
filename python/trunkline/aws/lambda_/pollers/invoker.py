"""Calls a function with a batch of records, and tells what of the batch it could not handle."""

from __future__ import annotations

import asyncio
import json

from trunkline.aws.errors import ServiceError
from trunkline.aws.lambda_.documents import key_of, version_called
from trunkline.errors import TooManyRequests
from trunkline.functions.names import LATEST
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from trunkline.aws.store import Store
    from trunkline.functions.active import ActiveFunction
    from trunkline.functions.invocation import Outcome
    from trunkline.functions.names import FunctionName
    from trunkline.functions.registry import Functions

    Result = TypeVar("Result")
    Record = dict[str, Any]

BATCH_BYTES_MAX = 6_000_000
"""The largest event of one batch: Lambda's 6 MB."""

LOOK_SECONDS = 0.1
"""How often is looked for a function that is not there, or that runs as often as it may."""


class Invoker:
    """Calls the function of one mapping."""

    def __init__(
        self,
        store: Store,
        name: FunctionName,
        qualifier: str | None,
        is_current: Callable[[], bool],
    ) -> None:
        self.is_current = is_current
        """Whether the mapping is still there, as it was begun."""
        self._store = store
        self._name = name
        self._qualifier = qualifier
        self.request_id: str = ""
        """The id of the last request."""

    @property
    def arn(self) -> str:
        """The ARN of the function, as the mapping names it."""
        return self._name.arn if self._qualifier is None else f"{self._name.arn}:{self._qualifier}"

    @property
    def functions(self) -> Functions:
        """The functions of the engine."""
        return functions_of(self._store.core)

    def find(self) -> ActiveFunction | None:
        """The function, once it can be called."""
        return self.functions.find(self._name)

    async def wait_for_function(self, stop: asyncio.Event) -> ActiveFunction | None:
        """The function; None if the mapping was stopped before there was one."""
        while not stop.is_set():
            # A closed engine has no functions, and will have none.
            self._store.core.check_open()
            found = self.find()
            if found is not None:
                return found
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def call(self, event: dict[str, Any]) -> Outcome | None:
        """The outcome of one invocation; None if it cannot be called now: it runs as often as it
        may, or what the mapping names of it is gone."""
        function = self.find()
        if function is None:
            return None
        version = self._version()
        if version is None:
            return None
        invocation = function.invocation(
            json.dumps(event, ensure_ascii=False).encode(),
            qualifier=self._qualifier,
            version=version,
        )
        self.request_id = invocation.request_id
        try:
            return await in_thread(self.functions.threads.run, lambda: function.invoke(invocation))
        except TooManyRequests:
            return None

    def _version(self) -> str | None:
        """The version that the mapping calls now; None if it, or its alias, was removed."""
        if self._qualifier is None:
            return LATEST
        document = self._store.get(key_of(self._name))
        if document is None:
            return LATEST if self._qualifier == LATEST else None
        try:
            return version_called(document, self._qualifier)
        except ServiceError:
            return None


async def in_thread(
    run: Callable[[Callable[[], None]], None], function: Callable[[], Result]
) -> Result:
    """What `function` returns, which `run` has called in a thread."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(set_value: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            set_value(value)

    def task() -> None:
        try:
            value = function()
        except BaseException as error:
            told: tuple[Any, Any] = (future.set_exception, error)
        else:
            told = (future.set_result, value)
        try:
            loop.call_soon_threadsafe(settle, *told)
        except RuntimeError:
            # The loop was closed: nothing waits any more.
            return

    run(task)
    return await future


def parts_of(records: Sequence[Record]) -> list[list[Record]]:
    """Records in parts that one event can hold."""
    parts: list[list[Record]] = []
    size = BATCH_BYTES_MAX
    for record in records:
        own = len(json.dumps(record))
        if size + own > BATCH_BYTES_MAX:
            parts.append([])
            size = 0
        parts[-1].append(record)
        size += own
    return parts


def failed_items(payload: bytes, known: Sequence[str]) -> set[str] | None:
    """The items that an answer names as failed; None if that says that all of them are.

    >>> failed_items(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', ["a", "b"])
    {'b'}
    >>> failed_items(b'null', ["a"]), failed_items(b'{"batchItemFailures": [{}]}', ["a"])
    (set(), None)
    """
    try:
        told = json.loads(payload or b"null")
    except ValueError:
        return None
    if not told:
        return set()
    if not isinstance(told, dict):
        return None
    named = told.get("batchItemFailures")
    if not named:
        return set()
    if not isinstance(named, list):
        return None
    found: set[str] = set()
    for one in named:
        name = one.get("itemIdentifier") if isinstance(one, dict) else None
        if not isinstance(name, str) or name not in known:
            return None
        found.add(name)
    return found
