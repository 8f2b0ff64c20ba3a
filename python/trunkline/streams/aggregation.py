"""Records that the Kinesis Producer Library packed into one: how they come apart.

The library puts many records into one of the stream: four bytes, a message of Protocol Buffers,
and the MD5 digest of the message. The message has three fields, so its few lines of wire format are
read here; a library of Protocol Buffers would bring a compiler and a runtime for them.
"""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from hashlib import md5

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeAlias

    from trunkline._core import Record

    Fields: TypeAlias = Iterator[tuple[int, int | bytes]]

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES = 16
_VARINT_BYTES_MAX = 10


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A record as its producer put it."""

    data: bytes
    key: str
    hash_key: int | None
    """The explicit hash key that the producer gave."""
    sequence: str
    """The sequence of the record of the stream, which all records of one pack share."""
    sub_sequence: int | None
    """The place in the pack; None for a record that was not packed."""

    def text(self) -> str:
        """The data as UTF-8."""
        return self.data.decode()

    def json(self) -> Any:
        """The data as JSON."""
        return json_module.loads(self.data)


def deaggregate(
    records: Iterable[Record | Mapping[str, Any]],
    *,
    hash_keys: tuple[int, int] | None = None,
) -> Iterator[UserRecord]:
    """The records that producers put, in order; what was not packed comes as it is.

    `records` are those of :meth:`Stream.read` or of a reader, or those of ``get_records()`` of
    boto3. With `hash_keys`, the first and last hash key of a shard, packed records that belong to
    another shard since the stream was resharded are left out.

    >>> import trunkline
    >>> from trunkline.streams import deaggregate
    >>> stream = trunkline.open().stream("clicks")
    >>> packed = "f3899ac20a02706b1a0908001a0568656c6c6f1a0908001a05776f726c64"
    >>> put = stream.put(bytes.fromhex(packed + "4747b0d63591c416fdae617529bdda27"), key="any")
    >>> [(record.key, record.text()) for record in deaggregate(stream.read())]
    [('pk', 'hello'), ('pk', 'world')]
    """
    for record in records:
        if isinstance(record, Mapping):
            data, key = record["Data"], record["PartitionKey"]
            sequence = record["SequenceNumber"]
        else:
            data, key, sequence = record.data, record.key, record.sequence
        packed = _unpack(data)
        if packed is None:
            yield UserRecord(data, key, None, sequence, None)
            continue
        for place, (key, hash_key, data) in enumerate(packed):
            if hash_keys is None or hash_keys[0] <= _position(key, hash_key) <= hash_keys[1]:
                yield UserRecord(data, key, hash_key, sequence, place)


def _position(key: str, hash_key: int | None) -> int:
    if hash_key is not None:
        return hash_key
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")


def _unpack(data: bytes) -> list[tuple[str, int | None, bytes]] | None:
    """The records of a pack: key, explicit hash key, data. None for what is no pack."""
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + _DIGEST_BYTES:
        return None
    message, digest = data[len(MAGIC) : -_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if md5(message, usedforsecurity=False).digest() != digest:
        return None
    try:
        return _read(message)
    except (ValueError, IndexError, TypeError):
        return None


def _read(message: bytes) -> list[tuple[str, int | None, bytes]]:
    keys: list[str] = []
    hash_keys: list[int] = []
    parts: list[bytes] = []
    for field, value in _fields(message):
        if field == 1:
            keys.append(_bytes(value).decode())
        elif field == 2:
            hash_keys.append(int(_bytes(value)))
        elif field == 3:
            parts.append(_bytes(value))
    return [_record(part, keys, hash_keys) for part in parts]


def _record(part: bytes, keys: list[str], hash_keys: list[int]) -> tuple[str, int | None, bytes]:
    found = dict(_fields(part))
    data = _bytes(found[3]) if 3 in found else b""
    hash_key = hash_keys[_number(found[2])] if 2 in found else None
    return keys[_number(found.get(1, 0))], hash_key, data


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a field of bytes is a number")
    return value


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise TypeError("a number is a field of bytes")
    return value


def _fields(message: bytes) -> Fields:
    """The fields of a message: numbers, and bytes with a length."""
    at = 0
    while at < len(message):
        head, at = _varint(message, at)
        kind = head & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield head >> 3, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("a field of an unknown kind")
        if at + length > len(message):
            raise ValueError("a field that is cut off")
        yield head >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_VARINT_BYTES_MAX):
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number that is too long")
