"""Events that services emit to the default bus of the account in which something happened."""

from __future__ import annotations

import json
import logging

from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine


def emit_service_event(
    core: CoreEngine,
    owner: tuple[str, str],
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
) -> None:
    """Puts an event on the default bus of `owner`, an account and a region.

    Call it once the change is kept, outside of locks that a delivery may need. As on AWS an event
    is a best effort: one that cannot be put is logged, and the operation that emits it succeeds.

    >>> import trunkline
    >>> core = trunkline.open()._core
    >>> emit_service_event(core, ("000000000000", "us-east-1"), "aws.s3", "Object Created", {})
    """
    text = json.dumps(detail, separators=(",", ":"))
    try:
        core.emit_service_event(owner, (source, detail_type, text), list(resources))
    except TrunklineError as error:
        logging.getLogger("trunkline").warning("%s: %s was not put: %s", source, detail_type, error)
