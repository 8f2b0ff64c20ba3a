"""Queues that subscriptions name before they are there: as targets, and for dead letters."""

from __future__ import annotations

from trunkline._documents import WAITING_FOR_QUEUES
from trunkline.aws.json_text import read_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.store import Store

_ENTRY = WAITING_FOR_QUEUES
_PAGE = 100


def _queues(kept: Mapping[str, Any]) -> Iterator[str]:
    """The ARNs of the queues that a subscription names."""
    if kept["protocol"] == "sqs":
        yield kept["endpoint"]
    policy = read_object(kept["attributes"].get("RedrivePolicy") or "{}") or {}
    dead_letters = policy.get("deadLetterTargetArn")
    if isinstance(dead_letters, str):
        yield dead_letters


def note(store: Store, kept: Mapping[str, Any]) -> None:
    """Notes which queues a subscription names."""
    for queue in _queues(kept):
        store.put(f"{_ENTRY}{queue}/{kept['arn']}", {"arn": kept["arn"]})


def forget(store: Store, kept: Mapping[str, Any]) -> None:
    """Forgets a subscription that is gone."""
    for queue in _queues(kept):
        store.put(f"{_ENTRY}{queue}/{kept['arn']}", None)


def attach(store: Store, queue: str) -> None:
    """Gives the subscriptions that name a queue, which has just been created, what they wait for.

    >>> import trunkline
    >>> from trunkline.aws.store import Store
    >>> attach(Store(trunkline.open()._core), "arn:aws:sqs:us-east-1:000000000000:orders")
    """
    after: str | None = None
    while True:
        entries, after = store.page(f"{_ENTRY}{queue}/", after=after, limit=_PAGE)
        for entry in entries:
            _attach_one(store, queue, entry["arn"])
        if after is None:
            return


def _attach_one(store: Store, queue: str, arn: str) -> None:
    from trunkline.aws.sns.engine_settings import settings_in
    from trunkline.aws.sns.resources import document_key

    kept = store.get(document_key(arn))
    if kept is None or queue not in _queues(kept):
        # It is gone, or names another queue by now.
        store.put(f"{_ENTRY}{queue}/{arn}", None)
        return
    region, account, name = arn.split(":")[3:6]
    with store.lock:
        topic = store.core.topic((account, region, name), False, None, None)
        if topic is not None and topic.id == kept["topic"]:
            settings = settings_in(
                store,
                topic,
                kept["protocol"],
                kept["endpoint"],
                kept["attributes"],
                pending=bool(kept.get("token")),
            )
            topic.configure_subscription(kept["id"], settings)


def queue_created(core: CoreEngine, arn: str) -> None:
    """The same for a queue that was created in the process."""
    from trunkline.aws.store import Store

    attach(Store(core), arn)
