"""Data format conversion: what a configuration may say, and the row that it describes.

There is no Glue here. The schema is given in the request: ``TableName`` is Hive's type of a row,
``struct<id:bigint,name:string>``, which has no white space.
"""

from __future__ import annotations

from importlib.util import find_spec

from trunkline.aws.firehose.errors import invalid
from trunkline.aws.firehose.hive_types import HiveType, parse_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _one_of(part: Mapping[str, Any], kind: str, names: tuple[str, str]) -> str:
    given = [name for name in names if name in part]
    if len(given) != 1:
        raise invalid(f"{kind} must have exactly one of {' and '.join(names)}.")
    return given[0]


def check_conversion(conversion: Mapping[str, Any]) -> None:
    """Raises for a conversion that cannot work."""
    for member in ("SchemaConfiguration", "InputFormatConfiguration", "OutputFormatConfiguration"):
        if not conversion.get(member):
            raise invalid(f"{member} must be specified when data format conversion is enabled.")
    deserializer_of(conversion)
    serializer_of(conversion)
    row_type(conversion)
    if find_spec("pyarrow") is None:
        raise invalid("Data format conversion needs pyarrow: pip install 'trunkline[parquet]'.")


def deserializer_of(conversion: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """``OpenXJsonSerDe`` or ``HiveJsonSerDe``, and its options."""
    part = conversion["InputFormatConfiguration"].get("Deserializer", {})
    name = _one_of(part, "Deserializer", ("OpenXJsonSerDe", "HiveJsonSerDe"))
    return name, dict(part[name])


def serializer_of(conversion: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """``ParquetSerDe`` or ``OrcSerDe``, and its options."""
    part = conversion["OutputFormatConfiguration"].get("Serializer", {})
    name = _one_of(part, "Serializer", ("ParquetSerDe", "OrcSerDe"))
    return name, dict(part[name])


def row_type(conversion: Mapping[str, Any]) -> HiveType:
    """The type of a row."""
    text = conversion["SchemaConfiguration"].get("TableName", "")
    if not text.lower().startswith("struct<"):
        raise invalid(
            "SchemaConfiguration names a table of Glue, which is not served here. Give the schema "
            "itself as TableName: struct<id:bigint,name:string>."
        )
    try:
        return parse_row(text)
    except ValueError as error:
        raise invalid(f"SchemaConfiguration.TableName is no schema: {error}.") from None
