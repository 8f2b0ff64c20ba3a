"""Joins what an engine offers of each noun."""

from __future__ import annotations

from trunkline.apis.verbs import ApiVerbs
from trunkline.buckets.verbs import BucketVerbs
from trunkline.buses.verbs import BusVerbs
from trunkline.delivery_streams.verbs import DeliveryStreamVerbs
from trunkline.folders.verbs import FolderVerbs
from trunkline.functions.verbs import FunctionVerbs
from trunkline.machines.verbs import MachineVerbs
from trunkline.queues.verbs import QueueVerbs
from trunkline.schedules.verbs import ScheduleVerbs
from trunkline.streams.verbs import StreamVerbs
from trunkline.topics.verbs import TopicVerbs
from trunkline.traces.verbs import TraceVerbs


class Verbs(
    ApiVerbs,
    BucketVerbs,
    BusVerbs,
    DeliveryStreamVerbs,
    FolderVerbs,
    FunctionVerbs,
    MachineVerbs,
    QueueVerbs,
    ScheduleVerbs,
    StreamVerbs,
    TopicVerbs,
    TraceVerbs,
):
    """The verbs of an engine, except those of the engine itself."""

    __slots__ = ()
