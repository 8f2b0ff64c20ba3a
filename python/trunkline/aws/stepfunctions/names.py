"""Names and resource names of state machines, versions, aliases, activities and executions."""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.aws.arns import partition
from trunkline.aws.limits import STATES_NAME_CHARS_MAX
from trunkline.aws.stepfunctions.errors import invalid_arn, invalid_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.operation import Call

_FORBIDDEN = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_ARN = re.compile(r"arn:aws[a-z-]*:states:([a-z0-9-]+):(\d{12}):([A-Za-z]+):(.+)", re.DOTALL)


def check_name(name: str) -> None:
    """Raises for a name that AWS refuses."""
    if not 1 <= len(name) <= STATES_NAME_CHARS_MAX or _FORBIDDEN.search(name):
        raise invalid_name(name)


@dataclass(frozen=True, slots=True)
class Arn:
    """A resource name, taken apart.

    >>> Arn.parse("arn:aws:states:eu-west-1:123456789012:stateMachine:orders:7").qualifier
    '7'
    """

    text: str
    region: str
    account: str
    kind: str
    """``stateMachine``, ``activity``, ``execution``, ``express`` or ``mapRun``."""
    name: str
    qualifier: str | None = None
    """The version or the alias of a state machine; the name of an execution."""
    run: str | None = None
    """The unique part at the end of an express execution's resource name."""

    @classmethod
    def parse(cls, text: str, *kinds: str) -> Arn:
        """The parts of `text`; raises if it is no resource name of one of these kinds."""
        parts = _ARN.fullmatch(text)
        if parts is None:
            raise invalid_arn(f"Invalid ARN prefix: {text}")
        region, account, kind, rest = parts.groups()
        if kinds and kind not in kinds:
            raise invalid_arn(f"Resource type not valid in this context: {kind}")
        name, *more = rest.split(":")
        if len(more) > 2:
            raise invalid_arn(f"Invalid ARN: {text}")
        return cls(text, region, account, kind, name, *more)

    @property
    def unqualified(self) -> str:
        """The resource name of the state machine itself."""
        return arn_of(self.account, self.region, "stateMachine", self.name)


def arn_of(account: str, region: str, kind: str, *names: str) -> str:
    """The resource name of something that an account has in a region."""
    return f"arn:{partition(region)}:states:{region}:{account}:{kind}:{':'.join(names)}"


def own_arn(call: Call, kind: str, *names: str) -> str:
    """The resource name of something of the caller."""
    return arn_of(call.account, call.region, kind, *names)
