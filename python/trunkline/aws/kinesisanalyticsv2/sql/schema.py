"""The schema of a source: which columns its records have, as an expression of DuckDB."""

from __future__ import annotations

from trunkline.analytics.statement import ROWS
from trunkline.aws.kinesisanalyticsv2.errors import invalid
from trunkline.aws.kinesisanalyticsv2.sql.code import type_of
from trunkline.aws.kinesisanalyticsv2.sql.dialect import PSEUDO
from trunkline.aws.kinesisanalyticsv2.sql.tokens import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.sql.code import Column

RAW = ROWS
"""What the raw rows are known by: sequence, arrived, key, shard and the data as text."""

_PSEUDO = "arrived AS ROWTIME, arrived AS APPROXIMATE_ARRIVAL_TIME, key AS PARTITION_KEY, "
_PSEUDO += "shard AS SHARD_ID, sequence AS SEQUENCE_NUMBER"


def check(schema: Mapping[str, Any]) -> None:
    """Refuses a schema that cannot be read by."""
    columns = schema["RecordColumns"]
    names = [column["Name"].upper() for column in columns]
    if len(set(names)) < len(names):
        raise invalid("Two columns of RecordColumns have one name; the case does not tell apart.")
    taken = next((name for name in names if name in PSEUDO), None)
    if taken is not None:
        raise invalid(f"{taken} is the name of a column that every stream has.")
    for column in columns:
        type_of(column["SqlType"])
    given = schema["RecordFormat"]
    mapping = given.get("MappingParameters", {})
    if given["RecordFormatType"] == "JSON":
        path = mapping.get("JSONMappingParameters", {}).get("RecordRowPath", "$")
        if path != "$":
            raise invalid(f"RecordRowPath {path} is not served: a record is one row, at $.")
        for column in columns:
            _path(column)
    elif "JSONMappingParameters" in mapping:
        raise invalid("JSONMappingParameters belong to the format JSON.")


def _path(column: Mapping[str, Any]) -> str:
    path: str = column.get("Mapping") or f'$."{column["Name"]}"'
    if not path.startswith("$"):
        raise invalid(f"Mapping {path} of the column {column['Name']} does not begin with $.")
    return path


def select(schema: Mapping[str, Any], relation: str, *, pseudo: bool = True) -> str:
    """A SELECT that makes one typed row of each raw row."""
    columns: Sequence[Mapping[str, Any]] = schema["RecordColumns"]
    if schema["RecordFormat"]["RecordFormatType"] == "CSV":
        delimiter = _text(_delimiters(schema)[1])
        places = range(1, len(columns) + 1)
        fields = [f"trim(string_split(data, {delimiter})[{place}])" for place in places]
    else:
        fields = [f"json_extract_string(data, {_text(_path(column))})" for column in columns]
    shown = [
        f"TRY_CAST({field} AS {type_of(column['SqlType'])}) AS {quoted(column['Name'])}"
        for field, column in zip(fields, columns, strict=True)
    ]
    return f"SELECT {', '.join([*shown, *([_PSEUDO] if pseudo else [])])} FROM {relation} AS raw"


def raw_select(schema: Mapping[str, Any], relation: str) -> str:
    """A SELECT that makes raw rows of records: without what is no JSON, and a row a line of CSV."""
    head = "SELECT sequence, arrived, key, shard"
    if schema["RecordFormat"]["RecordFormatType"] == "CSV":
        lines = f"{head}, unnest(string_split(data, {_text(_delimiters(schema)[0])})) AS data"
        return f"SELECT * FROM ({lines} FROM {relation}) WHERE trim(data) <> ''"
    return f"{head}, data FROM {relation} WHERE json_valid(data)"


def of_stream(columns: Sequence[Column]) -> dict[str, Any]:
    """The schema of an in-application stream, whose rows are kept as JSON."""
    return {
        "RecordFormat": {"RecordFormatType": "JSON"},
        "RecordColumns": [{"Name": one.name, "SqlType": one.type} for one in columns],
    }


def _delimiters(schema: Mapping[str, Any]) -> tuple[str, str]:
    """What is between rows, and between columns."""
    given = schema["RecordFormat"].get("MappingParameters", {}).get("CSVMappingParameters", {})
    return given.get("RecordRowDelimiter", "\n"), given.get("RecordColumnDelimiter", ",")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
