# The part of trunkline._core that holds the verbs of queues which a program calls for every
# message. There is no module of this name.
from collections.abc import Coroutine as AnyCoroutine
from collections.abc import Generator, Iterable
from typing import Any, Self, final

from typing_extensions import disjoint_base

from trunkline._core import (
    AsyncMessage,
    BatchResult,
    Message,
    QueueVerbs,
    SendBatchResult,
    SendResult,
)
from trunkline._types import Attributes, Body, Delivery, Durability, Seconds
from trunkline.engine import Engine
from trunkline.queues.messages import SendEntry

@disjoint_base
class BlockingVerbs:
    def __new__(cls, engine: Engine, core: QueueVerbs) -> Self: ...
    def send(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
        durability: Durability | None = None,
    ) -> SendResult: ...
    def send_batch(
        self, entries: Iterable[Body | SendEntry], *, durability: Durability | None = None
    ) -> SendBatchResult: ...
    def receive(
        self,
        max: int = 1,
        wait: Seconds | None = None,
        visibility_timeout: Seconds | None = None,
        attempt_id: str | None = None,
    ) -> list[Message]: ...
    def delete(self, delivery: Delivery, *, durability: Durability | None = None) -> None: ...
    def delete_batch(
        self, deliveries: Iterable[Delivery], *, durability: Durability | None = None
    ) -> BatchResult: ...

@disjoint_base
class AwaitableVerbs:
    def __new__(cls, queue: BlockingVerbs) -> Self: ...
    async def send(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
        durability: Durability | None = None,
    ) -> SendResult: ...
    async def receive(
        self,
        max: int = 1,
        wait: Seconds | None = None,
        visibility_timeout: Seconds | None = None,
        attempt_id: str | None = None,
    ) -> list[AsyncMessage]: ...
    async def delete_batch(
        self,
        deliveries: Iterable[AsyncMessage | Message | str],
        *,
        durability: Durability | None = None,
    ) -> BatchResult: ...

@final
class Coroutine(AnyCoroutine[Any, Any, Any]):
    def __await__(self) -> Generator[Any, Any, Any]: ...
    def __iter__(self) -> Generator[Any, Any, Any]: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any) -> Any: ...
    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any: ...
    def close(self) -> None: ...
