"""Names of functions: account, region and name; the ARN, and the destination of the outbox."""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.errors import InvalidParameterValue

LATEST = "$LATEST"
"""The version of a function that may change."""

_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):function:"
    r"([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_PREFIX = "lambda/"


@dataclass(frozen=True, slots=True)
class FunctionName:
    """The full name of a function."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The ARN, without a version."""
        from trunkline.aws.arns import partition

        place = f"{self.region}:{self.account}"
        return f"arn:{partition(self.region)}:lambda:{place}:function:{self.name}"

    @property
    def destination(self) -> str:
        """The destination of the outbox in which asynchronous invocations wait."""
        return f"{_PREFIX}{self.region}/{self.account}/{self.name}"

    def destination_of(self, qualifier: str | None) -> str:
        """The destination of invocations by a version or an alias."""
        return self.destination if qualifier is None else f"{self.destination}:{qualifier}"


def checked(name: object) -> str:
    """A name that a function may have.

    >>> checked("charge")
    'charge'
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a function must be a str, not {type(name).__name__}")
    if _NAME.fullmatch(name) is None:
        raise InvalidParameterValue(
            f"The function name {name[:128]!r} is not valid. Reason: It has 1 to 64 letters, "
            "digits, hyphens and underscores."
        )
    return name


def read_arn(arn: str) -> tuple[FunctionName, str | None] | None:
    """The function of an ARN, and the version or alias in it; None for a text that is none.

    >>> read_arn("arn:aws:lambda:eu-west-1:000000000000:function:charge:live")
    (FunctionName(account='000000000000', region='eu-west-1', name='charge'), 'live')
    """
    parts = _ARN.fullmatch(arn)
    return None if parts is None else (FunctionName(parts[2], parts[1], parts[3]), parts[4])


def of_destination(destination: str) -> FunctionName | None:
    """The function whose invocations wait in a destination of this name.

    >>> of_destination("lambda/us-east-1/000000000000/charge").name
    'charge'
    """
    if not destination.startswith(_PREFIX):
        return None
    region, account, name = destination.removeprefix(_PREFIX).split("/")
    return FunctionName(account, region, name.partition(":")[0])
