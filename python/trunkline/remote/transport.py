"""Calls to a server: data in the JSON protocol of SQS, everything else by the operator's verbs."""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from trunkline import errors
from trunkline.remote.client import HTTP_ERROR, AdminClient, HttpClient, json_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVED_BY_AWS = {
    "QueueDoesNotExist": errors.QueueDoesNotExist,
    "NonExistentQueue": errors.QueueDoesNotExist,
    "MissingAuthenticationToken": errors.UnsupportedOperation,
}
"""Codes of AWS whose native error has another name."""


def native(code: str, message: str) -> errors.TrunklineError:
    """The error of the library that a server's code means.

    >>> native("QueueDoesNotExist", "There is no queue 'orders'.")
    QueueDoesNotExist("There is no queue 'orders'.")
    """
    name = code.rpartition("#")[2].rpartition(".")[2]
    found = _SERVED_BY_AWS.get(name)
    return errors.from_code(name, message) if found is None else found(message)


class Answer(dict[str, Any]):
    """An answer. A member that it lacks means that another kind of server answers there."""

    def __init__(self, told: object, who: str) -> None:
        super().__init__(told if isinstance(told, dict) else {})
        self._who = who

    def __missing__(self, name: str) -> Any:
        raise errors.ServerUnreachable(
            f"{self._who} is no server of Trunkline: its answer has no {name!r}."
        )


class Transport:
    """One server, for an account and a region."""

    def __init__(self, url: str, token: str | None, account: str, region: str) -> None:
        self.url: str = url.rstrip("/")
        self.account = account
        self.region = region
        self._admin = AdminClient(self.url, token)
        self._http = HttpClient(self.url)
        self._sign()

    def at(self, account: str | None, region: str | None) -> Transport:
        """The same server, for another account and region; it shares the connections."""
        if account in (None, self.account) and region in (None, self.region):
            return self
        other = copy(self)
        other.account, other.region = account or self.account, region or self.region
        other._sign()
        return other

    def _sign(self) -> None:
        # The server reads account and region from the scope of a signature, and proves nothing
        # unless it was started with --auth strict, which refuses this.
        scope = f"{self.account}/20000101/{self.region}/sqs/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        self._headers = {
            "content-type": "application/x-amz-json-1.0",
            "authorization": signed,
            "x-amz-date": "20000101T000000Z",
        }

    def sqs(self, operation: str, **members: Any) -> dict[str, Any]:
        """An operation of SQS; raises the native error of the code that it answers."""
        body = json.dumps({name: one for name, one in members.items() if one is not None})
        headers = self._headers | {"x-amz-target": f"AmazonSQS.{operation}"}
        status, _, text = self._http.send("POST", "/", body.encode(), headers)
        told = json_of(self.url, status, text or b"{}")
        if status >= HTTP_ERROR:
            code = str(told.get("__type") or told.get("error") or f"Status{status}")
            raise native(code, str(told.get("message") or told.get("Message") or code))
        return Answer(told, f"{self.url}, asked for {operation},")

    def http(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """A request to S3, whose protocol is HTTP's own."""
        signed = self._headers["authorization"].replace("/sqs/", "/s3/")
        own = {"authorization": signed, "x-amz-date": self._headers["x-amz-date"]}
        return self._http.send(method, path, body, own | dict(headers))

    def verb(self, verb: str, /, **arguments: Any) -> dict[str, Any]:
        """A verb of ``trunkline.admin``, in this account and region."""
        given = {key: one for key, one in arguments.items() if one is not None}
        return Answer(self._admin.verb(verb, given), f"{self.url}, asked for {verb},")

    def owned(self, verb: str, /, **arguments: Any) -> dict[str, Any]:
        """The same for a verb that takes an account and a region."""
        return self.verb(verb, account=self.account, region=self.region, **arguments)

    def close(self) -> None:
        """Closes the connections that are idle."""
        self._admin.close()
        self._http.close()
