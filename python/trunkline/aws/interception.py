"""Which clients an engine answers while `local` is active: all of them, whenever they were made."""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

from trunkline._dataclasses import dataclass
from trunkline.aws.defaults import KEY, SECRET, fill
from trunkline.aws.endpoint import bind, cut_off, taken_over
from trunkline.aws.transport import LocalSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import WireDispatcher


@dataclass(frozen=True, slots=True)
class Interceptor:
    """One active block: who answers, what, and what else may go out to the network."""

    dispatcher: WireDispatcher
    served: tuple[str, ...]
    passthrough: frozenset[str]


_active: list[Interceptor] = []
_undo: list[Callable[[], None]] = []
_changing = Lock()


def enter(interceptor: Interceptor) -> None:
    """Begins a block; the innermost block answers."""
    with _changing:
        if not _active:
            _install()
        _active.append(interceptor)


def leave(interceptor: Interceptor) -> None:
    """Ends the block of `interceptor`, whatever the order in which blocks end."""
    with _changing:
        # By identity: two blocks of one engine are equal.
        position = max(i for i, active in enumerate(_active) if active is interceptor)
        del _active[position]
        if not _active:
            while _undo:
                _undo.pop()()


def _install() -> None:
    from botocore.endpoint import Endpoint
    from botocore.session import Session
    from botocore.signers import RequestSigner

    _replace(Endpoint, "_do_get_response", _answers(LocalSession))
    _replace(Session, "create_client", _makes)
    credentials = import_module("botocore.credentials")
    signs = _signs(credentials, "Credentials", "RefreshableCredentials")
    _replace(RequestSigner, "get_auth_instance", signs)
    if find_spec("aiobotocore") is not None:
        from trunkline.aws.aio_transport import AioLocalSession

        aio_endpoint = import_module("aiobotocore.endpoint").AioEndpoint
        _replace(aio_endpoint, "_do_get_response", _answers(AioLocalSession))
        aio_session = import_module("aiobotocore.session").AioSession
        _replace(aio_session, "_create_client", _makes_aio)
        aio_signer = import_module("aiobotocore.signers").AioRequestSigner
        credentials = import_module("aiobotocore.credentials")
        signs = _signs(credentials, "AioCredentials", "AioRefreshableCredentials")
        _replace(aio_signer, "get_auth_instance", signs)


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original = owner.__dict__[name]
    setattr(owner, name, wraps(original)(wrap(original)))
    _undo.append(lambda: setattr(owner, name, original))


def _answers(session_type: Any) -> Callable[[Any], Any]:
    # An aiobotocore endpoint answers with a coroutine, which is passed on.
    def wrap(original: Any) -> Any:
        def respond(endpoint: Any, request: Any, operation_model: Any, *rest: Any) -> Any:
            seen = _seen(endpoint, operation_model.service_model.service_name, session_type)
            return original(seen, request, operation_model, *rest)

        return respond

    return wrap


def _seen(endpoint: Any, service: str, session_type: Any) -> Any:
    active = _active[-1] if _active else None
    if active is None or service in active.passthrough:
        return endpoint
    if service in active.served:
        return taken_over(endpoint, session_type(active.dispatcher))
    return cut_off(endpoint, service, active.served)


def _makes(original: Any) -> Any:
    def create_client(session: Any, service_name: str, *args: Any, **options: Any) -> Any:
        active = _prepare(session, service_name, args, options)
        made = original(session, service_name, *args, **options)
        if active is not None:
            bind(made, LocalSession(active.dispatcher))
        return made

    return create_client


def _makes_aio(original: Any) -> Any:
    async def create_client(session: Any, service_name: str, *args: Any, **options: Any) -> Any:
        from trunkline.aws.aio_transport import AioLocalSession

        active = _prepare(session, service_name, args, options)
        made = await original(session, service_name, *args, **options)
        if active is not None:
            bind(made, AioLocalSession(active.dispatcher))
        return made

    return create_client


def _prepare(
    session: Any, service: str, args: tuple[Any, ...], options: dict[str, Any]
) -> Interceptor | None:
    """Fills in what was not configured; tells which engine answers the client from now on."""
    active = _active[-1] if _active else None
    if active is None or service in active.passthrough:
        return None
    is_served = service in active.served
    fill(session, args, options, is_served=is_served)
    return active if is_served else None


def _signs(module: Any, plain: str, refreshed: str) -> Callable[[Any], Any]:
    # Credentials that are refreshed would be fetched from the network, and a client that was made
    # without any could not sign.
    stand_in = getattr(module, plain)(KEY, SECRET)
    is_refreshed = (type(None), getattr(module, refreshed))

    def wrap(original: Any) -> Any:
        def get_auth_instance(signer: Any, *args: Any, **options: Any) -> Any:
            may_go_out = not _active or _active[-1].passthrough
            if not may_go_out and isinstance(signer._credentials, is_refreshed):
                options["request_credentials"] = stand_in
            return original(signer, *args, **options)

        return get_auth_instance

    return wrap
