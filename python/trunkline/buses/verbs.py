"""What an engine offers of event buses: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.buses.bus import Bus


class BusVerbs:
    """The verbs of an engine that are about event buses."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def bus(
        self,
        name: str = "default",
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Bus:
        """Get the event bus `name`, or create it.

        ``create=False`` finds a bus and never creates one. `account` and `region` are part of the
        name, and what events have that name none.

        Raises ResourceNotFound with ``create=False``, InvalidParameterValue for a name
        that is not allowed, EngineClosed.

        >>> import trunkline
        >>> trunkline.open().bus("orders").name
        'orders'
        """
        from trunkline.buses.bus import Bus

        validation.flag(create, "create")
        owner = validation.owner(self._owner, account, region)
        core = self._core.bus((*owner, validation.text(name, "name")), create)
        if core is None:
            raise ResourceNotFound(
                f"Event bus {name} does not exist; check the name, or create it first."
            )
        return Bus(self, core)  # type: ignore[arg-type]

    def buses(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Bus]:
        """The event buses whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> bus = engine.bus("orders")
        >>> engine.buses()
        [<Bus 'orders'>]
        """
        from trunkline.buses.bus import Bus

        found = self._core.buses(
            *validation.owner(self._owner, account, region), validation.text(prefix, "prefix")
        )
        return [Bus(self, core) for core in found]  # type: ignore[arg-type]
