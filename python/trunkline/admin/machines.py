"""The state machines of an engine, as its documents tell them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.engine import Engine

_ARN_PARTS = 7
"""Parts of the ARN of a state machine; that of a version has one more."""


def defined(engine: Engine) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """The state machines: account, region and name, and the document of each."""
    from trunkline.aws.stepfunctions.documents import PREFIX
    from trunkline.aws.store import Store

    for document in Store(engine._core).every(PREFIX):
        parts = str(document.get("arn", "")).split(":")
        if parts[5:6] == ["stateMachine"] and len(parts) == _ARN_PARTS:
            yield (parts[4], parts[3], parts[6]), document


def counts(engine: Engine, name: tuple[str, str, str]) -> dict[str, int]:
    """How many executions of a state machine there are, by status."""
    from collections import Counter

    from trunkline._core import Machines

    found = Machines(engine._core).find(name)
    return {} if found is None else Counter(one.status for one in found.executions(limit=1 << 30))
