"""Verbs of queues and topics."""

from __future__ import annotations

from trunkline.admin.forms import (
    attributes_of,
    bytes_of,
    check_limit,
    check_wait,
)
from trunkline.admin.registry import reading
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import PeekedMessage
    from trunkline.engine import Engine
    from trunkline.queues.queue import Queue

PEEK_MAX = 100_000
"""The most messages that one peek looks at."""

WAIT_MAX = 20
"""The longest wait of a receive in seconds: a thread of the server waits with it."""

BATCH = 10
"""Messages that are sent at once."""


def _queue(engine: Engine, name: str, owner: dict[str, str | None], create: bool = False) -> Queue:
    account, region = owner["account"], owner["region"]
    return engine.queue(name, create=create, account=account, region=region)


def _options(
    group: str | None,
    dedup_id: str | None,
    delay: float | None,
    attributes: dict[str, Any] | None,
) -> dict[str, Any]:
    given: dict[str, Any] = {"group": group, "dedup_id": dedup_id, "delay": delay}
    given["attributes"] = attributes_of(attributes)
    return {name: value for name, value in given.items() if value is not None}


def send(
    engine: Engine,
    queue: str,
    body: str | None = None,
    body_base64: str | None = None,
    group: str | None = None,
    dedup_id: str | None = None,
    delay: float | None = None,
    attributes: dict[str, Any] | None = None,
    messages: list[dict[str, Any]] | None = None,
    create: bool = False,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Send one message, or `messages`, each an object of these arguments."""
    to = _queue(engine, queue, {"account": account, "region": region}, create)
    if messages is None:
        data = bytes_of(body, body_base64)
        sent = to.send(data, **_options(group, dedup_id, delay, attributes))
        return {"message_id": sent.message_id}
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise InvalidParameterValue("messages must be an array of objects, with a body each.")
    ids: list[str] = []
    for start in range(0, len(messages), BATCH):
        entries = [_entry(one) for one in messages[start : start + BATCH]]
        result = to.send_batch(entries)
        if result.failed:
            failure = result.failed[0]
            raise InvalidParameterValue(
                f"Message {start + failure.index} of messages is refused, those before it were "
                f"sent ({len(ids)}): {failure.code}: {failure.message}"
            )
        ids.extend(one.message_id for one in result.successful)
    return {"message_ids": ids}


def _entry(given: dict[str, Any]) -> Any:
    from trunkline.queues.messages import SendEntry

    names = ("body", "body_base64", "group", "dedup_id", "delay", "attributes")
    one = {name: given.get(name) for name in names}
    data = bytes_of(one.pop("body"), one.pop("body_base64"))
    return SendEntry(data, **_options(**one))


def receive(
    engine: Engine,
    queue: str,
    max: int = 1,
    wait: float = 0,
    visibility_timeout: float | None = None,
    delete: bool = False,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Lease up to `max` messages; with `delete` they are deleted at once."""
    check_wait(wait, WAIT_MAX)
    if not isinstance(delete, bool):
        raise InvalidParameterValue("delete must be true or false.")
    of = _queue(engine, queue, {"account": account, "region": region})
    found = of.receive(max, wait, visibility_timeout)
    rows = [message.as_dict() | {"receipt": message.receipt} for message in found]
    if delete and found:
        of.delete_batch(found)
    return {"messages": rows}


def delete(
    engine: Engine,
    queue: str,
    receipt: str,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Delete a message by the receipt of its lease."""
    _queue(engine, queue, {"account": account, "region": region}).delete(receipt)
    return {}


def extend(
    engine: Engine,
    queue: str,
    receipt: str,
    visibility_timeout: float,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Let the lease of a receipt end so many seconds from now; 0 gives the message back."""
    of = _queue(engine, queue, {"account": account, "region": region})
    of.extend(receipt, visibility_timeout)
    return {}


@reading
def peek(
    engine: Engine,
    queue: str,
    max: int = 10,
    search: str | None = None,
    include_in_flight: bool = False,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Show up to `max` messages, oldest first, without leasing them.

    With `search` those whose body or attributes contain the text, of the oldest 100,000.
    """
    of = _queue(engine, queue, {"account": account, "region": region})
    check_limit(max, PEEK_MAX, "max")
    if search is None:
        found = of.peek(max, include_in_flight=include_in_flight)
        return {"messages": [message.as_dict() for message in found]}
    if not isinstance(search, str):
        raise InvalidParameterValue("search must be a string.")
    looked = of.peek(PEEK_MAX, include_in_flight=include_in_flight)
    wanted = search.encode()
    found = [message for message in looked if _contains(message, wanted)]
    return {"messages": [message.as_dict() for message in found[:max]], "found": len(found)}


def _contains(message: PeekedMessage, wanted: bytes) -> bool:
    if wanted in message.body:
        return True
    for name, value in message.attributes.items():
        text = value if isinstance(value, bytes) else str(value).encode()
        if wanted in name.encode() or wanted in text:
            return True
    return False


def purge(
    engine: Engine, queue: str, account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """Remove all messages of a queue."""
    of = _queue(engine, queue, {"account": account, "region": region})
    before = of.statistics()
    of.purge()
    return {"purged": before.visible + before.in_flight + before.delayed}


def redrive(
    engine: Engine,
    queue: str,
    to: str | None = None,
    rate: int | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Start to move dead letters of `queue` back to where they came from, or `to` a queue."""
    owner = {"account": account, "region": region}
    of = _queue(engine, queue, owner)
    target = None if to is None else _queue(engine, to, owner)
    task = of.start_redrive(target, rate=rate)
    return task.as_dict()


def redrive_message(
    engine: Engine,
    queue: str,
    message_id: str,
    to: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Move one message back to where it came from, or `to` a queue; it gets a new id there."""
    owner = {"account": account, "region": region}
    of = _queue(engine, queue, owner)
    target = None if to is None else _queue(engine, to, owner)
    return {"message_id": of.redrive_message(message_id, target)}


@reading
def redrive_tasks(
    engine: Engine, queue: str, account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The moves that were started from a queue."""
    of = _queue(engine, queue, {"account": account, "region": region})
    return {"tasks": [one.as_dict() for one in of.redrive_tasks()]}


def publish(
    engine: Engine,
    topic: str,
    body: str | None = None,
    body_base64: str | None = None,
    subject: str | None = None,
    group: str | None = None,
    dedup_id: str | None = None,
    attributes: dict[str, Any] | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Publish a message to the subscriptions of a topic."""
    to = engine.topic(topic, create=False, account=account, region=region)
    options = _options(group, dedup_id, None, attributes)
    if subject is not None:
        options["subject"] = subject
    published = to.publish(bytes_of(body, body_base64), **options)
    return {"message_id": published.message_id}


@reading
def subscriptions(
    engine: Engine, topic: str, account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The subscriptions of a topic."""
    of = engine.topic(topic, create=False, account=account, region=region)
    return {
        "subscriptions": [
            {
                "arn": one.arn,
                "target": str(getattr(one.target, "name", one.target)),
                "raw": one.raw,
                "filter": one.filter,
                "filter_scope": one.filter_scope,
            }
            for one in of.subscriptions()
        ]
    }


def subscribe(
    engine: Engine,
    topic: str,
    queue: str,
    raw: bool = False,
    filter: dict[str, Any] | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Subscribe a queue to a topic."""
    owner = {"account": account, "region": region}
    of = engine.topic(topic, create=False, account=account, region=region)
    one = of.subscribe(_queue(engine, queue, owner), raw=raw, filter=filter)
    return {"arn": one.arn}
