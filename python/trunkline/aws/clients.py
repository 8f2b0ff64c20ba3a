"""Clients of all services of one engine, which call as any account."""

from __future__ import annotations

from threading import Lock

from trunkline._core import WireDispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine

CLIENTS_MAX = 64
"""Clients that are kept; making one takes a few milliseconds."""


class Clients:
    """The clients that were used, by service, region and account."""

    def __init__(self, core: CoreEngine) -> None:
        from trunkline.aws.control import Control
        from trunkline.aws.services import SERVICES

        plain = [service.plain() for service in SERVICES]
        self.dispatcher = WireDispatcher(core, Control(core, SERVICES), plain, "parse", [])
        self._lock = Lock()
        self._made: dict[tuple[str, str, str], Any] = {}

    def get(self, service: str, region: str, account: str) -> Any:
        """A botocore client; one call is one try, because the caller tries again."""
        from botocore.config import Config
        from botocore.session import get_session

        from trunkline.aws.defaults import with_defaults
        from trunkline.aws.endpoint import bind
        from trunkline.aws.transport import LocalSession

        key = (service, region, account)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                if len(self._made) >= CLIENTS_MAX:
                    self._made.clear()
                options = with_defaults({"aws_access_key_id": account})
                options["config"] = Config(retries={"total_max_attempts": 1})
                made = get_session().create_client(service, region_name=region, **options)
                bind(made, LocalSession(self.dispatcher))
                self._made[key] = made
        return made
