"""What a server has under a name: methods and properties that ask the server for the same ones."""

from __future__ import annotations

from trunkline.admin.forms import bytes_of
from trunkline.errors import UnsupportedOperation
from trunkline.remote.messages import RemoteMessage, RemotePeekedMessage
from trunkline.remote.nouns import NOUNS
from trunkline.remote.results import RemoteBatch, RemoteRecord, Report
from trunkline.remote.values import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from trunkline.remote.transport import Transport

CLASSES: dict[str, type[Remote]] = {}
"""The class of each kind."""


class Remote:
    """What a server has under a name."""

    __slots__ = ("_at", "_facts", "_transport")

    _kind = ""

    def __init__(self, transport: Transport, *at: Any, facts: dict[str, Any] | None = None) -> None:
        self._transport = transport
        self._at = at
        self._facts = facts

    def __init_subclass__(cls, kind: str = "") -> None:
        if not kind:
            return
        cls._kind = kind
        CLASSES[kind] = cls
        noun = NOUNS[kind]
        of = noun.of.partition(":")[2]
        for name in noun.verbs:
            if name not in vars(cls):
                setattr(cls, name, _verb(name, of))
        for name in noun.facts:
            if name not in vars(cls):
                setattr(cls, name, Fact(name, of))
        for name, why in noun.refused.items():
            setattr(cls, name, _Refused(name, of, why))

    @property
    def name(self) -> str:
        """The name."""
        return str(self._at[-1])

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self._transport.account

    @property
    def region(self) -> str:
        """The region."""
        return self._transport.region

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What the table names beside."""

    def _ask(self, verb: str, *values: Any, **named: Any) -> Any:
        """What the method or the property of this name answers there."""
        told = self._transport.owned(
            "call",
            kind=self._kind,
            verb=verb,
            at=list(self._at),
            values=[argument(one) for one in values],
            named={name: argument(one) for name, one in named.items() if one is not None},
        )
        if "type_error" in told:
            raise TypeError(told["type_error"])
        return result(self._transport, told["value"])

    def refresh(self) -> Self:
        """Ask for all properties, which a twin for asyncio tells without asking again."""
        self._facts = {name: self._ask(name) for name in NOUNS[self._kind].facts}
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Remote):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        of = self._transport
        return (self._kind, of.url, of.account, of.region, self._at)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at {self._transport.url}>"


def _verb(name: str, of: str) -> Callable[..., Any]:
    def verb(self: Remote, *values: Any, **named: Any) -> Any:
        return self._ask(name, *values, **named)

    verb.__name__ = name
    verb.__qualname__ = f"Remote.{name}"
    verb.__doc__ = f"As ``{name}`` of `{of}`."
    return verb


class Fact:
    """A property that asks the server."""

    def __init__(self, name: str, of: str) -> None:
        self.name: str = name
        self.__doc__ = f"As ``{name}`` of `{of}`."

    def __get__(self, instance: Remote | None, owner: type | None = None) -> Any:
        return self if instance is None else instance._ask(self.name)

    def last(self, instance: Remote) -> Any:
        """What the server told last."""
        if instance._facts is None or self.name not in instance._facts:
            raise UnsupportedOperation(
                f"{self.name} was not told yet; await refresh() of this first."
            )
        return instance._facts[self.name]


class _Refused:
    """A name that a connection does not have."""

    def __init__(self, name: str, of: str, why: str) -> None:
        self._name = name
        self._said = f"{name} of {_article(of)} does not work over a connection: {why}."

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self
        raise UnsupportedOperation(self._said)


def _article(of: str) -> str:
    return f"{'an' if of[0] in 'AE' else 'a'} {of.lower() if of == 'Engine' else of}"


def argument(value: Any) -> Any:
    """An argument of a call as JSON."""
    return encode(value, _told)


def _told(value: Any) -> Any:
    plain = getattr(value, "sync", value)
    if isinstance(plain, Remote):
        of = plain._transport
        return {
            "$noun": plain._kind,
            "at": list(plain._at),
            "account": of.account,
            "region": of.region,
        }
    if isinstance(plain, RemoteMessage):
        return plain.receipt
    if isinstance(plain, RemotePeekedMessage):
        return plain.message_id
    if type(plain).__name__ == "SendEntry":
        names = ("body", "group", "dedup_id", "delay", "attributes")
        members = {name: getattr(plain, name) for name in names}
        given = {name: argument(one) for name, one in members.items() if one is not None}
        return {"$entry": given}
    if callable(plain):
        raise UnsupportedOperation(
            f"{getattr(plain, '__qualname__', plain)!r} is a function of this program, which a "
            "server cannot call. Name a queue, and work it off here: queue.consume(function)."
        )
    if hasattr(plain, "_engine") and hasattr(plain, "_core"):
        raise TypeError(
            f"{value!r} belongs to an engine of this process; name what the connection gives"
        )
    if hasattr(plain, "items"):
        return encode(dict(plain.items()), _told)
    if hasattr(plain, "__iter__"):
        return [argument(one) for one in plain]
    raise TypeError(f"a {type(value).__name__} cannot travel to a server")


def result(transport: Transport, told: Any) -> Any:
    """What a call answered, as the library's values."""

    def made(one: dict[str, Any]) -> Any:
        if "$noun" in one:
            of = transport.at(one.get("account"), one.get("region"))
            facts = one.get("facts")
            read = None if facts is None else result(of, facts)
            return CLASSES[one["$noun"]](of, *one["at"], facts=read)
        if "$record" in one:
            return _record(one["$record"])
        if "$message" in one:
            return RemotePeekedMessage(one["queue"], one["$message"])
        if "$batch" in one:
            return RemoteBatch(one["$batch"], [_record(row["$record"]) for row in one["records"]])
        if "$report" in one:
            return _report(one, result(transport, one["members"]))
        raise UnsupportedOperation(f"The server is newer: it answers {next(iter(one))!r}.")

    return decode(told, made)


def _report(told: dict[str, Any], members: dict[str, Any]) -> Any:
    if told["$report"] == "ApiAnswer":
        from trunkline.apis.api import ApiAnswer

        return ApiAnswer(**members)
    return Report(told["$report"], told["text"], members)


def _record(told: dict[str, Any]) -> RemoteRecord:
    row = dict(told)
    data = bytes_of(row.pop("data", None), row.pop("data_base64", None), "data")
    return RemoteRecord(**row, data=data)


def engine_of(remote: Remote) -> Any:
    """The connection of a resource."""
    return CLASSES["engine"](remote._transport)
