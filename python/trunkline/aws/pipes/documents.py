"""Where pipes are kept: documents of the engine, by account and region."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.arns import partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
