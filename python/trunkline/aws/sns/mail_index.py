"""Which subscriptions get mails, without a look at all the others."""

from __future__ import annotations

from trunkline._core import DestinationSettings, RetryTable
from trunkline.aws.limits import MAIL_LEASE_MS
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.store import Store

CONFIRMATIONS = "sns/mail-confirmations"
"""The destination of mails that ask for a confirmation."""

PROTOCOLS = ("email", "email-json")
"""The protocols whose deliveries are mails."""

_ENTRY = "sns/mail/"
_PAGE = 1_000


def mail_retry() -> RetryTable:
    """When a mail that failed is tried again: SNS's table for SMTP."""
    return RetryTable.named("sns-customer")


def note(store: Store, arn: str, protocol: str, endpoint: str, destination: int) -> None:
    """Notes a subscription that gets mails."""
    about = {"protocol": protocol, "endpoint": endpoint, "destination": destination}
    store.put(_ENTRY + arn.rsplit(":", 1)[-1], about | {"arn": arn})


def forget(store: Store, arn: str) -> None:
    """Forgets a subscription; one that is not noted is a success."""
    store.put(_ENTRY + arn.rsplit(":", 1)[-1], None)


def subscriptions(store: Store) -> Iterator[dict[str, Any]]:
    """The subscriptions that get mails."""
    after: str | None = None
    while True:
        found, after = store.page(_ENTRY, after=after, limit=_PAGE)
        yield from found
        if after is None:
            return


def confirmations(store: Store) -> int:
    """The destination of mails that ask for a confirmation; it is made at the first need."""
    outbox = store.core.outbox()
    found = outbox.find(CONFIRMATIONS)
    if found is not None:
        return found
    settings = DestinationSettings.handler(
        lease=MAIL_LEASE_MS, retry=mail_retry(), dead_letter=None
    )
    try:
        return outbox.create(CONFIRMATIONS, settings)
    except TrunklineError:
        # Another thread has made it meanwhile.
        found = outbox.find(CONFIRMATIONS)
        if found is None:
            raise
        return found
