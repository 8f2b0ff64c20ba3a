"""Calls of services under strict authorization: signed, so that policies of resources count."""

from __future__ import annotations

import hashlib
import hmac
from secrets import token_hex
from urllib.parse import parse_qsl, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import WireDispatcher
    from trunkline.aws.execute_api.kinds import Apis

_SAFE = "-_.~"


class SignedCalls:
    """A dispatcher that knows one account, with a secret that never leaves it."""

    def __init__(self, apis: Apis, account: str) -> None:
        from trunkline import _core
        from trunkline.aws.control import Control
        from trunkline.aws.services import SERVICES

        self._key, self._secret = "AKIATRUNKLINE", token_hex(32)
        plain = [service.plain() for service in SERVICES]
        known: list[Any] = [(self._key, self._secret, None, account)]
        control = Control(apis.core, SERVICES)
        self.dispatcher: WireDispatcher = _core.WireDispatcher(
            apis.core, control, plain, "strict", known
        )

    def authorized(
        self, method: str, target: str, headers: dict[str, str], body: bytes, where: tuple[str, str]
    ) -> dict[str, str]:
        """The headers with a signature; `where` is the region and the service."""
        digest = hashlib.sha256(body).hexdigest()
        headers = {name: " ".join(value.split()) for name, value in headers.items()}
        headers = {**headers, "x-amz-content-sha256": digest}
        path, _, query = target.partition("?")
        if where[1] != "s3":
            path = quote(path, safe=f"/{_SAFE}")
        pairs = sorted(
            (quote(name, safe=_SAFE), quote(value, safe=_SAFE))
            for name, value in parse_qsl(query, keep_blank_values=True)
        )
        signed = sorted(
            name
            for name in headers
            if name in ("host", "content-type") or name.startswith("x-amz-")
        )
        lines = [f"{name}:{headers[name]}\n" for name in signed]
        canonical = "\n".join(
            (
                method,
                path,
                "&".join(f"{name}={value}" for name, value in pairs),
                "".join(lines),
                ";".join(signed),
                digest,
            )
        )
        day = headers["x-amz-date"][:8]
        scope = f"{day}/{where[0]}/{where[1]}/aws4_request"
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                headers["x-amz-date"],
                scope,
                hashlib.sha256(canonical.encode()).hexdigest(),
            )
        )
        key = f"AWS4{self._secret}".encode()
        for part in (day, *where, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"Credential={self._key}/{scope}"
        told = f"{credential}, SignedHeaders={';'.join(signed)}, Signature={signature}"
        return {**headers, "authorization": f"AWS4-HMAC-SHA256 {told}"}


def signed_calls(apis: Apis, account: str) -> SignedCalls:
    """The calls of an account; made when they are first needed."""
    with apis.lock:
        found: SignedCalls | None = apis.memory.get(f"signed {account}")
        if found is None:
            found = apis.memory[f"signed {account}"] = SignedCalls(apis, account)
    return found
