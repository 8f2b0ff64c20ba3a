"""Names and resource names: buses, rules and what belongs to them."""

from __future__ import annotations

from typing import NamedTuple

from trunkline.aws.arns import partition
from trunkline.aws.events.errors import invalid_parameter, no_such_bus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Bus
    from trunkline.aws.operation import Call

DEFAULT = "default"
"""The bus that every account has in every region."""


class Arn(NamedTuple):
    """A resource name in its parts."""

    service: str
    region: str
    account: str
    resource: str

    @property
    def owner(self) -> tuple[str, str]:
        """Account and region."""
        return self.account, self.region


def read_arn(text: str) -> Arn | None:
    """The parts of a resource name; None for what is none.

    >>> read_arn("arn:aws:sqs:us-east-1:000000000000:jobs").resource
    'jobs'
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        return None
    if parts[1] != partition(parts[3]):
        return None
    return Arn(*parts[2:])


def write_arn(account: str, region: str, resource: str) -> str:
    """The resource name of something of EventBridge.

    >>> write_arn("000000000000", "us-east-1", "event-bus/default")
    'arn:aws:events:us-east-1:000000000000:event-bus/default'
    """
    return f"arn:{partition(region)}:events:{region}:{account}:{resource}"


def bus_arn(bus: Bus) -> str:
    """The resource name of a bus."""
    return write_arn(bus.account, bus.region, f"event-bus/{bus.name}")


def rule_arn(bus: Bus, rule: str) -> str:
    """The resource name of a rule."""
    inner = rule if bus.name == DEFAULT else f"{bus.name}/{rule}"
    return write_arn(bus.account, bus.region, f"rule/{inner}")


def find_bus(call: Call) -> Bus:
    """The bus that the input names."""
    name = call.target or (call.account, call.region, DEFAULT)
    return bus_of(call, name)


def bus_of(call: Call, name: tuple[str, str, str]) -> Bus:
    """The bus of this name."""
    bus = existing_bus(call, name)
    if bus is None:
        raise no_such_bus(name[2])
    return bus


def existing_bus(call: Call, name: tuple[str, str, str]) -> Bus | None:
    """The bus of this name, if there is one; a default bus is created when it is asked for."""
    bus = call.store.core.bus(name, False)
    if bus is None and name[2] == DEFAULT:
        bus = call.store.core.bus(name, True)
    return bus


def bus_of_arn(call: Call, text: str, parameter: str) -> Bus:
    """The bus of a resource name."""
    arn = read_arn(text)
    if arn is None or arn.service != "events" or not arn.resource.startswith("event-bus/"):
        raise invalid_parameter(parameter, "Must contain an event bus ARN.")
    return bus_of(call, (*arn.owner, arn.resource.removeprefix("event-bus/")))
