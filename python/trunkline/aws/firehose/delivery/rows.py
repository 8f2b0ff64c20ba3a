"""Records of JSON as rows of a Hive type, and rows as a file in Parquet or ORC."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from trunkline.aws.firehose.conversions import deserializer_of, row_type, serializer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from trunkline.aws.firehose.hive_types import HiveType

_EPOCH = datetime(1970, 1, 1)
_MILLISECONDS_FROM = 10_000_000_000
"""Numbers from here on are milliseconds since the epoch, below it seconds."""

_BITS = {"tinyint": 7, "smallint": 15, "int": 31, "integer": 31, "bigint": 63}
_WRITERS = {"V1": "1.0", "V2": "2.6"}


class Converter:
    """Makes rows of records, and files of rows, as a conversion says."""

    def __init__(self, conversion: Mapping[str, Any]) -> None:
        self._row = row_type(conversion)
        self._deserializer, self._options = deserializer_of(conversion)
        self._serializer, self._writing = serializer_of(conversion)
        self.extension = ".parquet" if self._serializer == "ParquetSerDe" else ".orc"
        mappings = self._options.get("ColumnToJsonKeyMappings", {})
        self._keys = {name: mappings.get(name, name) for name in self._row.fields}

    def rows(self, data: bytes) -> list[dict[str, Any]]:
        """The rows of a record, one for each of its JSON objects; raises ValueError."""
        text = data.decode()
        decoder, at, found = json.JSONDecoder(), 0, []
        while (at := _next(text, at)) < len(text):
            try:
                value, at = decoder.raw_decode(text, at)
            except RecursionError:
                raise ValueError("it is nested too deeply") from None
            if not isinstance(value, dict):
                raise ValueError("it is no JSON object")
            found.append(self._of(value))
        if not found:
            raise ValueError("it is empty")
        return found

    def _of(self, value: dict[str, Any]) -> dict[str, Any]:
        is_hive = self._deserializer == "HiveJsonSerDe"
        if is_hive or self._options.get("CaseInsensitive", True):
            value = {name.lower(): one for name, one in value.items()}
        if self._options.get("ConvertDotsInJsonKeysToUnderscores", False):
            value = {name.replace(".", "_"): one for name, one in value.items()}
        row = {}
        for name, part in zip(self._row.fields, self._row.parts, strict=True):
            key = self._keys[name]
            given = value.get(key, value.get(key.lower()))
            try:
                row[name] = _converted(given, part)
            except (ValueError, TypeError, ArithmeticError) as error:
                raise ValueError(f"{name} is no {part.name}: {error}") from None
        return row

    def file(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """A file of rows."""
        import pyarrow

        schema = pyarrow.schema(list(self._row.arrow()))
        table = pyarrow.Table.from_pylist(list(rows), schema=schema)
        whole = io.BytesIO()
        if self._serializer == "OrcSerDe":
            from pyarrow import orc

            orc.write_table(table, whole, compression=_orc(self._writing))
        else:
            from pyarrow import parquet

            options = self._writing
            codec = options.get("Compression", "SNAPPY")
            parquet.write_table(
                table,
                whole,
                compression="NONE" if codec == "UNCOMPRESSED" else codec,
                use_dictionary=options.get("EnableDictionaryCompression", False),
                version=_WRITERS[options.get("WriterVersion", "V1")],
                data_page_size=options.get("PageSizeBytes"),
            )
        return whole.getvalue()


def _orc(options: Mapping[str, Any]) -> str:
    codec = options.get("Compression", "SNAPPY")
    return "uncompressed" if codec == "NONE" else str(codec).lower()


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _converted(value: Any, type: HiveType) -> Any:
    """A JSON value as Arrow takes it for a type; raises for one that does not fit."""
    if value is None:
        return None
    if type.name == "struct":
        members = {name.lower(): one for name, one in _checked(value, dict).items()}
        pairs = zip(type.fields, type.parts, strict=True)
        return {name: _converted(members.get(name.lower()), part) for name, part in pairs}
    if type.name == "array":
        return [_converted(one, type.parts[0]) for one in _checked(value, list)]
    if type.name == "map":
        key, item = type.parts
        return [
            (_converted(name, key), _converted(one, item))
            for name, one in _checked(value, dict).items()
        ]
    if type.name == "decimal":
        return _decimal(value, *type.numbers)
    if type.name in _BITS:
        return _integer(value, _BITS[type.name])
    return _PLAIN[type.name](value)


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{json.dumps(value)[:40]} is of another type")
    return value


def _integer(value: Any, bits: int) -> int:
    number = value if isinstance(value, float) else int(value)
    if number != int(number) or not -(2**bits) <= number < 2**bits:
        raise ValueError(f"{value} is out of range")
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return bool(_checked(value, bool))


def _string(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    # Half of a surrogate pair would refuse the whole file.
    text.encode()
    return text


def _decimal(value: Any, digits: int, scale: int) -> Decimal:
    number = Decimal(str(value)).quantize(Decimal(1).scaleb(-scale))
    # NaN would refuse the whole file.
    if not number.is_finite() or len(number.as_tuple().digits) > digits:
        raise ValueError(f"{value} is out of range")
    return number


def _timestamp(value: Any) -> datetime:
    if isinstance(value, str) and not value.lstrip("-").replace(".", "", 1).isdecimal():
        at = datetime.fromisoformat(value.strip())
        return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    number = float(value)
    seconds = number / 1_000 if abs(number) >= _MILLISECONDS_FROM else number
    return _EPOCH + timedelta(seconds=seconds)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "double": float,
    "boolean": _boolean,
    "string": _string,
    "varchar": _string,
    "char": _string,
    "binary": lambda value: base64.b64decode(_checked(value, str), validate=True),
    "date": lambda value: date.fromisoformat(_checked(value, str)),
    "timestamp": _timestamp,
}
