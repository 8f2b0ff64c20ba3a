"""A request to an API, and the answer to it."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import unquote_plus

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class ApiRequest:
    """What was sent to an API, whichever of its addresses was used."""

    api: str
    """The id of the API."""
    path: str
    """The path below the API, still escaped. It begins with the stage where one is in the path:
    ``/dev/orders``. A kind of API with a default stage looks whether there is one of that name."""
    method: str
    query: str
    """The query string as it was sent, without its question mark."""
    headers: Headers
    """In the order of arrival, names in lower case."""
    body: bytes
    source_ip: str | None
    """The address of the client; None for a caller in this process."""
    is_secure: bool
    base: str
    """The address under which the caller reached us, without a slash at its end."""
    request_id: str
    is_strict: bool
    """Signatures are proved: rights count."""
    signer: tuple[str, str, str] | None
    """Account, region and access key of the signature; proved where `is_strict`."""
    refusal: tuple[str, str, int] | None
    """Code, message and status if the signature was refused."""
    domain_path: str | None = None
    """The path as it was sent to a domain name of the API; None for the API's own address."""

    def header(self, name: str) -> str | None:
        """The last value of a header, as API Gateway tells it."""
        return self.all_headers.get(name.lower(), [None])[-1]

    @cached_property
    def all_headers(self) -> dict[str, list[str]]:
        """All values of each header, names in lower case."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    @cached_property
    def all_parameters(self) -> dict[str, list[str]]:
        """All values of each parameter of the query string, unescaped."""
        found: dict[str, list[str]] = {}
        for pair in self.query.split("&"):
            if pair:
                name, _, value = pair.partition("=")
                found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        return found

    @property
    def host(self) -> str:
        """The host that was called, with its port."""
        return self.header("host") or "localhost"


@dataclass(slots=True)
class ApiResponse:
    """What the caller gets. Headers of the connection itself are left out when it is sent."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""


_OF_THE_CONNECTION = frozenset(
    ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)


def as_sent(response: ApiResponse) -> tuple[int, Headers, bytes]:
    """The answer as the server sends it: a header has one line, but each cookie has its own.

    >>> as_sent(ApiResponse(200, [("X-A", "1"), ("x-a", "2"), ("Connection", "close")], b"ok"))
    (200, [('x-a', '1, 2')], b'ok')
    """
    lines: dict[str, list[str]] = {}
    cookies: Headers = []
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            cookies.append((lowered, value))
        elif lowered not in _OF_THE_CONNECTION:
            lines.setdefault(lowered, []).append(value)
    headers = [(name, ", ".join(values)) for name, values in lines.items()]
    return response.status, headers + cookies, response.body
