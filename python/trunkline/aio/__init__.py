"""The same engine for asyncio: verbs that may wait, for a message or for the disk, are coroutines.

A verb first tries without waiting, so a coroutine that finds its message never suspends. Cancelling
a receive loses nothing: a wake that was not used goes to the next waiter.

>>> import asyncio, trunkline
>>> async def main():
...     async with trunkline.aio.open() as engine:
...         queue = engine.queue("orders")
...         await queue.send("one coffee")
...         (message,) = await queue.receive(wait=20)
...         async with message:
...             return message.text()
>>> asyncio.run(main())
'one coffee'
"""

from __future__ import annotations

from trunkline.aio.apis.api import Api
from trunkline.aio.buckets.bucket import Bucket
from trunkline.aio.buckets.content import ObjectReader
from trunkline.aio.buses.archive import Archive, Replay
from trunkline.aio.buses.bus import Bus
from trunkline.aio.buses.rule import Rule
from trunkline.aio.delivery_streams.delivery_stream import DeliveryStream
from trunkline.aio.engine import Engine, open, wrap
from trunkline.aio.functions.function import Function
from trunkline.aio.machines.machine import Execution, StateMachine
from trunkline.aio.queues.message import Message
from trunkline.aio.queues.queue import Queue
from trunkline.aio.queues.redrive import RedriveTask
from trunkline.aio.schedules.schedule import Schedule
from trunkline.aio.streams.stream import Reader, Stream
from trunkline.aio.topics.replay import TopicReplay
from trunkline.aio.topics.subscription import Subscription
from trunkline.aio.topics.topic import Topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aio.remote import connect

__all__ = [
    "Api",
    "Archive",
    "Bucket",
    "Bus",
    "DeliveryStream",
    "Engine",
    "Execution",
    "Function",
    "Message",
    "ObjectReader",
    "Queue",
    "Reader",
    "RedriveTask",
    "Replay",
    "Rule",
    "Schedule",
    "StateMachine",
    "Stream",
    "Subscription",
    "Topic",
    "TopicReplay",
    "connect",
    "open",
    "wrap",
]


def __getattr__(name: str) -> Any:
    # Clients of a server cost an import that programs with an engine do not need.
    if name == "connect":
        from trunkline.aio.remote import connect

        return connect
    raise AttributeError(f"module 'trunkline.aio' has no attribute {name!r}")
