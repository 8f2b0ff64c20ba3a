"""Generates docs/coverage.md from the registered operations and botocore's models."""

from __future__ import annotations

import json
from pathlib import Path

import botocore

from trunkline._core import data_plane
from trunkline.aws.models import read_model
from trunkline.aws.services import SERVICES, Service

from . import tree

PAGE: Path = tree.ROOT / "docs" / "coverage.md"
HEAD = """<!-- Generated from the registered operations by `make docs`. -->
# Coverage of AWS's services

Each operation of the services that are served. **done**: it does what AWS's does. **stored only**:
it keeps and tells what it was given, and has no effect on anything else. **refused**: it is
answered with the error `NotImplemented`.
"""


def states_of(service: Service) -> dict[str, str]:
    """The state of each registered operation; all others are refused."""
    in_rust = dict(data_plane()).get(service.name, [])
    states = dict.fromkeys(in_rust, "done")
    for name, operation in service.operations().items():
        states[name] = "stored only" if operation.stored_only else "done"
    return states


def names_of(service: Service) -> list[str]:
    """The operations of the service's model."""
    return sorted(json.loads(read_model(service.name))["operations"])


def page() -> str:
    """The page as it has to be, for the botocore that is installed."""
    parts = [HEAD, f"The models are those of botocore {botocore.__version__}.\n"]
    for service in SERVICES:
        states = states_of(service)
        names = names_of(service)
        count = dict.fromkeys(("done", "stored only", "refused"), 0)
        rows = []
        for name in names:
            state = states.get(name, "refused")
            count[state] += 1
            rows.append(f"| `{name}` | {state} |\n")
        told = ", ".join(f"{number} {state}" for state, number in count.items() if number)
        parts.append(f"## {service.name}\n\n{len(names)} operations: {told}.\n")
        parts.append("| operation | state |\n|---|---|\n" + "".join(rows))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
