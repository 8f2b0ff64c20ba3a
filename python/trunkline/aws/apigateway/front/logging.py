"""Access logs of REST APIs."""

from __future__ import annotations

import hashlib
import time

from trunkline.aws.execute_api.access_logs import is_group, rendered, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse


def log_access(exchange: Exchange, response: ApiResponse) -> None:
    """Writes the line of a request, where the stage has a log."""
    settings = exchange.stage.get("accessLogSettings") or {}
    destination, format = settings.get("destinationArn") or "", settings.get("format")
    if not format or exchange.is_test or not is_group(destination):
        return
    context = {
        **exchange.context,
        "status": str(response.status),
        "responseLength": str(len(response.body)),
        "responseLatency": str(int((time.monotonic() - exchange.began) * 1_000)),
    }
    stream = hashlib.md5(
        f"{exchange.request.api}/{exchange.stage['stageName']}".encode(), usedforsecurity=False
    ).hexdigest()
    write(exchange.apis, destination, stream, rendered(format, context), exchange.now)
