"""The dispatcher to one engine: what the server and the in-process clients call."""

from __future__ import annotations

from weakref import WeakKeyDictionary, ref

from trunkline._core import WireDispatcher
from trunkline.aws.control import Control
from trunkline.aws.services import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trunkline.engine import Engine

    Credential = tuple[str, str, str | None, str | None]


def make_dispatcher(
    engine: Engine,
    *,
    services: Iterable[str] | None = None,
    auth: str = "parse",
    credentials: Sequence[Credential] = (),
) -> WireDispatcher:
    """A dispatcher to `engine` that serves `services` (all of them unless told otherwise).

    `auth` is ``"off"``, ``"parse"`` (the signature names account and region, nothing is proved) or
    ``"strict"`` (signatures are checked against `credentials`).
    """
    chosen = choose(services)
    # The dispatcher must not keep its engine: the table below is keyed by it.
    found = ref(engine)

    def operate(verb: str, body: bytes) -> bytes:
        from trunkline import admin
        from trunkline.errors import EngineClosed

        engine = found()
        if engine is None:
            raise EngineClosed("The engine is closed. Open it again to use it.")
        return admin.operate(engine, verb, body)

    control = Control(engine._core, chosen, operate)
    plain = [service.plain() for service in chosen]
    dispatcher = WireDispatcher(engine._core, control, plain, auth, list(credentials))
    control.resume()
    return dispatcher


_dispatchers: WeakKeyDictionary[Engine, WireDispatcher] = WeakKeyDictionary()


def dispatcher_of(engine: Engine) -> WireDispatcher:
    """The one dispatcher that all in-process clients of an engine share."""
    dispatcher = _dispatchers.get(engine)
    if dispatcher is None:
        dispatcher = _dispatchers.setdefault(engine, make_dispatcher(engine))
    return dispatcher
