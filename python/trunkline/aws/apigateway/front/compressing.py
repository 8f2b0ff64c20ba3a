"""Compression of an API that has a ``minimumCompressionSize``: requests that come compressed are
read, and answers of that size and more are compressed for callers that take them so.
"""

from __future__ import annotations

import gzip
import zlib

from trunkline._dataclasses import replace
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.limits import API_PAYLOAD_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse

_EITHER = zlib.MAX_WBITS | 32
"""Lets zlib tell the two forms, gzip and zlib's own, apart."""


def _size(exchange: Exchange) -> int | None:
    size: int | None = exchange.api.get("minimumCompressionSize")
    return size


def decompress(exchange: Exchange) -> None:
    """Reads the body of a request that is compressed; one that is not, as it is."""
    request = exchange.request
    coding = (request.header("content-encoding") or "").lower()
    if _size(exchange) is None or coding not in ("gzip", "deflate"):
        return
    reader = zlib.decompressobj(_EITHER)
    try:
        # No more than may be sent uncompressed: a short body may become any length.
        body = reader.decompress(request.body, API_PAYLOAD_BYTES_MAX + 1)
    except zlib.error as error:
        reason = f"the body is not {coding}: {error}"
        raise Refusal("BAD_REQUEST_BODY", "Invalid request body", reason=reason) from None
    if len(body) > API_PAYLOAD_BYTES_MAX:
        raise Refusal("REQUEST_TOO_LARGE", "Request Too Long")
    left = ("content-encoding", "content-length")
    headers = [one for one in request.headers if one[0].lower() not in left]
    exchange.request = replace(request, body=body, headers=headers)


def compress(exchange: Exchange, response: ApiResponse) -> None:
    """Compresses the body of an answer, if the caller takes it so."""
    size = _size(exchange)
    if size is None or len(response.body) < size or not response.body:
        return
    if any(name.lower() == "content-encoding" for name, _ in response.headers):
        return
    taken = _taken(exchange.request.header("accept-encoding") or "")
    for coding, shorten in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        if coding in taken:
            response.body = shorten(response.body)
            response.headers.append(("content-encoding", coding))
            return


def _taken(accepted: str) -> set[str]:
    """The codings of an Accept-Encoding that are not ruled out.

    >>> sorted(_taken("gzip;q=0.5, deflate;q=0, br"))
    ['br', 'gzip']
    """
    parts = [part.strip().lower().partition(";") for part in accepted.split(",")]
    refused = ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return {name.strip() for name, _, quality in parts if quality.replace(" ", "") not in refused}
