"""What discoverers do with the events of their bus: they keep the shape that these have.

A discoverer is a rule of the bus that a service manages. Its target is a destination of the outbox,
so an event is learned from even if the engine is closed in between.
"""

from __future__ import annotations

import json
import re
from threading import Lock

from trunkline._outbox import DestinationWorker
from trunkline.aws.limits import RULE_NAME_CHARS_MAX, SCHEMA_CONTENT_CHARS_MAX
from trunkline.aws.operation import Call
from trunkline.aws.schemas.documents import DISCOVERED_REGISTRY, DISCOVERERS, key
from trunkline.aws.schemas.schemas import OPEN_API, add_version, new_schema, version_of
from trunkline.aws.schemas.shapes import merge, shape_of
from trunkline.aws.schemas.writing import camel, event_schema, is_event
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import LeasedDelivery
    from trunkline.aws.store import Store

_lock = Lock()
"""Two events that differ must not both be merged into the same earlier shape."""


def rule_name(discoverer: str) -> str:
    """The rule of a discoverer."""
    return f"Schemas-{discoverer}"[:RULE_NAME_CHARS_MAX]


def resume(store: Store) -> None:
    """Lets the discoverers go on that an earlier opening left."""
    for discoverer in store.every(f"{DISCOVERERS}/"):
        work(store, discoverer)


def work(store: Store, discoverer: dict[str, Any]) -> None:
    """Has a thread learn from what the rule of a discoverer delivers."""
    owner = (discoverer["account"], discoverer["region"])
    try:
        bus = store.core.bus((*owner, discoverer["bus"]), False)
        if bus is None:
            return
        [target] = bus.rule(rule_name(discoverer["id"]))["targets"]
        handler = store.core.outbox().handler(target["resource"])
    except (TrunklineError, ValueError):
        # The bus or its rule was removed: nothing is delivered.
        return
    where = "/".join((*owner, discoverer["id"]))
    earlier = store.background.get(where)
    if earlier is not None:
        earlier.stop()
    worker = DestinationWorker(handler, _learner(store, *owner), 1, "schemas")
    store.background[where] = worker
    worker.start()


def _learner(store: Store, account: str, region: str) -> Callable[[LeasedDelivery], None]:
    call = Call(store, account, region, None, "", "")

    def learn(delivery: LeasedDelivery) -> None:
        event = json.loads(delivery.body)
        if is_event(event):
            with _lock:
                _learn(call, event)

    return learn


def schema_name(source: str, detail_type: str) -> str:
    """What the schema of the events of a source and a detail type is called.

    >>> schema_name("my shop", "Order Paid")
    'my-shop@OrderPaid'
    """
    return f"{re.sub(r'[^0-9A-Za-z_.-]', '-', source)}@{camel(detail_type)}"


def _learn(call: Call, event: dict[str, Any]) -> None:
    source, detail_type = event["source"], event["detail-type"]
    name = schema_name(source, detail_type)
    where = key(call, "shape", DISCOVERED_REGISTRY, name)
    earlier = call.store.get(where)
    shape = shape_of(event["detail"])
    merged = shape if earlier is None else merge([earlier, shape]) or shape
    schema = call.store.get(key(call, "schema", DISCOVERED_REGISTRY, name))
    if merged == earlier and schema is not None:
        return
    content = event_schema(source, detail_type, merged, OPEN_API)
    if len(content) > SCHEMA_CONTENT_CHARS_MAX:
        # Names of members that are values, for example; the last schema stays.
        return
    call.store.put(where, merged)
    if schema is None:
        schema = new_schema(call, DISCOVERED_REGISTRY, name, _description(event), {})
    elif version_of(call, schema, None)["content"] == content:
        return
    add_version(call, schema, OPEN_API, content)


def _description(event: dict[str, Any]) -> str:
    return f"Schema for event type {event['detail-type']}, published by {event['source']}."
