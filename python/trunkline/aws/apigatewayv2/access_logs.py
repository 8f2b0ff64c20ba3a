"""Access logs of HTTP and WebSocket APIs."""

from __future__ import annotations

from trunkline.aws.execute_api import access_logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigatewayv2.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse


def write(exchange: Exchange, response: ApiResponse) -> None:
    """Adds a request to the access log of its stage, if it has one."""
    settings = exchange.stage.get("AccessLogSettings")
    if not settings or not access_logs.is_group(settings["DestinationArn"]):
        return
    context = exchange.context()
    context |= {"status": response.status, "responseLength": len(response.body)}
    access_logs.write(
        exchange.apis,
        settings["DestinationArn"],
        f"{exchange.request.api}-{exchange.stage_name}",
        access_logs.rendered(settings["Format"], context),
        exchange.now,
    )
