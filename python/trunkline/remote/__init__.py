"""The engine of another process, over its server: :func:`trunkline.connect`."""

from __future__ import annotations

from trunkline.remote.bucket import RemoteBucket
from trunkline.remote.engine import RemoteEngine
from trunkline.remote.machines import RemoteExecution, RemoteMachine
from trunkline.remote.messages import RemoteMessage, RemotePeekedMessage
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.results import RemoteBatch, RemoteRecord, Report, Sent
from trunkline.remote.routes import (
    RemoteApi,
    RemoteArchive,
    RemoteBus,
    RemoteDeliveryStream,
    RemoteEventSource,
    RemoteFunction,
    RemoteReader,
    RemoteRedriveTask,
    RemoteReplay,
    RemoteRule,
    RemoteSchedule,
    RemoteStream,
    RemoteSubscription,
    RemoteTopic,
    RemoteTopicReplay,
)

__all__ = [
    "RemoteApi",
    "RemoteArchive",
    "RemoteBatch",
    "RemoteBucket",
    "RemoteBus",
    "RemoteDeliveryStream",
    "RemoteEngine",
    "RemoteEventSource",
    "RemoteExecution",
    "RemoteFunction",
    "RemoteMachine",
    "RemoteMessage",
    "RemotePeekedMessage",
    "RemoteQueue",
    "RemoteReader",
    "RemoteRecord",
    "RemoteRedriveTask",
    "RemoteReplay",
    "RemoteRule",
    "RemoteSchedule",
    "RemoteStream",
    "RemoteSubscription",
    "RemoteTopic",
    "RemoteTopicReplay",
    "Report",
    "Sent",
]
