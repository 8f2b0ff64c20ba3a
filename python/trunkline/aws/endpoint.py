"""How one request of a botocore client is answered without a socket.

A botocore endpoint signs a request, asks the handlers of the event ``before-send`` for an answer,
and sends it if none has one. moto is such a handler. It must neither answer the requests of a
client of an engine nor carry them out as well.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from trunkline.aws.defaults import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class NotServed(Exception):
    """A request for a service that no engine serves, where no request may leave the process."""


def taken_over(endpoint: Any, session: Any) -> Any:
    """The endpoint as its own code sees it, when `session` answers in place of the network."""
    return _Endpoint(endpoint, session.send, _LocalEvents(endpoint._event_emitter))


def cut_off(endpoint: Any, service: str, served: Sequence[str]) -> Any:
    """The endpoint as its own code sees it, when only handlers such as moto may answer."""

    def send(request: Any) -> Any:
        raise NotServed(
            f"{service} is not served by Trunkline, and no request leaves the process here. "
            f"Let moto answer it (mock_aws), or let it through with passthrough=[{service!r}]. "
            f"Served: {', '.join(served)}."
        )

    return _Endpoint(endpoint, send, endpoint._event_emitter)


def bind(client: Any, session: Any) -> None:
    """Lets `session` answer all requests of `client` from now on."""
    endpoint = client._endpoint
    endpoint.http_session = session
    respond = type(endpoint)._do_get_response
    # What `local` put in its place meanwhile knows such a session by itself.
    respond = getattr(respond, "__wrapped__", respond)

    def answer(*args: Any, **options: Any) -> Any:
        return respond(taken_over(endpoint, session), *args, **options)

    endpoint._do_get_response = answer


class _Endpoint:
    """An endpoint with another way to send."""

    def __init__(self, endpoint: Any, send: Callable[[Any], Any], emitter: Any) -> None:
        self._endpoint = endpoint
        self._send = send
        self._event_emitter = emitter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoint, name)


class _LocalEvents:
    """The events of an endpoint whose requests stay in the process.

    Handlers that look at a request before it is sent see it with a local address: those of the
    client's owner work on it, and moto, which answers addresses of AWS, lets it pass.
    """

    def __init__(self, emitter: Any) -> None:
        self._emitter = emitter

    def emit(self, name: str, **given: Any) -> Any:
        """What the handlers say; a coroutine, where the emitter's is one."""
        if not name.startswith("before-send."):
            return self._emitter.emit(name, **given)
        request = given["request"]
        sent_to = request.url
        parts = urlsplit(sent_to)
        request.url = urlunsplit((*urlsplit(BASE)[:2], *parts[2:]))
        try:
            said = self._emitter.emit(name, **given)
            if isawaitable(said):
                return _restored(said, request, sent_to)
        except BaseException:
            request.url = sent_to
            raise
        request.url = sent_to
        return said


async def _restored(said: Any, request: Any, sent_to: str) -> Any:
    try:
        return await said
    finally:
        request.url = sent_to
