"""How queues of streams are kept: two queues of the engine each, and the document of the first.

Both are in a region of their own, so that they take no name of an SQS queue: one holds the places
of records that can be received, the other those of dead letters. `core/wire/src/services/kinesis/
queues` receives from them.
"""

from __future__ import annotations

import json

from trunkline._core import QueueSettings, queues_of_service
from trunkline.aws.arns import partition, read_resource
from trunkline.aws.kinesis.errors import in_use, not_found
from trunkline.aws.limits import QUEUE_PLACE_BYTES_MAX
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Queue
    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

    Kept = dict[str, Any]

_DEAD = "-dead"
_KEY = "kinesis"
_PAGE = 1_000
START = "kinesis."
"""What the region of the engine's queues begins with."""
BUILT_IN = "BUILT_IN"
"""The target type of a queue whose records become dead letters."""


class StreamQueue:
    """One queue of a stream."""

    def __init__(self, records: Queue, dead: Queue) -> None:
        self.records = records
        self.dead = dead
        self.kept: Kept = json.loads(records.document)[_KEY]

    @property
    def id(self) -> str:
        """The id, with which the resource name ends."""
        return self.records.name

    @property
    def arn(self) -> str:
        """The resource name."""
        region, account = self.records.region.removeprefix(START), self.records.account
        return f"arn:{partition(region)}:kinesis:{region}:{account}:queue/{self.id}"

    @property
    def stream(self) -> tuple[str, str, str]:
        """The full name of the stream."""
        account, region, name = self.kept["stream"]
        return account, region, name

    @property
    def reader(self) -> str:
        """The reader of the stream by which the queue gets its records."""
        return f"queue-{self.id}"

    def status(self, store: Store) -> str:
        """CREATING, UPDATING, DELETING or ACTIVE."""
        if "gone" in self.kept:
            return "DELETING"
        if store.lasts(self.kept["active"]):
            return "CREATING"
        return "UPDATING" if store.lasts(self.kept.get("updated", 0)) else "ACTIVE"

    def change(self, **changes: Any) -> None:
        """Keeps some things anew, and has the engine's queue follow them; None removes a value."""
        everything = {**self.kept, **changes}
        self.kept = {name: value for name, value in everything.items() if value is not None}
        self.records.configure(_settings(self.kept, self.dead.id), _document(self.kept))

    def remove(self) -> None:
        """Removes the queue with all that it holds."""
        self.records.remove()
        self.dead.remove()


def _document(kept: Kept) -> bytes:
    return json.dumps({_KEY: kept}, separators=(",", ":")).encode()


def _settings(kept: Kept, dead: int | None) -> QueueSettings:
    letters, target = kept["dead"], None
    if dead is not None and letters["TargetType"] == BUILT_IN:
        target = dead, letters["MaxReceiveCount"]
    return QueueSettings(
        fifo=False,
        delay=0,
        # Records go when the stream has them no more.
        retention=kept["retention"],
        visibility_timeout=kept["visibility"] * 1_000,
        receive_wait=0,
        max_message_size=QUEUE_PLACE_BYTES_MAX,
        content_based_dedup=False,
        dedup_per_group=False,
        dead_letter=target,
    )


def create(core: CoreEngine, owner: tuple[str, str], id: str, kept: Kept) -> StreamQueue:
    """Creates a queue."""
    account, region = owner[0], f"{START}{owner[1]}"
    dead = core.create_queue((account, region, id + _DEAD), _settings(kept, None), b"")
    settings, document = _settings(kept, dead.id), _document(kept)
    return StreamQueue(core.create_queue((account, region, id), settings, document), dead)


def all_of(store: Store, account: str, region: str) -> list[StreamQueue]:
    """The queues of an account in a region, by their names."""
    owner, after = (account, START + region), None
    found: list[StreamQueue] = []
    while page := store.core.queue_page(owner, "", after, _PAGE):
        found += _queues(store, page)
        after = page[-1].name
    return sorted(found, key=lambda queue: str(queue.kept["name"]))


def every(store: Store) -> list[StreamQueue]:
    """The queues of all accounts and regions. Looks at all queues of the engine."""
    return _queues(store, queues_of_service(store.core, START.removesuffix(".")))


def of_stream(store: Store, name: tuple[str, str, str]) -> list[StreamQueue]:
    """The queues on a stream: they are where it is."""
    return [queue for queue in all_of(store, *name[:2]) if queue.stream == name]


def _queues(store: Store, found: list[Queue]) -> list[StreamQueue]:
    own = [one for one in found if one.region.startswith(START) and not one.name.endswith(_DEAD)]
    return [queue for one in own if (queue := _whole(store, one)) is not None]


def _whole(store: Store, records: Queue) -> StreamQueue | None:
    name = (records.account, records.region, records.name + _DEAD)
    dead = store.core.find_queue(name)
    if dead is None:
        # A crash came while it was created or removed.
        records.remove()
        return None
    queue = StreamQueue(records, dead)
    if "gone" not in queue.kept or store.lasts(queue.kept["gone"]):
        return queue
    queue.remove()
    return None


def find(call: Call, arn: str) -> StreamQueue:
    """The queue of this resource name; the caller's right to it was checked."""
    resource = read_resource(arn)
    if resource is not None and resource.resource.startswith("queue/"):
        name = (resource.account, START + resource.region, resource.resource.removeprefix("queue/"))
        records = None if name[2].endswith(_DEAD) else call.store.core.find_queue(name)
        queue = None if records is None else _whole(call.store, records)
        if queue is not None:
            return queue
    raise not_found(f"Queue {arn} not found.")


def find_active(call: Call, arn: str) -> StreamQueue:
    """The same, for a queue that nothing changes at the moment."""
    queue = find(call, arn)
    if (status := queue.status(call.store)) != "ACTIVE":
        raise in_use(f"Queue {arn} not ACTIVE, instead in state {status}")
    return queue


def forget_reader(core: CoreEngine, queue: StreamQueue) -> None:
    """Removes the position of a queue in its stream."""
    stream = core.find_stream(queue.stream)
    try:
        if stream is not None:
            stream.remove_reader(queue.reader)
    except TrunklineError:
        # The stream has been removed.
        return
