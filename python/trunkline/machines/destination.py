"""The name of the destination in which the deliveries for a state machine wait."""

from __future__ import annotations

_PREFIX = "states/"


def destination_of(name: tuple[str, str, str]) -> str:
    """The destination of a state machine, which is named by account, region and name.

    >>> destination_of(("000000000000", "eu-west-1", "checkout"))
    'states/eu-west-1/000000000000/checkout'
    """
    account, region, short = name
    return f"{_PREFIX}{region}/{account}/{short}"


def of_destination(destination: str) -> tuple[str, str, str] | None:
    """Account, region and name of the state machine that a destination is of.

    >>> of_destination("states/eu-west-1/000000000000/checkout")
    ('000000000000', 'eu-west-1', 'checkout')
    """
    if not destination.startswith(_PREFIX):
        return None
    region, account, name = destination.removeprefix(_PREFIX).split("/")
    return account, region, name
