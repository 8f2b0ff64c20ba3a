"""Messages and records as plain data, which JSON can hold: what their ``as_dict()`` gives."""

from __future__ import annotations

from base64 import b64encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import PeekedMessage, Record
    from trunkline.remote.messages import RemoteMessage
    from trunkline.remote.results import RemoteRecord


def content(data: bytes, name: str = "body") -> dict[str, str]:
    """Bytes as a member of JSON: text where they are UTF-8, Base64 under another name elsewhere.

    >>> content(b"one coffee"), content(b"\\xff")
    ({'body': 'one coffee'}, {'body_base64': '/w=='})
    """
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(data).decode()}


def attribute_row(value: object) -> Any:
    """An attribute: bytes as Base64, and a type of one's own with its name.

    >>> attribute_row(b"\\xff"), attribute_row(("Number.cents", "250"))
    ({'base64': '/w=='}, {'type': 'Number.cents', 'value': '250'})
    """
    if isinstance(value, tuple):
        kind, held = value
        plain = attribute_row(held)
        return {"type": kind, **(plain if isinstance(plain, dict) else {"value": plain})}
    if isinstance(value, (bytes, bytearray)):
        return {"base64": b64encode(value).decode()}
    return value


_OPTIONAL = (
    "group", "dedup_id", "sequence_number", "dead_letter_source", "trace_header",
    "first_received_at",
)  # fmt: skip


def message_row(message: PeekedMessage | RemoteMessage) -> dict[str, Any]:
    """A message without its receipt; what it does not have is left out."""
    row: dict[str, Any] = {"message_id": message.message_id, **content(message.body)}
    row |= {name: value for name in _OPTIONAL if (value := getattr(message, name)) is not None}
    row |= {"sent_at": message.sent_at, "receive_count": message.receive_count}
    if message.attributes:
        row["attributes"] = {name: attribute_row(one) for name, one in message.attributes.items()}
    return row


def record_row(record: Record | RemoteRecord) -> dict[str, Any]:
    """A record of a stream."""
    row = {"sequence": record.sequence, "shard": record.shard, "timestamp": record.timestamp}
    return {**row, "key": record.key, **content(record.data, "data")}
