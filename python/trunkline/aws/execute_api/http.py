"""Requests that integrations with HTTP endpoints make, and what comes back."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.limits import API_PAYLOAD_BYTES_MAX
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.execute_api.message import Headers


_TIMED_OUT = "the endpoint did not answer in time"
"""How the HTTP client of the core says it."""


class NoAnswer(Exception):
    """The endpoint gave no whole answer; the text says why."""


class TimedOut(NoAnswer):
    """It gave none in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered."""

    status: int
    headers: Headers
    body: bytes


def send(
    core: CoreEngine,
    url: str,
    *,
    method: str,
    headers: Headers,
    body: bytes,
    timeout_ms: int,
) -> Answer:
    """One request, within the bounds of the engine's HTTP client; raises NoAnswer.

    The client's own headers, such as the host and the length, are not taken from `headers`.
    Redirects are answers. Addresses that deliveries may not reach are not reached by this either.
    """
    try:
        status, lines, content = core.outbox().exchange(
            url,
            method=method,
            headers=headers,
            body=body,
            timeout=timeout_ms,
            response_bytes_max=API_PAYLOAD_BYTES_MAX + 1,
        )
    except TrunklineError as error:
        raise NoAnswer(str(error)) from None
    if status is None:
        why = content.decode("utf-8", "replace")
        raise (TimedOut if why == _TIMED_OUT else NoAnswer)(why)
    if len(content) > API_PAYLOAD_BYTES_MAX:
        raise NoAnswer(f"the answer is longer than {API_PAYLOAD_BYTES_MAX} bytes")
    return Answer(status, lines, content)
