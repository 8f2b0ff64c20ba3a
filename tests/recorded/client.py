"""botocore clients that call as any account: one a service and region, for all cases."""

from __future__ import annotations

import base64
import re
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

import trunkline
from trunkline.server import Server

# What a call sends is what was recorded: no validation on this side, and no second try.
CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    read_timeout=60,
    inject_host_prefix=False,
)


class Callers:
    """A server of an engine in memory, and clients of it."""

    def __init__(self) -> None:
        # The clients are kept and try nothing twice: no idle connection may end beneath them.
        idle = 3_600.0
        self.server = Server(trunkline.open(), port=0, allow_code=True, idle_timeout=idle)
        self.url = self.server.url
        # Signed with the key that is current: twelve digits name the account.
        self._credentials = Credentials("000000000000", "secret")
        self._session = botocore.session.get_session()
        self._session._credentials = self._credentials
        self._clients: dict[tuple[str, str], Any] = {}

    def call(
        self, service: str, region: str, account: str, operation: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        """The answer; raises ClientError for an error that the server answered."""
        self._credentials.access_key = account
        client = self._client(service, region)
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**params)
        for name in ("Body", "body"):
            body = answer.get(name)
            if hasattr(body, "read"):
                answer[name] = body.read().decode("utf-8", "replace")
        return answer

    def _client(self, service: str, region: str) -> Any:
        client = self._clients.get((service, region))
        if client is None:
            client = self._session.create_client(
                service, region_name=region, endpoint_url=self.url, config=CONFIG
            )
            self._clients[service, region] = client
        return client

    def refused(self, service: str, operation: str, params: dict[str, Any]) -> str:
        """What botocore itself says against an input that it does not send."""
        model = self._client(service, "us-east-1").meta.service_model
        report = ParamValidator().validate(params, model.operation_model(operation).input_shape)
        return str(ParamValidationError(report=report.generate_report()))


@cache
def callers() -> Callers:
    """One server for all cases of a process; each case has accounts of its own."""
    return Callers()


def fetch(
    method: str, url: str, headers: dict[str, str], body: str | dict[str, str] | None
) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers, names in lower case, of the answer to a plain request.

    A body of bytes is given in base64.
    """
    if isinstance(body, dict):
        data = base64.b64decode(body["$bytes"])
    else:
        data = None if body is None else body.encode()
    url, host = _located(url)
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=60)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    # Nothing is sent that was not recorded: a content type above all.
    plain = {"User-Agent": "python-requests", "Accept": "*/*"}
    sent = {**plain, **headers, **({"Host": host} if host else {})}
    try:
        connection.request(method, target, data, sent)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return answer.status, text, {n.lower(): value for n, value in answer.getheaders()}
    finally:
        connection.close()


def _located(url: str) -> tuple[str, str | None]:
    """Where an address of an API is, and the host that it is called by."""
    api = re.fullmatch(r"http://([a-z0-9]+)\.http://([^/:]+):(\d+)(/.*)?", url, re.DOTALL)
    if api is None:
        return url, None
    id, address, port, path = api.groups()
    return f"http://{address}:{port}{path or '/'}", f"{id}.execute-api.localhost:{port}"


__all__ = ["ClientError", "callers", "fetch"]
