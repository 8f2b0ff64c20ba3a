"""What calls of integrations have to know of the request that makes them, of any kind of API."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest


class Calling(Protocol):
    """A request to an API on its way to an integration."""

    @property
    def apis(self) -> Apis:
        """What the kinds of APIs work with."""

    @property
    def request(self) -> ApiRequest:
        """What the client sent."""

    @property
    def account(self) -> str:
        """The account of the API."""

    @property
    def region(self) -> str:
        """The region of the API."""

    @property
    def now(self) -> float:
        """The engine's time when the request came."""

    @property
    def trace(self) -> str:
        """The id by which the request is traced."""
