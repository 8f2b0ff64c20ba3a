"""The engine of another process, over its server: :func:`trunkline.connect`."""

from __future__ import annotations

from trunkline.remote.engine import RemoteEngine
from trunkline.remote.machines import RemoteExecution, RemoteMachine
from trunkline.remote.messages import RemoteMessage, RemotePeekedMessage
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.results import (
    Published,
    Put,
    PutEvent,
    RemoteRecord,
    RemoteStatistics,
    Sent,
)
from trunkline.remote.routes import RemoteBus, RemoteStream, RemoteTopic

__all__ = [
    "Published",
    "Put",
    "PutEvent",
    "RemoteBus",
    "RemoteEngine",
    "RemoteExecution",
    "RemoteMachine",
    "RemoteMessage",
    "RemotePeekedMessage",
    "RemoteQueue",
    "RemoteRecord",
    "RemoteStatistics",
    "RemoteStream",
    "RemoteTopic",
    "Sent",
]
