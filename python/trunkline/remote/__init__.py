"""The engine of another process, over its server: :func:`trunkline.connect`."""

from __future__ import annotations

from trunkline.remote.engine import RemoteEngine
from trunkline.remote.queue import RemoteMessage, RemoteQueue
from trunkline.remote.results import Published, Put, Sent
from trunkline.remote.routes import RemoteBus, RemoteMachine, RemoteStream, RemoteTopic

__all__ = [
    "Published",
    "Put",
    "RemoteBus",
    "RemoteEngine",
    "RemoteMachine",
    "RemoteMessage",
    "RemoteQueue",
    "RemoteStream",
    "RemoteTopic",
    "Sent",
]
