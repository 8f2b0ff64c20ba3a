"""Messages to be sent: one entry of a batch, and the checks of what a send brings along."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.errors import InvalidMessageContents, TrunklineError
from trunkline.queues import attributes as message_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from trunkline._types import Attributes, Body, Durability, Seconds
    from trunkline.limits import Limits

    # Group, deduplication id, delay in milliseconds, the block of attributes.
    Checked: TypeAlias = tuple[str | None, str | None, int | None, bytes | None]

OPTIONS = ("group", "dedup_id", "delay", "attributes", "durability")
"""Every option of a send, as :class:`trunkline.SendOptions` types them."""


class SendEntry:
    """A message for :meth:`Queue.send_batch` that brings options of its own.

    The options are those of :meth:`Queue.send`; they are checked when the batch is sent, so that a
    bad entry fails alone.

    >>> import trunkline
    >>> queue = trunkline.open().queue("orders.fifo")
    >>> entry = trunkline.SendEntry(b"paid", group="order-7", dedup_id="paid-7")
    >>> queue.send_batch([entry, trunkline.SendEntry(b"no group")]).failed[0].code
    'MissingParameter'
    """

    __slots__ = {
        "attributes": "Values by name.",
        "body": "What the message carries.",
        "dedup_id": "FIFO: the identity of the message.",
        "delay": "Seconds before the message may be received.",
        "group": "FIFO: the order it belongs to; standard: the tenant.",
    }

    def __init__(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        self.body: Body = body
        self.group: str | None = group
        self.dedup_id: str | None = dedup_id
        self.delay: Seconds | None = delay
        self.attributes: Attributes | None = attributes

    def __repr__(self) -> str:
        named = ("group", "dedup_id", "delay", "attributes")
        options = (f", {name}={getattr(self, name)!r}" for name in named if getattr(self, name))
        return f"SendEntry({self.body!r}{''.join(options)})"


def checked_options(
    options: Mapping[str, Any], limits: Limits
) -> tuple[str | None, str | None, int | None, bytes | None, Durability | None]:
    """The options of a send as the core takes them; raises TypeError for a name that is none.

    >>> from trunkline.limits import Limits
    >>> checked_options({"group": "g", "delay": 1.5}, Limits())
    ('g', None, 1500, None, None)
    """
    group = dedup_id = delay = attributes = durability = None
    for name, value in options.items():
        if name == "group":
            group = value
        elif name == "dedup_id":
            dedup_id = value
        elif name == "delay":
            delay = value
        elif name == "attributes":
            attributes = value
        elif name == "durability":
            durability = value
        else:
            raise TypeError(f"send has no option {validation.unknown(name, OPTIONS)}")
    return (*checked_values(group, dedup_id, delay, attributes, limits), durability)


def checked_values(
    group: str | None,
    dedup_id: str | None,
    delay: Seconds | None,
    attributes: Attributes | None,
    limits: Limits,
) -> Checked:
    """The values of a message as the core takes them; raises for one that is none."""
    if group is not None:
        validation.message_id_text(group, "group", limits)
    if dedup_id is not None:
        validation.message_id_text(dedup_id, "dedup_id", limits)
    span = None if delay is None else milliseconds(delay, "delay", 0, limits.delay_max)
    block = None if attributes is None else message_attributes.encode(attributes, limits)
    return group, dedup_id, span, block


def prepare(
    entries: list[Body | SendEntry], limits: Limits
) -> tuple[list[Any], list[int], list[tuple[int, str, str]]]:
    """The entries as the core takes them, their indexes, and those that were refused."""
    prepared, indexes, failed = [], [], []
    for index, entry in enumerate(entries):
        try:
            prepared.append(_prepared(entry, limits))
            indexes.append(index)
        except TrunklineError as error:
            failed.append((index, error.code, str(error)))
    return prepared, indexes, failed


def _prepared(
    entry: Body | SendEntry, limits: Limits
) -> tuple[Body, str | None, str | None, int | None, bytes | None]:
    if not isinstance(entry, SendEntry):
        return _encoded(entry), None, None, None, None
    options = checked_values(entry.group, entry.dedup_id, entry.delay, entry.attributes, limits)
    return _encoded(entry.body), *options


def _encoded(body: Body) -> Body:
    """A text as bytes, so that one that cannot be encoded fails as an entry of its own."""
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            raise InvalidMessageContents(
                "The body holds a lone surrogate, which no encoding can carry; send bytes instead."
            ) from None
    return body


def json_body(value: Any) -> str:
    """`value` as JSON text; raises InvalidMessageContents if it is none."""
    import json

    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessageContents(f"The value cannot be written as JSON: {error}.") from error


def as_list(items: Iterable[Any], field: str) -> list[Any]:
    """The items as a list; a lone body or receipt is a mistake, not a sequence of letters."""
    if type(items) is list:
        return items
    if isinstance(items, _ONE_ITEM):
        raise TypeError(f"{field} must be a list of them, not one {type(items).__name__}")
    return list(items)


# A tuple, because a union of types would be made anew in every call.
_ONE_ITEM = (str, bytes, bytearray, dict)
