"""The front to one engine: what the server and the in-process clients call."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from trunkline._core import WireFront
from trunkline.aws.control import Control
from trunkline.aws.services import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trunkline.engine import Engine

    Credential = tuple[str, str, str | None, str | None]


def make_front(
    engine: Engine,
    *,
    services: Iterable[str] | None = None,
    auth: str = "parse",
    credentials: Sequence[Credential] = (),
) -> WireFront:
    """A front to `engine` that serves `services` (all of them unless told otherwise).

    `auth` is ``"off"``, ``"parse"`` (the signature names account and region, nothing is proved) or
    ``"strict"`` (signatures are checked against `credentials`).
    """
    chosen = choose(services)
    control = Control(engine._core, chosen)
    plain = [service.plain() for service in chosen]
    return WireFront(engine._core, control, plain, auth, list(credentials))


_fronts: WeakKeyDictionary[Engine, WireFront] = WeakKeyDictionary()


def front_of(engine: Engine) -> WireFront:
    """The one front that all in-process clients of an engine share."""
    front = _fronts.get(engine)
    if front is None:
        front = _fronts.setdefault(engine, make_front(engine))
    return front
