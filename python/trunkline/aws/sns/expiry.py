"""Tokens are forgotten when their time is over, and subscriptions that waited for one removed."""

from __future__ import annotations

from trunkline.aws.sns import mail_index, waiting
from trunkline.aws.sns.resources import document_key
from trunkline.aws.sns.topics import PENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_EXPIRY = "sns/expiry/"
# More than one token is forgotten for each that is made, so what is kept stays bounded.
_AT_ONCE = 4


def expire_at(call: Call, key: str, until: float) -> None:
    """Lets the document of a token go at a time, and some of those go whose time is over."""
    call.store.put(_entry(key, until), {"key": key, "until": until})
    with call.store.lock:
        entries, _ = call.store.page(_EXPIRY, limit=_AT_ONCE)
        for entry in entries:
            if entry["until"] >= call.store.now():
                return
            _forget(call, entry["key"])
            call.store.put(_entry(entry["key"], entry["until"]), None)


def _entry(key: str, until: float) -> str:
    """The entry of a document, in the order of times."""
    return f"{_EXPIRY}{int(until):012}/{key}"


def _forget(call: Call, key: str) -> None:
    token = call.store.get(key)
    if token is None:
        return
    if key.startswith(PENDING):
        _remove_pending(call, token["arn"], key.rsplit("/", 1)[-1])
    call.store.put(key, None)


def _remove_pending(call: Call, arn: str, token: str) -> None:
    """Removes a subscription that was never confirmed."""
    kept: dict[str, Any] | None = call.store.get(document_key(arn))
    if kept is None or kept.get("token") != token:
        return
    region, account, name = arn.split(":")[3:6]
    topic = call.store.core.topic((account, region, name), False, None, None)
    call.store.put(document_key(arn), None)
    waiting.forget(call.store, kept)
    mail_index.forget(call.store, arn)
    if topic is not None and topic.id == kept["topic"]:
        topic.unsubscribe(kept["id"])
