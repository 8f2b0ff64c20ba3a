"""Queues come and go: create, find, list, purge, delete."""

from __future__ import annotations

import base64
import binascii

from trunkline.aws.errors import ServiceError
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import QUEUES_MAX
from trunkline.aws.sqs import attributes as table
from trunkline.aws.sqs import stored
from trunkline.aws.sqs.errors import invalid, invalid_value, no_such_queue
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import (
    arn_of,
    arn_of_name,
    check_name,
    find,
    invalid_name,
    url_of,
)
from trunkline.aws.sqs.tags import check_tags
from trunkline.queues.metadata import encode_metadata, read_metadata
from trunkline.queues.options import defaults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Queue
    from trunkline.aws.operation import Call


@operations.add("CreateQueue", writes=True)
def create_queue(
    call: Call,
    *,
    queue_name: str = "",
    attributes: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates a queue, or finds the one that is there and has the attributes that are given."""
    given = attributes or {}
    check_name(call, queue_name)
    fifo = queue_name.endswith(".fifo")
    if fifo is not (given.get("FifoQueue", "false").lower() == "true"):
        raise invalid_name(call)
    check_tags(tags or {})
    name = (call.account, call.region, queue_name)
    with call.store.lock:
        queue = call.store.core.find_queue(name)
        if queue is None:
            queue = _create(call, name, fifo, given, tags or {})
        else:
            _compare(call, queue, given)
    return {"QueueUrl": url_of(call, queue)}


def _create(
    call: Call,
    name: tuple[str, str, str],
    fifo: bool,
    given: Mapping[str, str],
    tags: Mapping[str, str],
) -> Queue:
    removed = call.store.removed_at(name)
    pause = call.store.seconds("recreate_interval")
    if call.store.is_recent(removed, pause):
        raise ServiceError(
            "QueueDeletedRecently",
            f"You must wait {pause:g} seconds after deleting a queue before you can create another "
            "with the same name.",
        )
    change = table.Change(defaults(fifo, call.store.limits), {}, {})
    arn = arn_of_name(*name)
    table.apply(call, change, given, arn=arn, new=True)
    if tags:
        change.kept["tags"] = dict(tags)
    document = encode_metadata(change.document | {"sqs": change.kept or None})
    made = call.store.core.create_queue(name, stored.make_settings(change.settings), document)
    _attach(call, arn)
    return made


def _attach(call: Call, arn: str) -> None:
    """Subscriptions of topics that named the queue before it was there get their target."""
    from trunkline.aws.sns.waiting import attach

    attach(call.store, arn)


def _compare(call: Call, queue: Queue, given: Mapping[str, str]) -> None:
    # Only what is given counts. It is worked out on a copy, so that "60" and "060", or a policy in
    # another order, are the same.
    change = table.Change(stored.settings_of(queue), stored.read(queue), {})
    table.apply(call, change, given, arn=arn_of(queue), new=True)
    current = table.describe(call, queue, stored.read(queue), read_metadata(queue))
    for name, value in given.items():
        if table.is_counter(name):
            continue
        if not _same(current.get(name, ""), value):
            raise ServiceError(
                "QueueNameExists",
                "A queue already exists with the same name and a different value for attribute "
                f"{name}",
            )


def _same(current: str, given: str) -> bool:
    if current == given or current == given.lower():
        return True
    one, other = read_object(current), read_object(given)
    return one is not None and other is not None and _loosened(one) == _loosened(other)


def _loosened(value: object) -> object:
    if isinstance(value, dict):
        return {key: _loosened(member) for key, member in value.items()}
    return str(value) if isinstance(value, int) else value


@operations.add("GetQueueUrl")
def get_queue_url(
    call: Call, *, queue_name: str = "", queue_owner_aws_account_id: str | None = None
) -> dict[str, Any]:
    """The address of a queue."""
    check_name(call, queue_name)
    queue = None if call.target is None else call.store.core.find_queue(call.target)
    if queue is None:
        raise no_such_queue()
    return {"QueueUrl": url_of(call, queue)}


@operations.add("ListQueues")
def list_queues(
    call: Call,
    *,
    queue_name_prefix: str = "",
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The addresses of the caller's queues, sorted by name."""
    count, after = _page_asked(max_results, next_token)
    owner = (call.account, call.region)
    # One more than is shown, to know whether there is another page.
    queues = call.store.core.queue_page(owner, queue_name_prefix, after, count + 1)
    return _page(call, queues, "QueueUrls", max_results)


@operations.add("ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(
    call: Call,
    *,
    queue_url: str = "",
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The addresses of the queues that name this one as their dead-letter queue."""
    queue = find(call, queue_url)
    _, after = _page_asked(max_results, next_token)
    sources = sorted(call.store.core.dead_letter_sources(queue.id), key=lambda source: source.name)
    if after is not None:
        sources = [source for source in sources if source.name > after]
    page = _page(call, sources, "queueUrls", max_results)
    # This list is required in the output, unlike that of ListQueues.
    page.setdefault("queueUrls", [])
    return page


def _page_asked(max_results: int | None, token: str | None) -> tuple[int, str | None]:
    """How many queues a page may show, and the name behind which it begins."""
    if max_results is not None and not 1 <= max_results <= QUEUES_MAX:
        raise invalid_value(
            max_results,
            "MaxResults",
            f"MaxResults must be an integer between 1 and {QUEUES_MAX}.",
        )
    return max_results or QUEUES_MAX, None if token is None else _read_token(token)


def _page(
    call: Call, queues: Sequence[Queue], member: str, max_results: int | None
) -> dict[str, Any]:
    """The first of `queues`, which begin where the page does."""
    count = max_results or QUEUES_MAX
    page = queues[:count]
    output: dict[str, Any] = {}
    if page:
        output[member] = [url_of(call, queue) for queue in page]
    # Without MaxResults there is no second page, as in AWS.
    if max_results is not None and len(queues) > count:
        output["NextToken"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
    return output


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise invalid(
            "Invalid or expired next token. "
            "Take a new one from an answer to the same request without one."
        ) from None


@operations.add("DeleteQueue", writes=True)
def delete_queue(call: Call, *, queue_url: str = "") -> None:
    """Removes a queue and everything in it."""
    find(call, queue_url, own=True).remove()


@operations.add("PurgeQueue", writes=True)
def purge_queue(call: Call, *, queue_url: str = "") -> None:
    """Removes every message of a queue; once a minute at most."""
    queue = find(call, queue_url)
    with call.store.lock:
        purged = call.store.purged_at(queue.id)
        pause = call.store.seconds("purge_interval")
        if call.store.is_recent(purged, pause):
            raise ServiceError(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue.name} is allowed every "
                f"{pause:g} seconds.",
                403,
            )
        queue.purge()
