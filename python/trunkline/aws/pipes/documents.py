"""Where pipes are kept: documents of the engine, by account and region."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.aws.arns import partition
from trunkline.aws.limits import DOCUMENTS_PAGE_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.store import Store

PREFIX = "pipes/"
"""The start of all keys; the table of services names it too."""


@dataclass(frozen=True, slots=True)
class PipeName:
    """Which pipe: names are unique in an account and region."""

    account: str
    region: str
    name: str

    @property
    def key(self) -> str:
        """Where the pipe is kept."""
        return f"{PREFIX}{self.account}/{self.region}/{self.name}"

    @property
    def arn(self) -> str:
        """The resource name of the pipe."""
        return f"arn:{partition(self.region)}:pipes:{self.region}:{self.account}:pipe/{self.name}"


def name_of(document: dict[str, Any]) -> PipeName:
    """Which pipe a document is of."""
    return PipeName(document["account"], document["region"], document["name"])


def every(store: Store, prefix: str = PREFIX) -> Iterator[dict[str, Any]]:
    """All pipes whose key starts with `prefix`, sorted by key."""
    after = None
    while True:
        found, after = store.page(prefix, after=after, limit=DOCUMENTS_PAGE_MAX)
        yield from found
        if after is None:
            return
