"""Which document of a service: names are unique in an account and region."""

from __future__ import annotations

from typing import ClassVar

from trunkline._dataclasses import dataclass
from trunkline.aws.arns import partition


@dataclass(frozen=True)
class KeptName:
    """The name of a resource that is kept as a document. A service says the three parts of it.

    >>> class Cup(KeptName):
    ...     prefix, service, kind = "cups/", "cups", "cup"
    >>> cup = Cup("000000000000", "us-east-1", "tea")
    >>> cup.arn, cup.key
    ('arn:aws:cups:us-east-1:000000000000:cup/tea', 'cups/000000000000/us-east-1/tea')
    """

    prefix: ClassVar[str]
    """The start of all keys of the service."""
    service: ClassVar[str]
    """The service, as resource names have it."""
    kind: ClassVar[str]
    """The kind of resource, as resource names have it."""

    account: str
    region: str
    name: str

    @property
    def key(self) -> str:
        """Where the document is kept."""
        return f"{self.prefix}{self.account}/{self.region}/{self.name}"

    @property
    def arn(self) -> str:
        """The resource name."""
        where = f"{self.region}:{self.account}"
        return f"arn:{partition(self.region)}:{self.service}:{where}:{self.kind}/{self.name}"
